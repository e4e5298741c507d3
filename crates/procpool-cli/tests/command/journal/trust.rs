//! Only journals and records of one's own are trusted. Two real users share a folder here, one of whom tries
//! to make the other run something, or to read what he runs.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use sleeper::needs;

use crate::{Folder, Trial};

/// A user id that nobody has on this machine.
const OTHER: &str = "61238";

/// The secret that nobody else may read.
const SECRET: &str = "--env PASSWORD=hunter2";

impl Folder {
    /// A folder in which anybody may create files.
    fn shared() -> Folder {
        let folder = Folder::new();
        fs::set_permissions(folder.file("."), Permissions::from_mode(0o777)).unwrap();
        folder
    }

    /// Runs a script there as another user.
    fn other(&self, script: &str) -> Trial {
        let user = ["--reuid", OTHER, "--regid", OTHER, "--clear-groups", "sh", "-c", script];
        self.command("setpriv").args(user)
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.file(name), Permissions::from_mode(mode)).unwrap();
    }

    /// Whether the secret is in a file that the other user can read.
    fn is_betrayed(&self) -> bool {
        let ended = self.other("grep -rsl hunter2 .").end();
        !ended.stdout.is_empty()
    }
}

#[test]
fn a_folder_that_somebody_else_has_made_is_refused_by_his_name_and_nothing_is_written_there() {
    needs!(Root);
    for mode in ["777", "755", "1777"] {
        let folder = Folder::shared();
        let made = format!("umask 0; mkdir J; : > J/list-1.jsonl; chmod {mode} J");
        folder.other(&made).end().exited(0);
        let ended = folder.record(&format!("{SECRET} touch began")).end().exited(2).printed("");
        ended
            .said("--journal \"J\": the folder belongs to user 61238, who could change what is run from it")
            .said("name a folder of your own");
        assert!(!folder.has("began") && !folder.is_betrayed());
        assert_eq!(folder.read("J/list-1.jsonl"), "");
        assert_eq!(fs::read_dir(folder.file("J")).unwrap().count(), 1, "mode {mode}");
        folder.resume("").end().exited(2).said("belongs to user 61238");
    }
}

#[test]
fn a_folder_of_ones_own_that_others_may_write_to_is_refused_with_what_closes_it() {
    let folder = Folder::new();
    fs::create_dir(folder.file("J")).unwrap();
    for mode in [0o777, 0o722, 0o1777] {
        folder.chmod("J", mode);
        let ended = folder.record("touch began").end().exited(2);
        ended.said(&format!("may be written to by others (mode {mode:04o})")).said("close it: `chmod go-w ");
    }
    assert!(!folder.has("began") && fs::read_dir(folder.file("J")).unwrap().next().is_none());
    // Who counts as "others" depends on the umask.
    folder.chmod("J", 0o775);
    let run = |umask: &str| folder.sh(&format!("umask {umask}; procpool run --journal J true ::: a")).end();
    run("022").exited(2).said("(mode 0775)");
    run("002").exited(0);
    folder.sh("umask 022; procpool resume J").end().exited(2).said("(mode 0775)");
    folder.sh("umask 022; chmod go-w J; procpool resume J").end().exited(0);
}

#[test]
fn a_file_that_others_may_have_written_is_read_to_tell_of_it_and_nothing_is_run_by_it() {
    let folder = Folder::new();
    folder.record("sh -c").args(["[ -e go ] && touch again", "sh", ":::", "a"]).end().exited(1);
    folder.write("go", "");
    for name in ["running", "journal.jsonl", "list-1.jsonl", "printed-1", "outputs"] {
        let name = format!("J/{name}");
        folder.chmod(&name, 0o606);
        let said = folder.resume("").end().exited(2).printed("").error_text();
        assert!(said.contains(&format!("{name}\": it may be written to by others (mode 0606)")), "{said}");
        assert!(said.contains("`chmod go-w ") && !folder.has("again"), "{said}");
        folder.sh("procpool ls J && procpool export J --format csv && procpool show J a").end().exited(0);
        folder.chmod(&name, 0o600);
    }
    folder.resume("").end().exited(0);
    assert!(folder.has("again"));
}

#[test]
fn what_somebody_else_has_put_in_ones_folder_is_refused_and_told_of_to_who_only_looks() {
    needs!(Root);
    let folder = Folder::shared();
    folder.record("false").args([":::", "a"]).end().exited(1);
    for name in ["J/running", "J/journal.jsonl", "J/list-1.jsonl"] {
        let own = fs::read(folder.file(name)).unwrap();
        folder.sh(&format!("chown {OTHER} {name}")).end().exited(0);
        folder.resume("").end().exited(2).said(&format!("{name}\": it belongs to user 61238"));
        folder.sh("procpool ls J && procpool show J a").end().exited(0);
        fs::remove_file(folder.file(name)).unwrap();
        fs::write(folder.file(name), own).unwrap();
    }
    folder.resume("").end().exited(1);
    // A colleague's journal can be read, if its modes allow that, but not resumed.
    folder.sh(&format!("chown -R {OTHER} J")).end().exited(0);
    folder.sh("procpool ls J && procpool show J a && procpool export J --format jsonl").end().exited(0);
    folder.resume("").end().exited(2).said("J\": the folder belongs to user 61238");
}

#[test]
fn a_forged_record_of_who_runs_has_nobody_killed() {
    needs!(Root);
    let folder = Folder::shared();
    folder.record("true ::: a").end().exited(0);
    // A process of a third user, with a mark in its environment that anybody could guess.
    let third = ["--reuid", "61239", "--clear-groups", "sleep", "86400"];
    let mut bystander = folder.command("setpriv").args(third).env("PROCPOOL_WITHIN", "his-run:1:1").start();
    let said = folder.read("J/running");
    let line = said.split('\n').next().unwrap();
    let begin = line.find("\"run\":\"").unwrap() + 7;
    let end = begin + line[begin..].find('"').unwrap();
    folder.write("forged", format!("{}his-run{}\n", &line[..begin], &line[end..]));
    folder.chmod("forged", 0o644);
    folder.sh("mv J/running kept").end().exited(0);
    folder.chmod("J", 0o777);
    folder.other("cat forged > J/running").end().exited(0);
    folder.chmod("J", 0o700);
    folder.resume("").end().exited(2).said("J/running\": it belongs to user 61238");
    assert!(bystander.child.try_wait().unwrap().is_none(), "it was killed");
}

#[test]
fn a_link_of_somebody_else_leads_nowhere_and_ones_own_where_it_should() {
    needs!(Root);
    let folder = Folder::shared();
    fs::create_dir(folder.file("own")).unwrap();
    folder.other("ln -s own J").end().exited(0);
    folder.record("true ::: a").end().exited(2).said("the link belongs to user 61238");
    assert!(fs::read_dir(folder.file("own")).unwrap().next().is_none());
    folder.sh("rm J; ln -s own J; ln -s . parent").end().exited(0);
    folder.run("--journal parent/J true ::: a").end().exited(0);
    folder.resume("").end().exited(0).said("1 succeeded");
    // A link in place of a file, inside of a folder of our own.
    let list = folder.file("own/list-1.jsonl");
    folder.sh("mv own/list-1.jsonl kept").end().exited(0);
    symlink("../kept", list).unwrap();
    folder.resume("").end().exited(2).said("list-1.jsonl\": it is a link");
}

#[test]
fn whoever_is_faster_learns_nothing_and_has_nothing_run() {
    needs!(Root);
    let folder = Folder::shared();
    // Creates and removes the folder and the files in it as fast as possible.
    let race = "umask 0; while [ ! -e over ]; do
            mkdir J && : > J/list-1.jsonl; mv J $$ && rm -r $$; ln -s own J; rm -f J; mv J stolen.$((n += 1))
        done 2> /dev/null; :";
    fs::create_dir(folder.file("own")).unwrap();
    let racer = folder.other(race).start();
    for _ in 0..40 {
        let ended = folder.record(&format!("{SECRET} true ::: a b")).end();
        assert!(matches!(ended.status.code(), Some(0 | 2 | 3)), "{}", ended.describe());
        assert!(!folder.is_betrayed());
    }
    folder.write("over", "");
    racer.end().exited(0);
    for stolen in folder.files("stolen.") {
        let data = fs::symlink_metadata(&stolen).unwrap();
        assert!(data.uid() != 0 || data.mode() % 0o100 == 0, "{stolen:?}");
    }
}

#[test]
fn a_root_in_somebody_elses_folder_and_a_journal_below_the_temporary_one_are_good() {
    needs!(Root);
    let folder = Folder::new();
    folder.sh(&format!("chown {OTHER} . && mkdir sticky && chmod 1777 sticky")).end().exited(0);
    for journal in ["J", "sticky/J"] {
        folder.run(&format!("--journal {journal} true ::: a")).end().exited(0).silent();
        folder.command(crate::PROCPOOL).args(["resume", journal]).end().exited(0);
    }
}

#[test]
fn a_record_is_not_written_to_what_somebody_else_has_put_there() {
    needs!(Root);
    let folder = Folder::shared();
    folder.write("mine", "mine\n");
    folder.other("umask 0; : > file; mkfifo pipe; ln -s mine link; ln -s new hanging").end().exited(0);
    for option in ["--joblog", "--events"] {
        for (name, says) in [("file", "it belongs to user 61238"), ("link", "the link belongs to user 61238")]
        {
            let ended = folder.run(&format!("{SECRET} {option} {name} true ::: a")).end().exited(2);
            ended.said(&format!("{option} \"{name}\": can't be written")).said(says);
        }
        folder.run(&format!("{option} hanging true ::: a")).end().exited(2);
    }
    folder.run("--junit link true ::: a").end().exited(2).said("the link belongs to user 61238");
    assert_eq!((&*folder.read("mine"), &*folder.read("file")), ("mine\n", ""));
    assert!(!folder.has("new") && !folder.is_betrayed());
    // The pipe has a reader, so that it opens at once.
    let reader = folder.other("exec cat pipe > /dev/null").start();
    folder.run("--joblog pipe true ::: a").end().exited(2).said("it belongs to user 61238");
    reader.end().exited(0);
    // A descriptor that procpool was started with is allowed, and so is a link of one's own.
    folder.sh("procpool run --joblog /dev/fd/3 true ::: a 3>> file").end().exited(0);
    assert!(folder.read("file").starts_with("Seq\t"));
    folder.sh("ln -s mine own; ln -s made target").end().exited(0);
    folder.run("--joblog own --events target true ::: a").end().exited(0);
    assert!(folder.read("mine").starts_with("Seq\t") && folder.has("made"));
}

#[test]
fn results_are_not_put_where_anybody_may_replace_them() {
    needs!(Root);
    let folder = Folder::shared();
    folder.other("umask 0; mkdir open; mkdir -m 1777 planted").end().exited(0);
    folder.sh("mkdir -m 1777 sticky; mkdir -m 775 team").end().exited(0);
    for name in ["open", "planted"] {
        let ended = folder.run(&format!("--results {name} true ::: a")).end().exited(2);
        ended.said(&format!("--results \"{name}\": ")).said("may be written to by others");
        assert!(fs::read_dir(folder.file(name)).unwrap().next().is_none());
    }
    for name in ["sticky", "team", "made"] {
        folder.run(&format!("--results {name} true ::: a")).end().exited(0);
    }
}
