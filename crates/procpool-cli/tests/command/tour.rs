//! docs/tour.md shows real output: its commands are run in one folder, and the whole page is compared with
//! what they print. `SNAPSHOTS=overwrite` rewrites the page.

use snapbox::{Assert, file};

use crate::Folder;

const TOUR: &str = include_str!("../../../../docs/tour.md");

/// The page, with the current output of its commands.
fn played() -> String {
    let folder = Folder::new();
    let (mut page, mut in_console, mut status) = (String::new(), false, 0);
    for line in TOUR.lines() {
        in_console = if line.starts_with("```") { line == "```console" } else { in_console };
        let command = line.strip_prefix("$ ").filter(|_| in_console);
        // The old output is not copied.
        if in_console && command.is_none() && line != "```console" {
            continue;
        }
        page.push_str(line);
        page.push('\n');
        if let Some(command) = command {
            let ended = folder.sh(&format!("exec 2>&1\n(exit {status})\n{command}")).end();
            status = ended.status.code().unwrap();
            page.push_str(ended.text());
        }
    }
    page
}

#[test]
fn the_tour_shows_what_one_sees() {
    assert!(TOUR.matches("procpool run ").count() >= 12);
    let assert = Assert::new().action_env("SNAPSHOTS").normalize_paths(false);
    assert.eq(played(), file!["../../../../docs/tour.md"]);
}
