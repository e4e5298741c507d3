//! Reads the lines of a file on a thread of its own, while the caller's thread works on them.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::os::threads;
use crate::read::scan::{Found, Scanner};

/// What follows the last whole line of a file, and the offset where that line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing { offset: u64 },
    Torn { offset: u64 },
    Damaged { offset: u64 },
}

/// How many lines the reading thread sends at once.
const BATCH: usize = 1024;

/// Calls `parse` with the offset and the body of each line, on another thread, and `take` with the results,
/// in order.
///
/// # Errors
/// If the source can't be read, no thread can be started, or `take` fails.
pub(crate) fn read<R: Read + Send, T: Send>(
    source: R,
    parse: impl Fn(u64, &[u8]) -> T + Send,
    take: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<Rest> {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(8);
        let reading = threads::builder("procpool-read")
            .and_then(|builder| builder.spawn_scoped(scope, move || scan(source, parse, &sender)))
            .map_err(|error| threads::refused(&error))?;
        let taken = take_all(receiver, take);
        let rest = reading.join().expect("BUG: a reader that panics");
        taken.and_then(|()| Ok(rest?))
    })
}

fn scan<T>(
    source: impl Read,
    parse: impl Fn(u64, &[u8]) -> T,
    batches: &SyncSender<Vec<T>>,
) -> io::Result<Rest> {
    let mut scanner = Scanner::new(source);
    let mut batch = Vec::with_capacity(BATCH);
    let rest = loop {
        match scanner.next_line()? {
            Found::Line { offset, body } => batch.push(parse(offset, body)),
            Found::End { offset } => break Rest::Nothing { offset },
            Found::Torn { offset } => break Rest::Torn { offset },
            Found::Damaged { offset } => break Rest::Damaged { offset },
        }
        if batch.len() == BATCH
            && batches.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).is_err()
        {
            break Rest::Nothing { offset: 0 };
        }
    };
    // This fails only if `take` has failed, and that error is returned.
    let _ = batches.send(batch);
    Ok(rest)
}

fn take_all<T>(
    batches: Receiver<Vec<T>>,
    mut take: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    batches.into_iter().flatten().try_for_each(&mut take)
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;
    use crate::format::line;

    fn lines(count: u32) -> Vec<u8> {
        (0..count).flat_map(|number| line::seal(format!("{{\"number\":{number}}}").as_bytes())).collect()
    }

    #[test]
    fn all_lines_are_taken_in_order_and_then_the_rest_is_known() {
        let bytes = lines(5000);
        let cut = &bytes[..bytes.len() - 3];
        for (bytes, count) in [(&bytes[..], 5000), (cut, 4999), (&[], 0)] {
            let mut taken = Vec::new();
            let parse = |_, body: &[u8]| String::from_utf8_lossy(body).into_owned();
            let rest = read(bytes, parse, |text| {
                taken.push(text);
                Ok(())
            })
            .unwrap();
            let expected: Vec<String> = (0..count).map(|number| format!("\"number\":{number}}}")).collect();
            assert!(taken == expected);
            let offset = lines(count).len() as u64;
            let is_cut = bytes.len() as u64 > offset;
            assert_eq!(rest, if is_cut { Rest::Torn { offset } } else { Rest::Nothing { offset } });
        }
    }

    #[test]
    fn who_takes_no_more_ends_it() {
        let mut taken = 0;
        let error = read(
            &lines(50_000)[..],
            |_, _| (),
            |()| {
                taken += 1;
                ensure!(taken < 3, "enough");
                Ok(())
            },
        );
        assert_eq!(error.unwrap_err().to_string(), "enough");
        assert_eq!(taken, 3);
    }
}
