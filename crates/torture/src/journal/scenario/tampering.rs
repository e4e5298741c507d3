//! What is done to a journal by others than procpool: by hand between two runs, by a job, by another user.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use rand::rngs::StdRng;

/// A way to tamper with a journal.
#[derive(Clone, Debug)]
pub(crate) enum Tampering {
    /// A file of the journal is damaged or replaced.
    FileDamage(FileDamage, &'static str),
    /// A list gets other commands, with correct checksums.
    Forge,
    ByAnother(OtherUser),
}

/// What is done to a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FileDamage {
    /// Cut to this many thousandths of its length.
    Cut(u32),
    Empty,
    Append,
    /// One byte is changed, after this many thousandths.
    Flip(u32),
    Remove,
    /// Replaced by a symbolic link to it.
    Link,
    /// Replaced by a copy of it.
    Copy,
}

/// What another user owns, may write, or does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OtherUser {
    HasFolder,
    HasFile(&'static str),
    MayWrite(&'static str),
    /// The list is one of his, with his commands.
    PutsList,
    /// The journal's folder is replaced by one of his.
    PutsFolder,
    /// He replaces the folder again and again while procpool runs.
    Races,
}

/// The files of a journal, as patterns for a shell.
const FILES: [&str; 7] = [
    "journal.jsonl",
    "outputs",
    "list-*.jsonl",
    "printed-*[0-9]",
    "printed-*.rows",
    "printed-*.shape",
    "running",
];

const OTHER: &str = "65534";

/// The file that a foreign command would create.
pub(crate) const FOREIGN: &str = "foreign";

impl Tampering {
    /// Whether records may be lost by it.
    pub(crate) fn takes_records(&self) -> bool {
        matches!(self, Tampering::FileDamage(FileDamage::Cut(_) | FileDamage::Empty, "journal.jsonl"))
    }

    /// Tampering that the user who runs procpool can do.
    pub(crate) fn by_hand(random: &mut StdRng) -> Tampering {
        let touch = match random.random_range(0..8) {
            0 | 1 => FileDamage::Cut(random.random_range(0..1000)),
            2 => FileDamage::Empty,
            3 => FileDamage::Append,
            4 => FileDamage::Flip(random.random_range(0..1000)),
            5 => FileDamage::Remove,
            6 => FileDamage::Link,
            _ => FileDamage::Copy,
        };
        if random.random_bool(0.05) {
            return Tampering::Forge;
        }
        let file = FILES[random.random_range(0..FILES.len())];
        // The file that counts printed bytes has no checksum, and a copy of it may be out of date.
        match touch {
            FileDamage::Flip(_) | FileDamage::Copy if file.starts_with("printed") => {
                Tampering::FileDamage(FileDamage::Remove, "printed-*[0-9]")
            }
            _ => Tampering::FileDamage(touch, file),
        }
    }

    /// Tampering by a job. procpool checks the file that counts printed bytes every fifth of a second, too
    /// late for a run that is killed before.
    pub(crate) fn by_job(random: &mut StdRng) -> Tampering {
        match Tampering::by_hand(random) {
            Tampering::FileDamage(touch, file) if !file.starts_with("printed") => {
                Tampering::FileDamage(touch, file)
            }
            _ => Tampering::FileDamage(FileDamage::Append, FILES[0]),
        }
    }

    pub(crate) fn by_another_user(random: &mut StdRng) -> Tampering {
        let file = FILES[random.random_range(0..FILES.len())];
        Tampering::ByAnother(match random.random_range(0..6) {
            0 => OtherUser::HasFolder,
            1 => OtherUser::HasFile(file),
            2 => OtherUser::MayWrite(file),
            3 => OtherUser::PutsList,
            4 => OtherUser::PutsFolder,
            _ => OtherUser::Races,
        })
    }

    /// The tampering as a script for `sh`, for the folder that contains `journal`. It does nothing where
    /// the file does not exist.
    pub(crate) fn script(&self) -> String {
        match self {
            Tampering::FileDamage(touch, file) => {
                format!("for f in journal/{file}; do [ -e \"$f\" ] || continue; {}; done", touch.script())
            }
            Tampering::Forge => String::from(":"),
            Tampering::ByAnother(trick) => trick.script(),
        }
    }

    /// Applies it. Returns the process that goes on with it, if there is one.
    pub(crate) fn apply(&self, folder: &Path) -> Result<Option<Child>> {
        match self {
            Tampering::Forge => forge(&folder.join("journal"))?,
            Tampering::ByAnother(OtherUser::PutsList) => {
                forge(&folder.join("journal"))?;
            }
            Tampering::ByAnother(OtherUser::PutsFolder | OtherUser::Races) => {
                fs::set_permissions(folder, Permissions::from_mode(0o777))?;
                shell(folder, "cp -rp journal forged")?;
                forge(&folder.join("forged"))?;
                shell(folder, &format!("chown -R {OTHER} forged"))?;
            }
            Tampering::FileDamage(..) | Tampering::ByAnother(_) => {}
        }
        shell(folder, &self.script())?;
        if !matches!(self, Tampering::ByAnother(OtherUser::Races)) {
            return Ok(None);
        }
        let race = "while [ ! -e over ]; do mv -T journal own && mv -T forged journal; mv -T journal forged; \
                    mv -T own journal; done 2> /dev/null";
        let mut racer = Command::new("setpriv");
        racer.args(["--reuid", OTHER, "--regid", OTHER, "--clear-groups", "sh", "-c", race]);
        racer.current_dir(folder).stdin(Stdio::null());
        Ok(Some(racer.spawn().context("no racer")?))
    }

    /// Undoes what another user has done.
    pub(crate) fn take_back(&self, folder: &Path, racer: Option<Child>) -> Result<()> {
        if let Some(mut racer) = racer {
            fs::write(folder.join("over"), "")?;
            racer.wait()?;
            // The process was killed between two renames.
            return shell(
                folder,
                "[ ! -e own ] || { rm -rf journal; mv -T own journal; }; rm -rf forged over",
            );
        }
        match self {
            Tampering::ByAnother(OtherUser::PutsFolder) => shell(folder, "rm -rf journal && mv own journal"),
            Tampering::ByAnother(OtherUser::PutsList) => shell(
                folder,
                "for f in *.kept; do cp \"$f\" journal/${f%.kept}; done; chown -R $(id -u) journal",
            ),
            Tampering::ByAnother(_) => shell(folder, "chown -R $(id -u) journal; chmod -R go-rwx journal"),
            _ => Ok(()),
        }
    }
}

impl FileDamage {
    fn script(self) -> String {
        match self {
            FileDamage::Cut(parts) => format!("truncate -s $(($(wc -c < \"$f\") * {parts} / 1000)) \"$f\""),
            FileDamage::Empty => ": > \"$f\"".into(),
            FileDamage::Append => "echo more >> \"$f\"".into(),
            FileDamage::Flip(parts) => format!(
                "printf Z | dd of=\"$f\" bs=1 seek=$(($(wc -c < \"$f\") * {parts} / 1000)) conv=notrunc status=none"
            ),
            FileDamage::Remove => "rm \"$f\"".into(),
            FileDamage::Link => "mv \"$f\" kept; ln -s ../kept \"$f\"".into(),
            FileDamage::Copy => "cp -p \"$f\" copy; mv copy \"$f\"".into(),
        }
    }
}

impl OtherUser {
    fn script(self) -> String {
        match self {
            OtherUser::HasFolder => format!("chown {OTHER} journal"),
            OtherUser::HasFile(file) => {
                format!("chown {OTHER} journal/{file} 2> /dev/null || chown {OTHER} journal")
            }
            OtherUser::MayWrite(file) => {
                format!("chmod 666 journal/{file} 2> /dev/null || chmod 777 journal")
            }
            OtherUser::PutsList => format!("chown {OTHER} journal/list-*.jsonl || chown {OTHER} journal"),
            OtherUser::PutsFolder => "mv journal own && mv forged journal".into(),
            OtherUser::Races => String::from(":"),
        }
    }
}

fn shell(folder: &Path, script: &str) -> Result<()> {
    let status = Command::new("sh").args(["-c", script]).current_dir(folder).stdin(Stdio::null()).status()?;
    ensure!(status.success(), "`{script}`: {status}");
    Ok(())
}

/// Gives each job of a list a command that creates a file, with correct checksums. A copy of the list is
/// kept beside the folder.
fn forge(journal: &Path) -> Result<()> {
    let folder = journal.parent().context("BUG: a journal in no folder")?;
    for entry in fs::read_dir(journal).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("list-") {
            continue;
        }
        let list = fs::read_to_string(entry.path())?;
        fs::write(folder.join(format!("{name}.kept")), &list)?;
        let command = format!("\"command\":[\"touch\",{:?}]", folder.join(FOREIGN));
        let forged = list.lines().map(|line| forged(line, &command));
        fs::write(entry.path(), forged.collect::<String>())?;
    }
    Ok(())
}

fn forged(line: &str, command: &str) -> String {
    let changed = line.find("\"command\":[").and_then(|start| {
        let end = start + line[start..].find(']')? + 1;
        Some(format!("{}{command}{}", &line[..start], &line[end..]))
    });
    let line = changed.unwrap_or_else(|| line.to_owned());
    let fields = line.get(28..).unwrap_or_default();
    format!("{{\"check\":\"{:08x}{:08x}\",{fields}\n", line.len(), crc32fast::hash(fields.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forged_line_has_its_length_and_its_sum() {
        let line = forged("{\"check\":\"0000002294da56a3\",\"a\":1}", "x");
        assert_eq!(line, "{\"check\":\"0000002294da56a3\",\"a\":1}\n");
        let line = forged("{\"check\":\"0000002294da56a3\",\"command\":[\"a\"],\"b\":1}", "\"command\":[]");
        assert_eq!(line.split_once(',').map(|(_, fields)| fields), Some("\"command\":[],\"b\":1}\n"));
    }
}
