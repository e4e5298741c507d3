//! A running virtual machine: qemu with an emulated processor, so that this machine need not support
//! virtualization. It is killed on drop, and with this process however that ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result};

/// What a machine is started from.
pub(crate) struct Boot<'a> {
    pub(crate) image: &'a Path,
    pub(crate) archive: &'a [u8],
    /// Images of its disks, `/dev/vda` first.
    pub(crate) disks: &'a [PathBuf],
    /// The archive as a file, which is removed with the machine.
    pub(crate) scratch: PathBuf,
}

/// A running machine.
pub(crate) struct Machine {
    qemu: Child,
    lines: Receiver<String>,
    begun: Instant,
    scratch: PathBuf,
}

/// The result of waiting for a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConsoleEvent {
    Line(String),
    /// The machine has ended.
    Silence,
    /// The deadline has passed.
    Late,
}

impl Machine {
    pub(crate) fn start(boot: Boot) -> Result<Machine> {
        fs::write(&boot.scratch, boot.archive).context("no room for a machine's files")?;
        // A machine must not outlive this process, which can be killed without a handler.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max"]);
        command.args(["-machine", "pc", "-smp", "1", "-m", "512", "-nodefaults", "-no-user-config"]);
        command.args(["-display", "none", "-serial", "stdio", "-no-reboot"]);
        command.args([
            "-append",
            "console=ttyS0 quiet loglevel=1 panic=-1 nokaslr mitigations=off no_timer_check",
        ]);
        command.arg("-kernel").arg(boot.image).arg("-initrd").arg(&boot.scratch);
        for disk in boot.disks {
            // A write reaches the host before the machine is told that it is done.
            let drive = format!("file={},format=raw,if=virtio,cache=writethrough", disk.display());
            command.arg("-drive").arg(drive);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let begun = Instant::now();
        let mut qemu = command.spawn().context("can't start qemu")?;
        let console = qemu.stdout.take().context("BUG: a machine without a console")?;
        let (sender, lines) = channel();
        thread::spawn(move || pass_lines(BufReader::new(console), &sender));
        Ok(Machine { qemu, lines, begun, scratch: boot.scratch })
    }

    /// When it was started.
    pub(crate) fn begun(&self) -> Instant {
        self.begun
    }

    /// Waits for the next line on its console until `moment`.
    pub(crate) fn hear(&self, moment: Instant) -> ConsoleEvent {
        match self.lines.recv_timeout(moment.saturating_duration_since(Instant::now())) {
            Ok(line) => ConsoleEvent::Line(line),
            Err(RecvTimeoutError::Timeout) => ConsoleEvent::Late,
            Err(RecvTimeoutError::Disconnected) => ConsoleEvent::Silence,
        }
    }

    /// Cuts its power. Returns the lines that it had written and that nobody has read yet.
    pub(crate) fn cut(mut self) -> Result<Vec<String>> {
        self.qemu.kill().context("can't cut a machine's power")?;
        self.qemu.wait().context("can't see a machine end")?;
        Ok(self.lines.iter().collect())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        let _ = fs::remove_file(&self.scratch);
    }
}

fn pass_lines(mut console: impl BufRead, lines: &Sender<String>) {
    let mut line = Vec::new();
    while console.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        // A line that was cut off doesn't count.
        if line.ends_with(b"\n") {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            if lines.send(text).is_err() {
                return;
            }
        }
        line.clear();
    }
}
