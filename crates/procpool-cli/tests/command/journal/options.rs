//! Which options a resume takes over from the earlier run, and how one resume can revoke them.

use crate::Folder;

#[test]
fn what_was_said_once_about_changed_jobs_is_said_again_where_it_holds_again() {
    let folder = Folder::new();
    folder.record("echo ::: a b").end().exited(0);
    folder.record("--resume --changed skip touch ::: a c").end().exited(0);
    let ended = folder.resume("").end().exited(0).printed("");
    ended.said("an earlier run was told --changed skip: ").said("--changed rerun runs them");
    assert!(!folder.has("a"));
    let ended = folder.resume("--changed rerun").end().exited(0);
    assert!(!ended.error_text().contains("an earlier run"), "{}", ended.describe());
    assert!(folder.has("a"));
    // No changed jobs are left.
    let ended = folder.resume("").end().exited(0);
    assert!(!ended.error_text().contains("an earlier run"), "{}", ended.describe());
}

#[test]
fn options_of_the_first_run_are_taken_back_for_one_resume() {
    let folder = Folder::new();
    folder
        .record("-k --tag --retries 2 --timeout 0.1 --no-guard sh -c")
        .args(["echo $1; false", "sh", ":::", "a"])
        .end()
        .exited(1);
    folder.resume("").end().exited(1).printed("a\ta\n");
    let starts = || folder.read("J/journal.jsonl").matches("\"record\":\"attempt\"").count();
    assert_eq!(starts(), 6);
    folder.resume("--no-tag --no-retries --no-timeout --guard").end().exited(1).printed("a\n");
    assert_eq!(starts(), 7);
    folder.resume("--retries 0").env("PROCPOOL_TAG", "yes").arg("--no-tag").end().exited(1).printed("a\n");
    folder.resume("").end().exited(1).printed("a\ta\n");
    for (words, says) in [
        ("--no-limit", "--limit always has a value; give another one, as --limit=4"),
        ("--no-tag --tag", "--tag is given and taken back; leave one out"),
        ("--no-such", "--no-such"),
    ] {
        folder.resume(words).end().exited(2).said(says);
    }
}
