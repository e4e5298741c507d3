//! Output of procpool for other programs: shell completions and the manual page.

use std::fs::File;

use rustix::process::Signal;

use crate::{Folder, PROCPOOL};

#[test]
fn bash_completes_options_and_words() {
    let folder = Folder::new();
    let script = folder.command(PROCPOOL).args(["completions", "bash"]).end().exited(0).silent();
    folder.write("completion", &script.stdout);
    let complete = |typed: &str| {
        let words = typed.split(' ').count();
        let ask = format!(
            "set -e; source ./completion; COMP_WORDS=({typed}); COMP_CWORD={}; cur=${{COMP_WORDS[-1]}}
            _procpool procpool \"$cur\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words - 1
        );
        let ended = folder.command("bash").args(["-c", &ask]).end().exited(0);
        ended.text().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("procpool run --keep"), ["--keep-order"]);
    assert_eq!(complete("procpool run --on-leak k"), ["kill", "keep"]);
    assert_eq!(complete("procpool comp"), ["completions"]);
}

#[test]
fn every_shell_is_given_completions() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = folder.command(PROCPOOL).args(["completions", shell]).end().exited(0).silent();
        assert!(ended.text().contains("keep-order"), "{shell}");
    }
    folder.command(PROCPOOL).args(["completions", "csh"]).end().exited(2).said("bash, elvish, fish");
}

#[test]
fn the_manual_is_a_page_with_all_options() {
    let ended = Folder::new().command(PROCPOOL).arg("man").end().exited(0).silent();
    let page = ended.text();
    for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "MORE", "COMMANDS", "VERSION"] {
        assert!(page.lines().any(|line| line == format!(".SH {section}")), "{section}");
    }
    assert_eq!(page.lines().filter(|line| line.starts_with(".TH ")).count(), 1);
    let requests =
        [".TH", ".SH", ".SS", ".TP", ".RS", ".RE", ".PP", ".nf", ".fi", ".ie", ".el", ".br", ".sp", ".IP"];
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        assert!(requests.iter().any(|request| line.starts_with(request)), "{line}");
    }
    for text in [r"\-\-keep\-order", "Exit status:", "PROCPOOL_LIMIT"] {
        assert!(page.contains(text), "{text}");
    }
    // An option without a description would be alone between two others.
    assert!(!page.contains("\n\n.TP"), "{page}");
}

#[test]
fn a_page_that_can_not_be_written_is_no_success() {
    let folder = Folder::new();
    for words in [&["man"][..], &["completions", "bash"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        folder.command(PROCPOOL).args(words).stdout(full).end().exited(3).said("standard output");
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        drop(reader);
        folder.command(PROCPOOL).args(words).stdout(writer).end().died_of(Signal::PIPE);
    }
}
