//! Where the number of a process means something: between two starts of a machine, in one PID namespace. Both have names that
//! nothing else has. A host's name is for people: it may be changed while all that runs goes on, and others may have the same.
//!
//! The same journal may be seen from a container and from outside, or from several machines. To each of them number 12 is
//! another process, so whoever reads a number asks here first.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::os::proc;

/// Where a process runs, or ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    pub host: String,
    /// Which start of the machine; empty where that was not known.
    pub(crate) boot: String,
    /// As `/proc/self/ns/pid` names it; empty where that was not known.
    #[serde(default)]
    pub(crate) pid_namespace: String,
}

/// What a number from there is to this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Locality {
    /// Of the process that has it.
    Here,
    /// Nothing, for the machine of that name was started anew, and all that ran is gone.
    Gone,
    /// Nothing, for that is another machine.
    OnAnotherMachine,
    /// Nothing, for the same machine counts otherwise there.
    InAnotherNamespace,
    /// It can't be told, and why.
    Unknown(String),
}

impl Whereabouts {
    /// Where this process runs.
    pub fn own() -> Whereabouts {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Whereabouts {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            boot: boot.trim().to_owned(),
            pid_namespace: namespace.to_string_lossy().into_owned(),
        }
    }

    /// What numbers from there are here.
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
            // This machine before its last start, or another one. Here it has no processes, whichever it is; what is said of them
            // goes by the name that people know it by.
            (false, _) if self.host == own.host => Locality::Gone,
            (false, _) => Locality::OnAnotherMachine,
        }
    }

    /// Why what is noted here is of no use to who comes later, if it isn't.
    pub fn lack(&self) -> Option<String> {
        if let Err(distrust) = proc::trust() {
            return Some(distrust.to_string());
        }
        let is_known = !self.boot.is_empty() && !self.pid_namespace.is_empty();
        (!is_known)
            .then(|| "/proc hides which start of the machine this is, or which PID namespace".to_owned())
    }

    /// A process there, as people are told of it.
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
        // It has another name by now.
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
