//! `--pipe`: standard input in blocks of whole records, each of which is the standard input of one job. No
//! record is lost or torn.

use std::fmt::Write as _;

use crate::terminal::Terminal;
use crate::{Folder, wait_for};

/// Lines of many lengths.
fn lines() -> String {
    (0..3000_usize).fold(String::new(), |mut text, number| {
        writeln!(text, "{number} {}", "x".repeat(number * 7 % 90)).unwrap();
        text
    })
}

#[test]
fn the_outputs_of_cat_in_order_are_the_input() {
    let folder = Folder::new();
    for text in [lines(), lines() + "without an end", "\n\n\n".to_owned(), "x".repeat(300_000)] {
        for options in ["--block 1", "--block 1k", "--block 10k -j8", ""] {
            let options = if text.len() < 10 || options != "--block 1" { options } else { "--block 100" };
            let trial = folder.run(&format!("-k --pipe {options} cat")).input(text.as_str());
            trial.end().exited(0).printed(&text).silent();
        }
    }
}

#[test]
fn every_block_begins_and_ends_where_a_record_does() {
    let script =
        "read -r number rest; echo $number; cat > block.$PROCPOOL_SEQ; tail -c 1 block.$PROCPOOL_SEQ | wc -l";
    let folder = Folder::new();
    let ended = folder.run("--pipe --block 1k sh -c").arg(script).input(lines()).end().exited(0).silent();
    let heads: Vec<u32> = ended.text().lines().map(|line| line.trim().parse().unwrap()).collect();
    assert!(heads.len() > 100, "{} lines", heads.len());
    assert!(heads.chunks(2).all(|pair| pair[1] == 1), "a block ends without a newline");
    assert!(folder.files("block.").iter().all(|file| file.metadata().unwrap().len() <= 1024));
}

#[test]
fn records_may_end_with_anything() {
    let folder = Folder::new();
    let print = "--pipe --block 3 -- sh -c";
    let script = "cat; echo '|'";
    for (end, input, expected) in [
        (";", "a;b;c", "a;|b;c|"),
        (r"\0", "a\0b\0cd\0", "a\0|b\0|cd\0|"),
        (r"\x3b\x3B", "a;;b;;", "a;;|b;;|"),
        ("é", "aéb", "aé|b|"),
        ("-n", "a-nb", "a-n|b|"),
    ] {
        let trial = folder.run("-k --records").arg(end).args(print.split(' ')).arg(script).input(input);
        trial.end().exited(0).printed(expected.replace('|', "|\n")).silent();
    }
    let ended = folder.run("-k -0").args(print.split(' ')).arg(script).input("a\0b\0").end();
    ended.exited(0).printed("a\0|\nb\0|\n");
}

#[test]
fn an_empty_input_is_no_blocks() {
    Folder::new().run("--pipe false").end().exited(0).printed("").silent();
}

#[test]
fn placeholders_name_the_block_and_values_are_refused() {
    let folder = Folder::new();
    let ended = folder.run("-k --tag --pipe --block 2 echo {#} {key}").input("a\nb\n").end();
    ended.exited(0).printed("1\t1 1\n2\t2 2\n").silent();
    for placeholder in ["{}", "{/.}"] {
        let ended = folder.run("--pipe touch a").arg(placeholder).input("a\n").end();
        ended.exited(2).said(&format!("`{placeholder}` has nothing to stand for"));
    }
    folder.run("--pipe touch a ::: b").end().exited(2).said("--pipe takes no values");
    folder.run("--pipe").input("touch a\n").end().exited(2).said("--pipe needs a command");
    folder.run("--pipe -f -").end().exited(2).said("--file");
    assert!(!folder.has("a"));
}

#[test]
fn what_is_no_size_and_no_end_is_refused() {
    let folder = Folder::new();
    for size in ["0", "-1", "1.5M", "1MB", "", "99999999999999999999"] {
        folder.run("--pipe --block").args([size, "touch", "a"]).end().exited(2).said("--block");
    }
    for end in ["", r"\q", r"\x1"] {
        folder.run("--pipe --records").args([end, "touch", "a"]).end().exited(2).said("--records");
    }
    assert!(!folder.has("a"));
}

#[test]
fn a_job_that_reads_nothing_of_its_block_breaks_nothing() {
    let ended = Folder::new().run("-k --pipe --block 1k echo {#}").input(lines()).end().exited(0).silent();
    assert!(ended.text().lines().enumerate().all(|(index, line)| line == (index + 1).to_string()));
}

#[test]
fn a_failure_has_no_line_that_runs_it_again_for_its_input_is_gone() {
    let ended = Folder::new().run("--pipe --block 1 false").input("a\nb\n").end().exited(1);
    assert!(!ended.said("2 failed").error_text().contains("again:"));
}

#[test]
fn a_dry_run_prints_a_line_for_each_block() {
    let ended = Folder::new().run("--dry-run --pipe --block 2 wc -l {#}").input("a\nb\n").end();
    ended.exited(0).printed("wc -l 1\nwc -l 2\n").silent();
}

#[test]
fn the_first_block_is_handed_on_while_the_second_is_still_to_come() {
    let mut running = Folder::new().run("-k --pipe --block 2 cat").open_input().start();
    running.write("a\nb");
    running.has_printed("a\n");
    running.end().exited(0).printed("a\nb").silent();
}

#[test]
fn who_types_blocks_is_told_so_and_a_closed_input_is_none() {
    let mut terminal = Terminal::new();
    let running = Folder::new().run("--pipe cat").stdin(terminal.device()).start();
    wait_for("the hint", || String::from_utf8_lossy(&running.stderr.heard()).contains("reading blocks"));
    terminal.press("a\n\x04");
    running.end().exited(0).printed("a\n");
    Folder::new()
        .sh("procpool run --pipe cat <&-")
        .end()
        .exited(2)
        .said("standard input: Bad file descriptor");
}

#[test]
fn what_is_for_blocks_only_is_refused_without_them() {
    let folder = Folder::new();
    for option in ["--block 3", "--records x"] {
        folder.run(option).arg("cat").end().exited(2).said("--pipe");
    }
}
