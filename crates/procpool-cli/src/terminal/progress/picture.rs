//! Holds docs/progress.svg to what the display looks like: a test draws it and compares.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::terminal::colour::{Palette, paint};
use crate::terminal::progress::figures::RunFigures;
use crate::terminal::progress::view::{LongestJob, lines};
use crate::terminal::screen::Size;

const SIZE: Size = Size { columns: 80, rows: 24 };

/// The output above the display.
const OUTPUT: [&str; 6] = [
    "$ find shows -name '*.mkv' -print0 | procpool run -0 -j8 --tag -- ./shrink {}",
    "shows/03.mkv\t1.4G, 912M smaller",
    "shows/01.mkv\t1.1G, 640M smaller",
    "shows/07.mkv\tno such stream",
    "shows/05.mkv\t1.2G, 701M smaller",
    "shows/02.mkv\t1.3G, 744M smaller",
];

fn screen() -> String {
    let palette = Palette::coloured();
    let figures = RunFigures {
        done: 14,
        total: Some(52),
        running: 8,
        retrying: 1,
        failed: 1,
        elapsed: Duration::from_secs(251),
    };
    let longest =
        [("04", 211), ("08", 158), ("11", 96), ("12", 85), ("14", 52), ("15", 23), ("16", 7), ("17", 2)];
    let longest = longest.map(|(number, seconds)| LongestJob {
        key: format!("shows/{number}.mkv"),
        elapsed: Duration::from_secs(seconds),
    });
    let mut screen: Vec<String> = OUTPUT.iter().map(|line| line.replace('\t', "    ")).collect();
    screen.insert(4, format!("{} shows/07.mkv: exit 1, 318ms", paint(palette.bad, "FAIL")));
    // The line of the cursor.
    screen.push(String::new());
    screen.extend(lines(&figures, &longest, SIZE, &palette));
    screen.resize(SIZE.rows, String::new());
    screen.join("\n") + "\n"
}

#[test]
fn the_picture_in_the_documents_is_what_the_display_looks_like() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/progress.svg");
    let picture = anstyle_svg::Term::new().render_svg(&screen()) + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &picture).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == picture, "docs/progress.svg is out of date; BLESS=1 cargo test picture writes it");
}
