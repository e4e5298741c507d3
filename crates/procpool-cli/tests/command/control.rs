//! Control sequences in the output of jobs can't harm a terminal, and an output that goes elsewhere keeps
//! every byte.

use crate::Folder;
use crate::terminal::Terminal;

/// A text with everything that a hostile or careless job may write, in colour.
const NASTY: &str = "\x1b[31mred\x1b[0m \
    \x1b[2J\x1b[H\x1b[?1049h\x1b[>4;2m\
    \x1b]0;title\x07\x1b]52;c;cm0gLXJmIH4=\x1b\\\x1b]8;;http://example.com\x07\
    \x1bP+q544e\x1b\\\x1b_Gi=1;AAAA\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\\
    \x1b[c\x1b[6n\x05\
    \x0e\x1b(0\x1bc\x07\0\x7f\u{9b}\
    \x1b[38:2::1:2:3mü\u{20ac}\x1b[m\ttab\n";

/// What remains of it on a terminal.
const TAMED: &str = "\x1b[31mred\x1b[0m \x1b[38:2::1:2:3mü\u{20ac}\x1b[m\ttab\n";

/// All output of the jobs on the terminal.
#[track_caller]
fn output_on(terminal: &Terminal) -> String {
    terminal.shows("procpool: ");
    terminal.text().split_once("procpool: ").unwrap().0.to_owned()
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("nasty", NASTY).write("job", "cat nasty; cat nasty >&2");
    folder
}

#[test]
fn a_terminal_gets_the_colours_and_no_other_control() {
    let terminal = Terminal::new();
    terminal.run(&folder(), "sh {} ::: job").end().exited(0);
    assert_eq!(output_on(&terminal), format!("{TAMED}{TAMED}"));
}

#[test]
fn with_raw_control_a_terminal_gets_all() {
    let terminal = Terminal::new();
    terminal.run(&folder(), "--raw-control sh {} ::: job").end().exited(0);
    assert_eq!(output_on(&terminal), format!("{NASTY}{NASTY}"));
}

#[test]
fn a_pipe_and_a_file_get_every_byte_also_beside_a_terminal() {
    let folder = folder();
    let ended = folder.run("sh {} ::: job").end().exited(0).printed(NASTY);
    assert_eq!(ended.error_text(), NASTY);

    let terminal = Terminal::new();
    let beside = folder.run("sh {} ::: job").stderr(terminal.device()).end();
    beside.exited(0).printed(NASTY);
    assert_eq!(output_on(&terminal), TAMED);

    let terminal = Terminal::new();
    let file = std::fs::File::create(folder.file("errors")).unwrap();
    folder.run("sh {} ::: job").stdout(terminal.device()).stderr(file).end().exited(0);
    terminal.shows("tab\n");
    assert_eq!((terminal.text().as_str(), folder.read("errors").as_str()), (TAMED, NASTY));
}

#[test]
fn what_a_job_leaves_open_does_not_reach_the_next() {
    let folder = Folder::new();
    folder.write("colour", "\x1b[1;44mblue").write("title", "a\x1b]0;").write("plain", "plain\n");
    let terminal = Terminal::new();
    terminal.run(&folder, "-k cat {} ::: colour plain title plain").end().exited(0);
    assert_eq!(output_on(&terminal), "\x1b[1;44mblue\x1b[0mplain\naplain\n");
}

#[test]
fn a_tag_is_in_no_colour_and_controls_nothing() {
    let folder = Folder::new();
    folder.write("a\u{9b}\x1b[2J", "\x1b[31mone\ntwo\x1b[H\n\x1b[0m").write("b", "\x1b[32mthree");
    let terminal = Terminal::new();
    terminal.run(&folder, "-k --tag cat {} :::").args(["a\u{9b}\x1b[2J", "b"]).end().exited(0);
    let key = "a\\u{9b}\\u{1b}[2J";
    let expected = format!("{key}\t\x1b[31mone\x1b[0m\n{key}\t\x1b[31mtwo\x1b[0m\nb\t\x1b[32mthree\x1b[0m\n");
    assert_eq!(output_on(&terminal), expected);
}
