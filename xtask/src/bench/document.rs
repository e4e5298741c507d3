//! Writes the figures into docs/benchmarks.md, between two marks, and leaves the rest of the page as it is.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use crate::bench::machine::MachineInfo;
use crate::bench::record::Record;
use crate::bench::table;

const BEGIN: &str = "<!-- written by `cargo xtask bench` from here -->";
const END: &str = "<!-- to here -->";
const NEW_PAGE: &str = "# Benchmarks\n\n";

/// The page with `part` between its marks, or a new page.
pub(crate) fn replace(page: Option<&str>, part: &str) -> Result<String> {
    let part = format!("{BEGIN}\n\n{part}\n{END}");
    let Some(page) = page else {
        return Ok(format!("{NEW_PAGE}{part}\n"));
    };
    let marks = page.find(BEGIN).zip(page.find(END).map(|end| end + END.len()));
    match marks {
        Some((begin, end)) if begin < end => Ok([&page[..begin], &part, &page[end..]].concat()),
        _ => {
            bail!("docs/benchmarks.md has not the two lines `{BEGIN}` and `{END}`, between which figures go")
        }
    }
}

/// The part of the page that is written.
pub(crate) fn part(machine: &MachineInfo, records: &[Record], rounds: usize) -> String {
    let mut part = String::from("## Figures\n\n");
    part += &described(machine);
    let _ = write!(
        part,
        "\nEach program of a case runs once a round, in alternation, {rounds} rounds after one to warm up in which what \
         the jobs print is compared with what they should. A ratio is made within one round; the median is held \
         against the goal. Memory is in units of 10^6 bytes.\n\n"
    );
    part += &table::as_markdown(records);
    let _ = write!(part, "\n{}.\n", table::last_line(records));
    part += &notes(records);
    part += "\n## How to measure it again\n\n`cargo xtask bench` measures all of it and writes this part; \
             `cargo xtask bench --only CASE` one case, without writing.\n\
             These are the lines that it runs, in a folder with the small programs that are built for it \
             (`xtask/src/bench/c`), and the median time that each took here.\n";
    part + &lines(records)
}

/// The machine and the versions, as a list.
pub(crate) fn described(machine: &MachineInfo) -> String {
    let MachineInfo {
        processors,
        model,
        memory_gigabytes,
        kernel,
        load,
        procpool,
        peers,
    } = machine;
    let mut text = format!(
        "- Machine: {processors} processors ({model}), {memory_gigabytes:.0} GB, Linux {kernel}, load {load} before it \
         began\n- procpool: {procpool}, built with `--release`\n"
    );
    for peer in peers {
        let version = match &peer.version {
            Ok(version) => version.clone(),
            Err(advice) => format!("**not installed**: {advice}"),
        };
        let _ = writeln!(text, "- {}: {version}", peer.name);
    }
    text
}

fn notes(records: &[Record]) -> String {
    let notes = records.iter().flat_map(|record| record.notes.iter().map(|note| (&record.case, note)));
    notes.fold(String::new(), |text, (case, note)| text + &format!("\n`{case}`: {note}\n"))
}

fn lines(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        let _ = write!(text, "\n`{}`: {}\n\n```sh\n", record.case, record.work);
        for series in &record.series {
            let median = series.median_seconds();
            let time = median.map_or_else(String::new, |seconds| format!(" # {seconds:.3} s"));
            let _ = writeln!(text, "{}{time}", series.line);
        }
        text.push_str("```\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::peers::PeerVersion;
    use crate::bench::record::{Row, Sample, Series, Unit};

    #[test]
    fn what_stands_around_the_marks_stays() {
        let page = format!("# Mine\n\n{BEGIN}\nold\n{END}\n\n## Mine too\n");
        let expected = format!("# Mine\n\n{BEGIN}\n\nnew\n\n{END}\n\n## Mine too\n");
        let new = replace(Some(&page), "new\n").unwrap();
        assert_eq!(new, expected);
        assert_eq!(replace(Some(&new), "new\n").unwrap(), expected);
    }

    #[test]
    fn a_page_without_marks_is_left_alone() {
        assert!(replace(Some("# Mine\n"), "new\n").is_err());
        assert!(replace(None, "new\n").unwrap().starts_with("# Benchmarks\n\n<!--"));
    }

    #[test]
    fn the_part_tells_machine_figures_and_lines() {
        let told = |name, version: Result<&str, &str>| PeerVersion {
            name,
            version: version.map(str::to_owned).map_err(str::to_owned),
        };
        let machine = MachineInfo {
            processors: 2,
            model: "A".into(),
            memory_gigabytes: 25.3,
            kernel: "6.1".into(),
            load: "0.5".into(),
            procpool: "procpool 1".into(),
            peers: vec![told("xe", Ok("xe 1")), told("xargs", Err("install it"))],
        };
        let sample = Sample { seconds: 1.5, processor_seconds: 0.5, peak_megabytes: 2.0 };
        let series = Series {
            name: "a".into(),
            line: "a -j8 < b".into(),
            samples: vec![sample],
        };
        let record = Record {
            case: "one".into(),
            work: "jobs".into(),
            rows: vec![Row::new("wall", Unit::Ratio, &[1.0])],
            notes: vec!["slow".into()],
            series: vec![series],
        };
        let part = part(&machine, &[record], 7);
        for expected in [
            "2 processors (A), 25 GB, Linux 6.1, load 0.5",
            "- xargs: **not installed**: install it\n",
            "| jobs | wall |",
            "\n`one`: slow\n",
            "```sh\na -j8 < b # 1.500 s\n```\n",
        ] {
            assert!(part.contains(expected), "{expected}: {part}");
        }
    }
}
