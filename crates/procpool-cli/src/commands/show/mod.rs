//! `procpool show`: everything that a journal has about a job, or one output of its final attempt.

mod page;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use anyhow::{Context, anyhow};
use procpool_core::{Key, Source};

use crate::args::ShowArgs;
use crate::commands::show::page::Page;
use crate::commands::stdout::{self, PrintError, StdoutWriter};
use crate::exit::ExitStatus;
use crate::output::shape::{Shape, StreamFilter};
use crate::terminal::colour::{Destination, Palette};
use procpool_journal::files::live::LiveOutput;
use procpool_journal::read::reading::{ListedJob, Reading, Recorded};

/// Runs `procpool show`.
pub(crate) fn show(args: &ShowArgs) -> ExitStatus {
    stdout::end(tell(args))
}

/// Where a job was found.
enum FoundJob {
    OnList(Box<ListedJob>),
    /// Only in records, of an earlier list.
    OffList(Key),
}

fn tell(args: &ShowArgs) -> Result<(), PrintError> {
    let mut reading = Reading::open(&args.directory)?;
    stdout::remark(&reading.remarks);
    let found = find(&mut reading, &Key::from(args.key.as_os_str()))?;
    let mut out = stdout::writer();
    match (args.stdout, args.stderr) {
        (true, _) => tell_output(&mut reading, &found, Source::Stdout, &mut out)?,
        (_, true) => tell_output(&mut reading, &found, Source::Stderr, &mut out)?,
        _ => {
            let place = match out.get_ref().passes() {
                StreamFilter::TextAndColour => Destination::Terminal,
                StreamFilter::Everything => Destination::Elsewhere,
            };
            tell_all(&mut reading, &found, Palette::choose(args.colour.color, place), &mut out)?;
        }
    }
    Ok(out.flush()?)
}

/// Finds the job by its key, or by the escaped form of its key.
fn find(reading: &mut Reading, key: &Key) -> anyhow::Result<FoundJob> {
    if let Some(job) = reading.find(key)? {
        return Ok(FoundJob::OnList(Box::new(job)));
    }
    if !reading.attempts_of(key).is_empty() {
        return Ok(FoundJob::OffList(key.clone()));
    }
    let wanted = key.to_string();
    let (mut shown_alike, mut nearest) = (Vec::new(), NearestKeys::new(&wanted));
    reading.each(|_, job| {
        let shown = job.line.key().to_string();
        if shown == wanted {
            shown_alike.push(job);
        } else {
            nearest.take(shown);
        }
        Ok::<(), anyhow::Error>(())
    })?;
    match (shown_alike.pop(), shown_alike.is_empty()) {
        (Some(job), true) => Ok(FoundJob::OnList(Box::new(job))),
        (Some(_), false) => {
            Err(anyhow!("{wanted:?}: several jobs have keys that are shown like this; give its bytes"))
        }
        (None, _) => Err(anyhow!("no job has the key {wanted:?}; {}", nearest.advice())),
    }
}

/// The keys most similar to one that does not exist.
struct NearestKeys<'a> {
    wanted: &'a str,
    keys: BTreeSet<(usize, String)>,
}

/// How many of them are named.
const NAMED: usize = 3;

/// Longer keys are whole commands. Nobody types those, and comparing them is slow.
const LONGEST: usize = 200;

impl<'a> NearestKeys<'a> {
    fn new(wanted: &'a str) -> NearestKeys<'a> {
        NearestKeys { wanted, keys: BTreeSet::new() }
    }

    fn take(&mut self, key: String) {
        let most = self.wanted.chars().count() / 2;
        let distance = if !self.wanted.is_empty() && key.contains(self.wanted) {
            0
        } else if key.len() > LONGEST || self.wanted.len() > LONGEST {
            return;
        } else {
            strsim::damerau_levenshtein(&key, self.wanted)
        };
        if distance <= most {
            self.keys.insert((distance, key));
            if self.keys.len() > NAMED {
                self.keys.pop_last();
            }
        }
    }

    fn advice(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|(_, key)| format!("{key:?}")).collect();
        match &keys[..] {
            [] => "`procpool ls` lists all".to_owned(),
            [one] => format!("there is {one}"),
            several => format!("there are {}", several.join(", ")),
        }
    }
}

/// Prints one output of the attempt that counts, or of the running one.
fn tell_output(
    reading: &mut Reading,
    found: &FoundJob,
    source: Source,
    out: &mut StdoutWriter,
) -> Result<(), PrintError> {
    if let Some(live) = live_of(reading, found, source) {
        return copy_of(live.bytes, || "what it has written so far".to_owned(), out).map(drop);
    }
    let key = match found {
        FoundJob::OnList(job) => job.line.key(),
        FoundJob::OffList(key) => key.clone(),
    };
    let noted = reading.outcomes.of(&key);
    let noted =
        noted.with_context(|| format!("\"{key}\" has not run to an end, so there is no output of it"))?;
    let recorded = reading.counting(&noted)?;
    copy(&recorded, source, out).map(drop)
}

fn live_of(reading: &Reading, found: &FoundJob, source: Source) -> Option<LiveOutput> {
    match found {
        FoundJob::OnList(job) => reading.live(job, source),
        FoundJob::OffList(_) => None,
    }
}

fn tell_all(
    reading: &mut Reading,
    found: &FoundJob,
    palette: Palette,
    out: &mut StdoutWriter,
) -> Result<(), PrintError> {
    let key = match found {
        FoundJob::OnList(job) => {
            out.write_all(Page::new(palette).job(reading, job).as_bytes())?;
            tell_live(reading, found, palette, out)?;
            job.line.key()
        }
        FoundJob::OffList(key) => {
            out.write_all(Page::new(palette).unlisted(key).as_bytes())?;
            key.clone()
        }
    };
    let counting = reading.outcomes.of(&key).map(|noted| reading.outcomes.counting(&noted));
    for place in reading.attempts_of(&key) {
        let recorded = reading.records.read(place)?;
        let page = Page::new(palette);
        out.write_all(page.attempt(&recorded.entry, Some(place) == counting).as_bytes())?;
        for source in [Source::Stdout, Source::Stderr] {
            if recorded.entry.length(source) > 0 {
                out.write_all(page.output_head(&recorded.entry, source).as_bytes())?;
                if copy(&recorded, source, out)? != Some(b'\n') {
                    out.write_all(b"\n")?;
                }
            }
        }
    }
    Ok(())
}

/// Prints what a running job has written so far.
fn tell_live(
    reading: &Reading,
    found: &FoundJob,
    palette: Palette,
    out: &mut StdoutWriter,
) -> Result<(), PrintError> {
    for source in [Source::Stdout, Source::Stderr] {
        if let Some(live) = live_of(reading, found, source) {
            out.write_all(Page::new(palette).live_head(&live, source).as_bytes())?;
            if copy_of(live.bytes, || "what it has written so far".to_owned(), out)? != Some(b'\n') {
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

fn copy(recorded: &Recorded, source: Source, out: &mut StdoutWriter) -> Result<Option<u8>, PrintError> {
    copy_of(recorded.open(source)?, || recorded.place(source), out)
}

/// Copies an output; filtered if it goes to a terminal. Returns its last byte.
fn copy_of(
    mut from: impl Read,
    place: impl Fn() -> String,
    out: &mut StdoutWriter,
) -> Result<Option<u8>, PrintError> {
    let passes = out.get_ref().passes();
    let mut shape = Shape::new(passes, None, out);
    let mut piece = vec![0; 64 * 1024];
    let mut last = None;
    loop {
        let count = match from.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count.with_context(&place)?,
        };
        if count == 0 {
            shape.finish()?;
            return Ok(last);
        }
        last = Some(piece[count - 1]);
        shape.write_all(&piece[..count])?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_missing_is_answered_with_those_that_are_like_it() {
        let advice = |wanted: &str| {
            let mut nearest = NearestKeys::new(wanted);
            for key in ["src/a.txt", "src/b.txt", "alpha", "alphq", "alphx", "alphz"] {
                nearest.take(key.to_owned());
            }
            nearest.advice()
        };
        assert_eq!(advice("a.txt"), r#"there is "src/a.txt""#);
        assert_eq!(advice("alpha2"), r#"there are "alpha", "alphq", "alphx""#);
        assert_eq!(advice("zzzzz"), "`procpool ls` lists all");
        assert_eq!(advice(""), "`procpool ls` lists all");
    }
}
