//! Which slice has which piece of a round. There is a file for each piece: the slice that takes the piece
//! creates it, and no other slice can create it again. A claim never expires. When a slice is known to be
//! gone, the head alone gives out the jobs that it left, in another round.

use std::io::{self, Read, Write};

use procpool_cluster::Holder;
use serde::{Deserialize, Serialize};

use procpool_journal::files::file::JournalFile;
use procpool_journal::files::folder::Folder;
use procpool_journal::format::line;
use procpool_journal::format::record::sealed;

/// The slice that takes a piece, as written in its claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taker {
    /// Which slice of the round.
    pub(crate) slice: u32,
    /// How often it was started, including this time.
    pub(crate) instance: u32,
    pub(crate) host: String,
}

/// The claims of a round, as one slice makes them.
pub(crate) struct Claims {
    folder: Folder,
    tag: String,
    taker: Taker,
    pieces: usize,
    /// All pieces before this one are taken.
    next: usize,
}

/// At most this many pieces may be free in front of a taken one. Such a piece was passed over while another
/// slice tried to claim it and failed, for example because the disk was full.
const MOST_HOLES: usize = 64;

/// In bytes; longer than any claim.
const LONGEST: u64 = 4096;

impl Claims {
    pub(crate) fn new(folder: Folder, tag: String, taker: Taker, pieces: usize) -> Claims {
        Claims { folder, tag, taker, pieces, next: 0 }
    }

    /// The pieces that this slice had taken before it was restarted, in order.
    ///
    /// # Errors
    /// A claim can't be read.
    pub(crate) fn own(&self) -> io::Result<Vec<usize>> {
        let mut own = Vec::new();
        let mut free = 0;
        for piece in 0..self.pieces {
            match holder(&self.folder, &self.tag, piece)? {
                // Pieces are taken in order, so none is taken behind this many free ones.
                Holder::Nobody if free >= MOST_HOLES => break,
                Holder::Nobody => free += 1,
                Holder::Element(slice) if slice == self.taker.slice => own.push(piece),
                Holder::Element(_) | Holder::Somebody => {}
            }
        }
        Ok(own)
    }

    /// Takes the next free piece; `None` if there is none.
    ///
    /// # Errors
    /// The claim can't be written. The call may be repeated.
    pub(crate) fn take(&mut self) -> io::Result<Option<usize>> {
        while self.next < self.pieces {
            let piece = self.next;
            let is_mine = claim(&self.folder.claim(&self.tag, piece), &self.taker)?;
            self.next += 1;
            if is_mine {
                return Ok(Some(piece));
            }
            self.pass_over_taken()?;
        }
        Ok(None)
    }

    /// Whether there may be a free piece. Pieces are taken in order, so only the last one is looked up.
    pub(crate) fn may_have_more(&self) -> bool {
        let last = self.pieces.saturating_sub(1);
        self.next < self.pieces && !matches!(self.folder.claim(&self.tag, last).stat_if_there(), Ok(Some(_)))
    }

    /// Skips pieces that others have taken meanwhile, in steps that double.
    fn pass_over_taken(&mut self) -> io::Result<()> {
        let mut step = 1;
        while self.next + step < self.pieces {
            // The system may have cached that a name is missing. That only costs an attempt to claim a taken
            // piece.
            if self.folder.claim(&self.tag, self.next + step).stat_if_there()?.is_none() {
                break;
            }
            self.next += step + 1;
            step *= 2;
        }
        Ok(())
    }
}

/// Creates the file. Returns whether it belongs to this slice. That is also the case if the slice had created
/// it before and the answer was lost.
fn claim(file: &JournalFile, taker: &Taker) -> io::Result<bool> {
    let mut made = match file.make() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return match read(file) {
                // Its creator could not write it and has removed it. The piece is free, and gets into the
                // next round at the latest.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                found => Ok(found?.as_ref() == Some(taker)),
            };
        }
        made => made?,
    };
    // Synced, so that the owner of the piece is known even after a power cut.
    let written = made.write_all(&sealed(taker)).and_then(|()| made.sync_data());
    written.map(|()| true).inspect_err(|_| {
        // Otherwise the owner of the piece would be unknown, and its jobs would count as tried.
        let _ = file.remove();
    })
}

/// Which slice has taken a piece.
///
/// # Errors
/// That can't be read now.
pub(crate) fn holder(folder: &Folder, tag: &str, piece: usize) -> io::Result<Holder> {
    match read(&folder.claim(tag, piece)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Holder::Nobody),
        taker => Ok(taker?.map_or(Holder::Somebody, |taker| Holder::Element(taker.slice))),
    }
}

/// `None` if the claim is torn or invalid.
fn read(file: &JournalFile) -> io::Result<Option<Taker>> {
    let mut bytes = Vec::new();
    file.open()?.take(LONGEST).read_to_end(&mut bytes)?;
    let body = bytes.strip_suffix(b"\n").and_then(line::open);
    Ok(body.and_then(line::parse))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;

    fn claims(folder: &Folder, slice: u32, instance: u32, pieces: usize) -> Claims {
        let taker = Taker { slice, instance, host: "n1".into() };
        Claims::new(folder.clone(), "1-1".into(), taker, pieces)
    }

    fn folder() -> (tempfile::TempDir, Folder) {
        let temporary = tempfile::Builder::new().tempdir().unwrap();
        let folder = Folder::make(temporary.path()).unwrap().0;
        (temporary, folder)
    }

    #[test]
    fn each_piece_is_taken_once_by_whoever_asks_first_and_in_order() {
        let (_temporary, folder) = folder();
        let taken = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for slice in 0..4 {
                let (folder, taken) = (&folder, &taken);
                scope.spawn(move || {
                    let mut claims = claims(folder, slice, 1, 200);
                    let mut last = None;
                    while let Some(piece) = claims.take().unwrap() {
                        assert!(last < Some(piece));
                        last = Some(piece);
                        taken.lock().unwrap().push((piece, slice));
                    }
                });
            }
        });
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        assert_eq!(taken.iter().map(|(piece, _)| *piece).collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
        for (piece, slice) in taken {
            assert_eq!(holder(&folder, "1-1", piece).unwrap(), Holder::Element(slice));
        }
    }

    #[test]
    fn a_slice_that_is_started_again_finds_what_it_had_and_goes_on_behind_it() {
        let (_temporary, folder) = folder();
        let (mut first, mut other) = (claims(&folder, 3, 1, 6), claims(&folder, 4, 1, 6));
        assert_eq!(
            [first.take(), other.take(), first.take()].map(Result::unwrap),
            [Some(0), Some(1), Some(2)]
        );
        let mut again = claims(&folder, 3, 2, 6);
        assert_eq!(again.own().unwrap(), [0, 2]);
        assert_eq!(again.take().unwrap(), Some(3));
    }

    #[test]
    fn a_slice_that_is_started_again_finds_what_it_had_behind_what_nobody_could_take() {
        let (_temporary, folder) = folder();
        let (mut first, mut other) = (claims(&folder, 3, 1, 6), claims(&folder, 4, 1, 6));
        assert_eq!([other.take(), first.take()].map(Result::unwrap), [Some(0), Some(1)]);
        // As if its creator had found the disk full.
        folder.claim("1-1", 0).remove().unwrap();
        let mut again = claims(&folder, 3, 2, 6);
        assert_eq!(again.own().unwrap(), [1]);
        assert_eq!([again.take(), again.take()].map(Result::unwrap), [Some(0), Some(2)]);
    }

    #[test]
    fn a_claim_whose_answer_got_lost_is_its_makers() {
        let (_temporary, folder) = folder();
        assert_eq!(claims(&folder, 3, 1, 2).take().unwrap(), Some(0));
        assert_eq!(claims(&folder, 3, 1, 2).take().unwrap(), Some(0));
        assert_eq!(claims(&folder, 3, 2, 2).take().unwrap(), Some(1));
    }

    #[test]
    fn a_claim_that_is_torn_or_empty_is_somebodys_and_nobody_takes_it() {
        let (_temporary, folder) = folder();
        let whole = sealed(&Taker { slice: 3, instance: 1, host: "n1".into() });
        for length in 0..whole.len() {
            fs::write(folder.claim("1-1", 0).path(), &whole[..length]).unwrap();
            assert_eq!(holder(&folder, "1-1", 0).unwrap(), Holder::Somebody);
            assert_eq!(claims(&folder, 3, 1, 1).take().unwrap(), None);
            assert_eq!(claims(&folder, 3, 2, 1).own().unwrap(), [0; 0]);
        }
        assert_eq!(holder(&folder, "1-1", 1).unwrap(), Holder::Nobody);
    }

    #[test]
    fn a_folder_that_is_gone_is_told_of() {
        let (temporary, folder) = folder();
        drop(temporary);
        assert!(claims(&folder, 3, 1, 1).take().is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_others_have_taken_the_first_that_nobody_has_is_next(taken in 0_usize..70, more in 1_usize..70) {
            let (_temporary, folder) = folder();
            let mut others = claims(&folder, 0, 1, taken);
            while others.take().unwrap().is_some() {}
            prop_assert_eq!(claims(&folder, 1, 1, taken + more).take().unwrap(), Some(taken));
        }
    }
}
