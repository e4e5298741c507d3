//! Copies the part of a spool that lies in the temporary file, and says on which side an error occurred.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use crate::spool::file::{Extent, SpoolFile};

/// Why a [`Spool`](crate::Spool) could not be copied.
#[derive(Debug)]
pub enum CopyError {
    /// Its temporary file could not be read.
    Reading(io::Error),
    /// The destination could not be written.
    Writing(io::Error),
}

/// How much is copied at a time: it fits into the cache of a core. Mapping the file was no faster.
const PIECE: usize = 256 * 1024;

/// Copies an extent to `writer`.
pub(crate) fn read_out(
    file: &SpoolFile,
    extent: &Extent,
    writer: &mut (impl Write + ?Sized),
) -> Result<(), CopyError> {
    let mut buffer = vec![0; usize::try_from(extent.used).unwrap_or(PIECE).min(PIECE)];
    let mut position = 0;
    while position < extent.used {
        let read = file.read_at(extent, position, &mut buffer).map_err(CopyError::Reading)?;
        writer.write_all(&buffer[..read]).map_err(CopyError::Writing)?;
        position += read as u64;
    }
    Ok(())
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CopyError::Reading(_) => "captured output can't be read back",
            CopyError::Writing(_) => "captured output can't be written",
        })
    }
}

impl Error for CopyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CopyError::Reading(error) | CopyError::Writing(error) => Some(error),
        }
    }
}

impl From<CopyError> for io::Error {
    fn from(error: CopyError) -> io::Error {
        match error {
            CopyError::Reading(error) | CopyError::Writing(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use super::*;
    use crate::spool::{Spool, SpoolPlace};

    #[test]
    fn an_error_says_on_which_side_it_was() {
        let mut spool = Spool::in_file(Arc::new(SpoolFile::new(SpoolPlace::temporary(), 10)));
        spool.room().extend_from_slice(&b"x".repeat(200_000));
        spool.settle().unwrap();

        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let (reader, broken) = rustix::pipe::pipe().unwrap();
        drop(reader);
        let mut broken = File::from(broken);
        for (out, kind) in [(&mut full, io::ErrorKind::StorageFull), (&mut broken, io::ErrorKind::BrokenPipe)]
        {
            let result = spool.copy_to(out);
            assert!(matches!(result, Err(CopyError::Writing(error)) if error.kind() == kind));
        }

        spool.system_file().set_len(128 * 1024).unwrap();
        let mut copied = Vec::new();
        let error = spool.copy_to(&mut copied).unwrap_err();
        assert!(matches!(&error, CopyError::Reading(_)), "{error}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(copied.len(), 128 * 1024);
    }
}
