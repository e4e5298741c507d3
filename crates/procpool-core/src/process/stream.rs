//! An output of a process: our end of its pipe, and the spool that it is read into. `watch.rs` decides when to read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;
use std::{io, mem};

use crate::spool::Spool;
use crate::spool::live::{LiveSpool, StreamNotifier};
use crate::sys;

/// A pipe that is read into a spool until it is closed.
pub(crate) struct Stream {
    pipe: Option<OwnedFd>,
    output: Arc<LiveSpool>,
    mode: TransferMode,
    lost: Option<io::Error>,
    /// `None` if the output is not followed.
    notifier: Option<StreamNotifier>,
}

/// How bytes get from the pipe to the spool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TransferMode {
    /// Read into the spool's memory: best for small outputs and small pieces.
    Read,
    /// Spliced to the spool's file by the kernel: best for large outputs.
    Splice,
    /// Like `Read`, and permanent: the kernel can't splice here, or a write is needed to get the exact error.
    OnlyRead,
    /// Read and dropped, because the spool failed.
    Discard,
}

/// How much of a dropped output is read at a time.
const DISCARD: usize = 64 * 1024;

/// Smaller pieces are cheaper to collect in memory than to splice one by one.
const LEAST_SPLICED: usize = 4 * 1024;

/// The size of the pipe of a large output, which needs a quarter of the wake-ups. A larger one doesn't fit into the
/// processor's cache, and would soon exceed what all pipes of a user may take together (pipe(7)).
const LARGE_PIPE: usize = 256 * 1024;

impl Stream {
    /// Without a pipe (the output is not captured) it is closed from the start.
    pub(crate) fn new(pipe: Option<OwnedFd>, spool: Spool, notifier: Option<StreamNotifier>) -> Stream {
        Stream {
            pipe,
            output: Arc::new(LiveSpool::new(spool)),
            mode: TransferMode::Read,
            lost: None,
            notifier,
        }
    }

    /// The output so far, shared with other readers.
    pub(crate) fn output(&self) -> Arc<LiveSpool> {
        Arc::clone(&self.output)
    }

    /// The descriptor to wait for; `None` once it is closed.
    pub(crate) fn event(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.pipe.is_none()
    }

    pub(crate) fn close(&mut self) {
        self.pipe = None;
    }

    /// Reads what is in the pipe now, and no more: a process that holds it may write forever.
    pub(crate) fn catch_up(&mut self) {
        let mut left = self.event().map_or(0, sys::readable_bytes);
        while left > 0 {
            match self.pump() {
                0 => return,
                count => left = left.saturating_sub(count as u64),
            }
        }
    }

    /// Reads once, and returns the number of bytes.
    ///
    /// If the spool fails, the pipe is still read and the bytes are dropped: the job must not notice (a closed pipe
    /// would kill it), and its completion reports that output is missing.
    pub(crate) fn pump(&mut self) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        let pipe = pipe.as_fd();
        let mut written = self.output.lock();
        let result = match self.mode {
            TransferMode::Read | TransferMode::OnlyRead => sys::read(pipe, written.spool.room()),
            TransferMode::Splice => written.spool.splice(pipe).or_else(|error| match error.kind() {
                io::ErrorKind::WouldBlock => Err(error),
                _ => {
                    self.mode = TransferMode::OnlyRead;
                    sys::read(pipe, written.spool.room())
                }
            }),
            TransferMode::Discard => sys::read(pipe, &mut Vec::with_capacity(DISCARD)),
        };
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            return 0;
        }
        let count = *result.as_ref().unwrap_or(&0);
        if self.mode != TransferMode::Discard {
            match result.and_then(|_| written.spool.settle()) {
                Ok(()) => self.mode = next_mode(self.mode, pipe, &written.spool, count),
                Err(error) => {
                    self.mode = TransferMode::Discard;
                    self.lost = Some(error);
                }
            }
        }
        if count == 0 {
            drop(written);
            self.close();
        } else {
            written.last = Some(Instant::now());
            if let (Some(notifier), false) = (&self.notifier, mem::replace(&mut written.unacknowledged, true))
            {
                written.notifications += 1;
                let word = written.notifications;
                drop(written);
                notifier.notify(word, &self.output);
            }
        }
        count
    }

    /// The output, and the error that occurred while it was stored.
    pub(crate) fn finish(self) -> (Spool, Option<io::Error>) {
        let mut spool = self.output.take();
        spool.close();
        (spool, self.lost)
    }
}

/// How to read next, after a piece of `count` bytes.
fn next_mode(mode: TransferMode, pipe: BorrowedFd<'_>, spool: &Spool, count: usize) -> TransferMode {
    match mode {
        TransferMode::Read if spool.is_filed() => {
            sys::grow_pipe(pipe, LARGE_PIPE);
            TransferMode::Splice
        }
        TransferMode::Splice if count < LEAST_SPLICED => TransferMode::Read,
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::spool::{SpoolFile, SpoolPlace};

    fn stream(threshold: usize) -> (Stream, File) {
        let (pipe, writer) = rustix::pipe::pipe().unwrap();
        let file = Arc::new(SpoolFile::new(SpoolPlace::temporary(), threshold));
        (Stream::new(Some(pipe), Spool::in_file(file), None), writer.into())
    }

    // Different at each position, so that a piece in the wrong place is noticed.
    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|n| (n ^ (n >> 8) ^ (n >> 16)).to_le_bytes()[0]).collect()
    }

    #[test]
    fn catching_up_reads_all_that_is_there_and_does_not_wait_for_more() {
        let (mut stream, mut writer) = stream(10_000);
        let written = writer.write(&bytes(50_000)).unwrap();
        stream.catch_up();
        assert!(!stream.is_closed());
        drop(writer);
        stream.catch_up();
        let (spool, lost) = stream.finish();
        assert_eq!((spool.len(), lost.is_none()), (written as u64, true));
    }

    #[test]
    fn what_is_large_goes_past_our_memory_through_a_larger_pipe_and_what_is_small_does_not() {
        if sys::only_posix() {
            return println!("skipped, because POSIX has no splice(2)");
        }
        let (mut stream, mut writer) = stream(10_000);
        let pipe_size = |stream: &Stream| rustix::pipe::fcntl_getpipe_size(stream.event().unwrap()).unwrap();
        let small = pipe_size(&stream);
        writer.write_all(&bytes(9_000)).unwrap();
        stream.catch_up();
        assert!(stream.mode == TransferMode::Read && pipe_size(&stream) == small);
        for _ in 0..2 {
            writer.write_all(&bytes(20_000)).unwrap();
            stream.catch_up();
            assert!(stream.mode == TransferMode::Splice && stream.output.lock().spool.is_filed());
        }
        assert_eq!(pipe_size(&stream), LARGE_PIPE);
        writer.write_all(b"little").unwrap();
        stream.catch_up();
        assert!(stream.mode == TransferMode::Read);
        let expected = [bytes(9_000), bytes(20_000), bytes(20_000), b"little".to_vec()].concat();
        assert!(stream.finish().0.to_vec().unwrap() == expected);
    }

    #[test]
    fn a_pipe_that_its_writer_made_larger_stays_so() {
        let (mut stream, mut writer) = stream(10);
        rustix::pipe::fcntl_setpipe_size(&writer, 4 * LARGE_PIPE).unwrap();
        writer.write_all(&bytes(50_000)).unwrap();
        stream.catch_up();
        assert_eq!(rustix::pipe::fcntl_getpipe_size(&writer).unwrap(), 4 * LARGE_PIPE);
    }

    #[test]
    fn where_the_kernel_can_not_move_it_to_the_file_it_is_read_and_written() {
        let (mut stream, mut writer) = stream(10);
        writer.write_all(&bytes(30_000)).unwrap();
        stream.catch_up();
        // splice(2) refuses files that are open for appending.
        rustix::fs::fcntl_setfl(stream.output.lock().spool.system_file(), rustix::fs::OFlags::APPEND)
            .unwrap();
        writer.write_all(&bytes(30_000)).unwrap();
        stream.catch_up();
        assert!(stream.mode == TransferMode::OnlyRead);
        let (spool, lost) = stream.finish();
        assert!(lost.is_none() && spool.to_vec().unwrap() == bytes(30_000).repeat(2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_written_into_the_pipe_comes_out_of_the_spool_however_it_is_cut(
            threshold in 0_usize..150_000,
            pieces in proptest::collection::vec((0_usize..10_000, 1_usize..40), 0..12),
        ) {
            let (mut stream, mut writer) = stream(threshold);
            let sizes: Vec<usize> = pieces.iter().flat_map(|(size, times)| vec![*size; *times]).collect();
            let expected = bytes(sizes.iter().sum());
            let (spool, lost) = thread::scope(|scope| {
                scope.spawn(|| {
                    let mut rest = &expected[..];
                    for size in sizes {
                        let (piece, behind) = rest.split_at(size);
                        writer.write_all(piece).unwrap();
                        rest = behind;
                    }
                    drop(writer);
                });
                while !stream.is_closed() {
                    stream.pump();
                }
                stream.finish()
            });
            prop_assert!(lost.is_none());
            prop_assert!(spool.to_vec().unwrap() == expected);
        }
    }
}
