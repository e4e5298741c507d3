//! Where a PID is valid: in one boot of a machine, and in one PID namespace of it. Both have unique ids. The
//! host name is for messages only: it can change while processes run, and two machines can have the same.
//!
//! A journal can be seen from inside a container and from outside, or from several machines, and PID 12 is
//! another process in each of them. So a PID that was read from a file is checked here first.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::os::proc;

/// Where a process runs, or ran: where its PID is valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The name of the machine, for messages.
    pub host: String,
    /// The id of the machine's boot; empty if it was unknown.
    pub(crate) boot: String,
    /// As `/proc/self/ns/pid` names it; empty if it was unknown.
    #[serde(default)]
    pub(crate) pid_namespace: String,
}

/// What a PID from such a place means to this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Locality {
    /// The process that has it here.
    Here,
    /// Nothing: the machine has rebooted, and all its processes are gone.
    Gone,
    /// Nothing: it is of another machine.
    OnAnotherMachine,
    /// Nothing: it is of another PID namespace of this machine.
    InAnotherNamespace,
    /// Unknown, and why.
    Unknown(String),
}

impl Whereabouts {
    /// Where this process runs.
    #[must_use]
    pub fn own() -> Whereabouts {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Whereabouts {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            boot: boot.trim().to_owned(),
            pid_namespace: namespace.to_string_lossy().into_owned(),
        }
    }

    /// What a PID from there means here.
    pub(crate) fn locality(&self) -> Locality {
        let own = Whereabouts::own();
        if let Some(lack) = own.lack() {
            return Locality::Unknown(lack);
        }
        self.locality_from(&own)
    }

    fn locality_from(&self, own: &Whereabouts) -> Locality {
        let is_same_boot = self.boot == own.boot;
        if self.boot.is_empty() || self.pid_namespace.is_empty() && is_same_boot {
            return Locality::Unknown("the journal doesn't say where they ran".to_owned());
        }
        match (is_same_boot, self.pid_namespace == own.pid_namespace) {
            (true, true) => Locality::Here,
            (true, false) => Locality::InAnotherNamespace,
            // This machine before its last boot, or another one: its processes aren't here in either case.
            // The host name only decides what is said of them.
            (false, _) if self.host == own.host => Locality::Gone,
            (false, _) => Locality::OnAnotherMachine,
        }
    }

    /// Why PIDs that are recorded here will be of no use to a later run; `None` if they will be of use.
    #[must_use]
    pub fn lack(&self) -> Option<String> {
        if let Err(distrust) = proc::trust() {
            return Some(distrust.to_string());
        }
        let is_known = !self.boot.is_empty() && !self.pid_namespace.is_empty();
        (!is_known)
            .then(|| "/proc hides which start of the machine this is, or which PID namespace".to_owned())
    }

    /// A process there, for messages.
    #[must_use]
    pub fn describe(&self, pid: u32) -> String {
        match self.locality() {
            Locality::InAnotherNamespace => {
                format!("process {pid} in another PID namespace of {}", self.host)
            }
            _ => format!("process {pid} on {}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whereabouts(host: &str, boot: &str, namespace: &str) -> Whereabouts {
        Whereabouts {
            host: host.into(),
            boot: boot.into(),
            pid_namespace: namespace.into(),
        }
    }

    #[test]
    fn a_number_means_something_only_where_all_of_it_is_known_and_the_same() {
        let own = whereabouts("h", "b", "n");
        let seen = |host, boot, namespace| whereabouts(host, boot, namespace).locality_from(&own);
        assert_eq!(seen("h", "b", "n"), Locality::Here);
        assert_eq!(seen("h", "b", "m"), Locality::InAnotherNamespace);
        assert_eq!(seen("container", "b", "m"), Locality::InAnotherNamespace);
        assert_eq!(seen("h", "earlier", "n"), Locality::Gone);
        assert_eq!(seen("h", "earlier", ""), Locality::Gone);
        // The machine was renamed.
        assert_eq!(seen("renamed", "b", "n"), Locality::Here);
        assert_eq!(seen("elsewhere", "c", "n"), Locality::OnAnotherMachine);
        for unknown in [seen("h", "", "n"), seen("h", "b", ""), seen("h", "", ""), seen("elsewhere", "", "")]
        {
            assert!(matches!(unknown, Locality::Unknown(_)), "{unknown:?}");
        }
    }

    #[test]
    fn this_process_is_here_and_its_place_is_known() {
        assert_eq!(Whereabouts::own().locality(), Locality::Here);
        assert!(Whereabouts::own().describe(7).starts_with("process 7 on "));
        let inside = Whereabouts { pid_namespace: "pid:[1]".into(), ..Whereabouts::own() };
        assert!(inside.describe(7).starts_with("process 7 in another PID namespace of "));
    }

    #[test]
    fn what_was_written_before_namespaces_were_known_is_read() {
        let old: Whereabouts = serde_json::from_str(r#"{"host":"h","boot":"b"}"#).unwrap();
        assert_eq!(old, whereabouts("h", "b", ""));
    }
}
