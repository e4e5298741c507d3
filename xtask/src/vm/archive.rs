//! The first file system of a virtual machine: an archive in cpio's format "newc", which the kernel
//! unpacks. It is not compressed, because an emulated processor unpacks more slowly than it reads.

use std::collections::BTreeSet;

/// The beginning of every entry.
const MAGIC: &str = "070701";
const LAST: &str = "TRAILER!!!";

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const DEVICE: u32 = 0o020_600;

/// An archive under construction; a copy can be extended.
#[derive(Clone, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    entries: u32,
}

/// An entry without its name.
struct Node<'a> {
    mode: u32,
    /// Major and minor number of a device.
    device: (u32, u32),
    content: &'a [u8],
}

impl Archive {
    /// Adds a folder and its parents; `path` begins without a slash.
    pub(crate) fn folder(&mut self, path: &str) {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for folder in ends.map(|end| &path[..end]).filter(|folder| !folder.is_empty()) {
            if self.folders.insert(folder.to_owned()) {
                self.entry(folder, &Node { mode: FOLDER, device: (0, 0), content: &[] });
            }
        }
    }

    /// Adds an executable file.
    pub(crate) fn file(&mut self, path: &str, content: &[u8]) {
        self.parent(path);
        self.entry(path, &Node { mode: PROGRAM, device: (0, 0), content });
    }

    /// Adds a character device.
    pub(crate) fn device(&mut self, path: &str, device: (u32, u32)) {
        self.parent(path);
        self.entry(path, &Node { mode: DEVICE, device, content: &[] });
    }

    /// The finished archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry(LAST, &Node { mode: 0, device: (0, 0), content: &[] });
        self.bytes
    }

    fn parent(&mut self, path: &str) {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder);
        }
    }

    fn entry(&mut self, name: &str, node: &Node) {
        self.entries += 1;
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("BUG: 4 GiB in a small machine");
        let (major, minor) = node.device;
        // Inode, mode, user, group, links, time, length; the device that it is on; the device that it is;
        // length of the name, checksum.
        let fields = [
            [self.entries, node.mode, 0, 0, 1, 0, length(node.content)],
            [0, 0, major, minor, length(name.as_bytes()) + 1, 0, 0],
        ];
        self.bytes.extend(MAGIC.bytes());
        for field in fields.iter().flatten().take(13) {
            self.bytes.extend(format!("{field:08X}").bytes());
        }
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(node.content);
        self.pad();
    }

    /// Pads to a multiple of four, where names and contents must end.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_a_header_of_110_bytes_and_ends_at_a_multiple_of_four() {
        let mut archive = Archive::default();
        archive.file("a", b"hello");
        let bytes = archive.finish();
        let header = "070701\
                      00000001000081ED00000000000000000000000100000000\
                      0000000500000000000000000000000000000000\
                      0000000200000000";
        assert_eq!(header.len(), 110);
        assert_eq!(bytes[..110], *header.as_bytes());
        assert_eq!(bytes[110..120], *b"a\0hello\0\0\0");
        assert_eq!(bytes[120..126], *b"070701");
        assert!(bytes.len() % 4 == 0 && bytes.ends_with(b"TRAILER!!!\0\0\0\0"));
    }

    #[test]
    fn folders_come_before_what_is_in_them_and_only_once() {
        let mut archive = Archive::default();
        archive.file("lib/x/a", b"");
        archive.file("lib/x/b", b"");
        archive.device("dev/console", (5, 1));
        let text = String::from_utf8(archive.finish()).unwrap();
        let place = |name: &str| text.find(&format!("{name}\0")).unwrap();
        assert!(place("lib") < place("lib/x") && place("lib/x") < place("lib/x/a"));
        assert_eq!(text.matches("lib/x\0").count(), 1);
        assert!(place("dev") < place("dev/console"));
    }
}
