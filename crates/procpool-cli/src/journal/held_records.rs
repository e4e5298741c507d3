//! Holds each record of a slice for a second, because the slice may be told to end meanwhile.
//!
//! A cluster that takes an element away signals its processes one by one. A script whose child is hit first
//! goes on, and may exit with any status before the slice itself gets the signal. Only what follows tells
//! whether the job ended by itself. So each record waits, while its slot is already free. If the slice is
//! told to end within that time, the record is written as stopped. If the slice is killed, the record is
//! never written.
//!
//! The queue is first in, first out, so the file keeps the order in which attempts ended. If too many bytes
//! wait, `push` blocks.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::guard::signals::ShutdownFlag;
use procpool_journal::format::brief;

/// How long a record waits.
pub(crate) const HEARING: Duration = Duration::from_secs(1);

/// The pause after each write, and the longest time between two checks of the shutdown flag.
const PACE: Duration = Duration::from_millis(25);
const LOOK: Duration = Duration::from_millis(50);

/// How many bytes may wait before `push` blocks.
const MOST: usize = 16 << 20;

/// Identifies an attempt: the job's position, and the number of the attempt.
pub(crate) type Number = (u64, u32);

/// The queue. One thread takes records from it.
pub(crate) struct HeldRecords {
    queue: Mutex<Queue>,
    changed: Condvar,
    ending: ShutdownFlag,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<HeldRecord>,
    bytes: usize,
    /// Records that were taken from the queue are being written.
    is_writing: bool,
}

struct HeldRecord {
    number: Number,
    line: Vec<u8>,
    due: Instant,
}

/// Records to write together.
pub(crate) struct Batch {
    pub(crate) numbers: Vec<Number>,
    pub(crate) lines: Vec<u8>,
}

impl HeldRecords {
    pub(crate) fn new(ending: ShutdownFlag) -> HeldRecords {
        HeldRecords { queue: Mutex::default(), changed: Condvar::new(), ending }
    }

    /// Adds the record of an attempt that has just ended. It is due after `wait`.
    pub(crate) fn push(&self, number: Number, line: Vec<u8>, wait: Duration) {
        let due = Instant::now() + wait;
        let mut queue = self.lock();
        while queue.bytes > MOST {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.bytes += line.len();
        queue.waiting.push_back(HeldRecord { number, line, due });
        if queue.waiting.len() == 1 {
            self.changed.notify_all();
        }
    }

    /// Blocks until the queue is empty and each record was written or has failed.
    pub(crate) fn settle(&self) {
        let mut queue = self.lock();
        while queue.is_writing || !queue.waiting.is_empty() {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes due records with `write`, forever.
    pub(crate) fn write_by(&self, mut write: impl FnMut(&Batch)) -> ! {
        loop {
            let due = self.take_due();
            write(&self.decide(due));
            self.lock().is_writing = false;
            self.changed.notify_all();
            thread::sleep(PACE);
        }
    }

    /// Waits until records are due, and takes them. Once the slice is told to end, all of them are due.
    fn take_due(&self) -> VecDeque<HeldRecord> {
        let mut queue = self.lock();
        loop {
            let is_ending = self.ending.is_set();
            let now = Instant::now();
            let due = queue.waiting.iter().take_while(|waiting| is_ending || waiting.due <= now).count();
            if due > 0 {
                let due: VecDeque<HeldRecord> = queue.waiting.drain(..due).collect();
                queue.bytes -= due.iter().map(|waiting| waiting.line.len()).sum::<usize>();
                queue.is_writing = true;
                return due;
            }
            let first = queue.waiting.front().map(|waiting| (waiting.due - now).min(LOOK));
            queue = match first {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(pause) => {
                    self.changed.wait_timeout(queue, pause).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Decides what is written: the records as they are, or as stopped if the slice is told to end. This is
    /// decided as late as possible and never changed, because a record may have been read once its write was
    /// attempted.
    fn decide(&self, due: VecDeque<HeldRecord>) -> Batch {
        let is_ending = self.ending.is_set();
        let mut batch = Batch { numbers: Vec::new(), lines: Vec::new() };
        for HeldRecord { number, line, .. } in due {
            let stopped = if is_ending { brief::as_stopped(&line) } else { None };
            batch.lines.extend(stopped.unwrap_or(line));
            batch.numbers.push(number);
        }
        batch
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;
    use procpool_journal::format::line::seal;

    const SUCCESS: &str = concat!(
        r#"{"record":"attempt","generation":1,"attempt":1,"job":"00000000000000000000000000000000","#,
        r#""fingerprint":"00000000000000000000000000000000","ended":"2026-01-02T03:04:05.678Z","#,
        r#""outcome":"exited","success":true,"status":0,"exit_code":0}"#
    );

    /// A queue, and the batches written from it.
    fn queue(ending: &ShutdownFlag) -> (Arc<HeldRecords>, Receiver<(Vec<Number>, String)>) {
        let held = Arc::new(HeldRecords::new(ending.clone()));
        let (written, writes) = channel();
        let queue = Arc::clone(&held);
        thread::spawn(move || {
            queue.write_by(|batch| {
                let text = String::from_utf8(batch.lines.clone()).unwrap();
                let _ = written.send((batch.numbers.clone(), text));
            })
        });
        (held, writes)
    }

    #[test]
    fn a_record_is_written_as_it_is_after_its_time_and_in_the_order_of_ends() {
        let (held, writes) = queue(&ShutdownFlag::default());
        let begun = Instant::now();
        held.push((1, 1), seal(SUCCESS.as_bytes()), Duration::from_millis(200));
        held.push((2, 1), seal(SUCCESS.as_bytes()), Duration::ZERO);
        held.settle();
        assert!(begun.elapsed() >= Duration::from_millis(200));
        let (numbers, text) = writes.recv().unwrap();
        assert_eq!((&numbers[..], text.matches(r#""success":true"#).count()), (&[(1, 1), (2, 1)][..], 2));
    }

    #[test]
    fn what_waits_when_the_end_is_told_is_written_at_once_as_stopped() {
        let ending = ShutdownFlag::default();
        let (held, writes) = queue(&ending);
        held.push((1, 1), seal(SUCCESS.as_bytes()), Duration::from_secs(3600));
        ending.set();
        held.settle();
        let (_, text) = writes.recv().unwrap();
        assert!(
            text.contains(r#""outcome":"stopped","success":false,"status":143,"exit_code":0}"#),
            "{text}"
        );
    }
}
