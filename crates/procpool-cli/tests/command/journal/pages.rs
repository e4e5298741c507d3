//! An output that is cut off after each of its pages while it is printed to a file, a pipe or a terminal, in
//! each mode, and then resumed.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;

use rustix::io::ioctl_fionread;
use rustix::process::Signal;
use sleeper::needs;

use crate::faults::tracing::strace;
use crate::journal::cut::{Tap, sleeps};
use crate::journal::killed;
use crate::terminal::pair;
use crate::{Folder, PROCPOOL, Trial, wait_for};

const PAGE: usize = 4096;

/// More pages than a terminal holds while nobody reads.
const PAGES: usize = 40;

/// The mode of output, the label of its lines, and the job's command. It writes lines, or one line without a
/// newline, which in the mode `lines` is printed only when the job has ended and is recorded.
const WAYS: [(&str, &str, &str); 6] = [
    ("", "", "seq -f %09g 16384"),
    ("--tag-with x", "x\t", "seq -f %09g 16384"),
    ("-k", "", "seq -f %09g 16384"),
    ("-k --tag-with x", "x\t", "seq -f %09g 16384"),
    ("--output lines", "", "head -c 163839 /dev/zero | tr '\\0' y"),
    ("--output lines --tag-with x", "x\t", "head -c 163839 /dev/zero | tr '\\0' y"),
];

/// The complete output.
fn whole(label: &str, script: &str) -> String {
    if script.starts_with("head") {
        return format!("{label}{}\n", "y".repeat(PAGES * PAGE - 1));
    }
    let line = |number: usize| [label, &format!("{number:09}\n")].concat();
    (1..=PAGES * PAGE / 10).map(line).collect()
}

fn run(folder: &Folder, options: &str, script: &str) -> Trial {
    folder.record(&format!("{options} sh -c")).args([script, "sh", ":::", "x"])
}

#[test]
fn cut_at_each_page_of_a_file_it_is_there_once() {
    needs!(Strace);
    for (options, label, script) in WAYS {
        let folder = Folder::new();
        let whole = whole(label, script);
        let out = folder.file("out");
        let append = || File::options().append(true).create(true).open(&out).unwrap();
        // Killed at its first write to the file. A write that a kill interrupts ends on a page boundary.
        let path = out.to_str().unwrap();
        let injection =
            ["-b", "execve", "-P", path, "-e", "trace=write", "-e", "inject=write:signal=KILL:when=1"];
        let words = format!("run --journal J {options} sh -c");
        File::create(&out).unwrap();
        let traced = strace(&folder, &injection)
            .arg(PROCPOOL)
            .args(words.split_whitespace())
            .args([script, "sh", ":::", "x"]);
        traced.stdout(append()).end().died_of(Signal::KILL);
        folder.sh("cp -rp J kept").end().exited(0);
        let log = folder.read("log");
        // `write(1, "…"..., 65536) = ?`, or `<unfinished ...>` if another thread's end is logged in between.
        let number = |line: &str| line.rsplit_once("\"..., ")?.1.split([')', ' ']).next()?.parse().ok();
        let asked = log.lines().find_map(number);
        let asked: usize = asked.unwrap_or_else(|| panic!("{options}: {log}"));
        for page in 0..=asked.div_ceil(PAGE) {
            folder.sh("rm -r J && cp -rp kept J").end().exited(0);
            let there = &whole.as_bytes()[..(page * PAGE).min(asked)];
            let file = File::options().write(true).open(&out).unwrap();
            file.set_len(0).unwrap();
            file.write_all_at(there, 0).unwrap();
            folder.resume("").stdout(append()).end().exited(0);
            assert!(fs::read_to_string(&out).unwrap() == whole, "{options}: {page} pages of {asked} bytes");
        }
    }
}

#[test]
fn cut_at_each_page_of_a_pipe_it_comes_once() {
    for (options, label, script) in WAYS {
        let whole = whole(label, script);
        for page in 0..10 {
            let folder = Folder::new();
            let mut tap = Tap::of_a_page(|pipe| run(&folder, options, script).stdout(pipe));
            tap.read((page * PAGE) as u64);
            tap.is_full();
            let part = tap.kill();
            let rest = folder.resume("").end().exited(0).text().to_owned();
            assert!(
                part.clone() + &rest == whole,
                "{options}: {page} pages, {} and {}",
                part.len(),
                rest.len()
            );
        }
    }
}

#[test]
fn cut_at_a_page_of_a_terminal_one_piece_at_most_comes_twice() {
    for (options, label, script) in WAYS {
        let whole = whole(label, script);
        for page in [0, 1, 4, 7] {
            let folder = Folder::new();
            let (mut person, device) = pair();
            let trial = run(&folder, &format!("--progress none {options}"), script);
            let running = trial.stdout(device.try_clone().unwrap()).start();
            let mut part = vec![0; page * PAGE];
            person.read_exact(&mut part).unwrap();
            let pool = running.pool();
            // A reader sees no more than a page of what the terminal holds.
            let is_full = || ioctl_fionread(&person).unwrap() > PAGE as u64 / 2;
            wait_for("the terminal to be full", || (0..3).all(|_| sleeps(&pool) && is_full()));
            killed(running);
            drop(device);
            // Reading ends with an error once the other side is closed.
            let _ = person.read_to_end(&mut part);
            let part = String::from_utf8(part).unwrap().replace('\r', "");
            let rest = folder.resume("").end().exited(0).text().to_owned();
            let is_whole =
                |twice: usize| part.ends_with(&rest[..twice]) && [&part, &rest[twice..]].concat() == whole;
            assert!((0..=PAGE).any(is_whole), "{options}: {page} pages, {} and {}", part.len(), rest.len());
        }
    }
}
