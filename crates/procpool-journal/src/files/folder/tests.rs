//! These tests check what a folder contains, and whose files are opened there.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[test]
fn a_folder_says_what_is_in_it() {
    let temporary = tempfile::Builder::new().tempdir().unwrap();
    let path = temporary.path().join("new/journal");
    assert!(Folder::open(&path, Purpose::Run).unwrap().is_none());
    assert_eq!(Folder::make(&path).unwrap().1, Made::Now);
    let (folder, made) = Folder::make(&path).unwrap();
    assert_eq!((folder.contents().unwrap(), made), (Contents::Nothing, Made::Before));
    let expect = |name: &str, contents| {
        fs::write(path.join(name), "x").unwrap();
        assert_eq!(folder.contents().unwrap(), contents, "{name}");
    };
    expect("running", Contents::Nothing);
    expect("list-1.jsonl", Contents::Nothing);
    expect("notes.txt", Contents::Other);
    expect("outputs", Contents::JournalGone);
    expect("journal.jsonl", Contents::Journal);
    expect("journal-b.jsonl", Contents::Journal);
    expect("journal-a.jsonl", Contents::Journal);
    let names: Vec<_> = folder
        .writers()
        .unwrap()
        .into_iter()
        .map(|files| files.outputs.path().file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["outputs", "outputs-a", "outputs-b"]);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_others_may_write_to_is_read_and_no_job_is_run_from_it() {
    let temporary = tempfile::Builder::new().tempdir().unwrap();
    let path = temporary.path();
    let open = |purpose| Folder::open(path, purpose).map(Option::unwrap);
    fs::write(path.join("running"), "x").unwrap();
    set_mode(&path.join("running"), 0o606);
    let error = open(Purpose::Run).unwrap().running().open().unwrap_err().to_string();
    assert!(error.contains("by others (mode 0606)") && error.contains("`chmod go-w "), "{error}");
    assert!(open(Purpose::Run).unwrap().running().open_or_make().is_err());
    open(Purpose::Read).unwrap().running().open().unwrap();
    set_mode(path, 0o777);
    let error = open(Purpose::Run).unwrap_err().to_string();
    assert!(error.contains("the folder may be written to by others (mode 0777)"), "{error}");
    open(Purpose::Read).unwrap();
    set_mode(path, 0o700);
    open(Purpose::Run).unwrap();
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed_and_one_to_the_folder_of_our_own_is() {
    let temporary = tempfile::Builder::new().tempdir().unwrap();
    let (path, link) = (temporary.path().join("journal"), temporary.path().join("link"));
    let (folder, _) = Folder::make(&path).unwrap();
    fs::write(temporary.path().join("other"), "x").unwrap();
    symlink("../other", path.join("running")).unwrap();
    assert!(folder.running().open().is_err());
    assert!(folder.running().open_or_make().is_err());
    folder.running().make_anew().unwrap();
    assert_eq!(fs::read(temporary.path().join("other")).unwrap(), b"x");
    symlink("journal", &link).unwrap();
    Folder::open(&link, Purpose::Run).unwrap().unwrap();
}

#[test]
fn a_folder_that_is_moved_away_and_replaced_is_still_the_one_that_is_used() {
    let temporary = tempfile::Builder::new().tempdir().unwrap();
    let path = temporary.path().join("journal");
    let (folder, _) = Folder::make(&path).unwrap();
    fs::rename(&path, temporary.path().join("moved")).unwrap();
    fs::create_dir(&path).unwrap();
    folder.running().make().unwrap();
    assert!(temporary.path().join("moved/running").exists() && !path.join("running").exists());
}
