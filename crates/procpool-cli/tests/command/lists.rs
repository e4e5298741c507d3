//! Lists of values from arguments and files: combined, paired, and with a placeholder for each list.

use std::fs;

use crate::Folder;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("numbers", "1\n2\n").write("letters", "x\ny\n");
    folder
}

#[test]
fn lists_are_combined_and_the_last_varies_fastest() {
    // As GNU parallel 20221122 prints it with -k.
    for (words, expected) in [
        ("echo ::: a b ::: c d", "a c\na d\nb c\nb d\n"),
        ("echo ::: a b ::: c d :::+ e f ::: g", "a c e g\na d f g\nb c e g\nb d f g\n"),
        ("echo :::: numbers letters", "1 x\n1 y\n2 x\n2 y\n"),
        ("echo ::: a b :::: numbers", "a 1\na 2\nb 1\nb 2\n"),
        ("echo ::: a b ::::+ numbers", "a 1\nb 2\n"),
        ("-a numbers -a letters echo", "1 x\n1 y\n2 x\n2 y\n"),
        ("-a numbers echo ::: q r", "1 q\n1 r\n2 q\n2 r\n"),
        ("--arg-file numbers echo", "1\n2\n"),
        ("echo {2.}-{2/}-{1} ::: a ::: x/y.z", "x/y-y.z-a\n"),
        ("echo {2//}{2/.} ::: a ::: x/y.z", "xy\n"),
        ("printf <%s> {} ::: a b ::: c", "<a><c><b><c>"),
        ("printf <%s> {.} {1} ::: a.x ::: c.y", "<a><c><a.x>"),
        ("printf <%s> x{}y ::: a ::: c", "<xa cy>"),
    ] {
        folder().run("-k").args(words.split(' ')).end().exited(0).printed(expected).silent();
    }
}

#[test]
fn standard_input_is_a_list_like_any_file() {
    let folder = folder();
    folder.run("-k echo :::: - ::: a b").input("1\n2\n").end().exited(0).printed("1 a\n1 b\n2 a\n2 b\n");
    folder.run("-k echo ::: a b :::: -").input("1\n2\n").end().exited(0).printed("a 1\na 2\nb 1\nb 2\n");
    folder.run("-k -a - echo").input("1\n2\n").end().exited(0).printed("1\n2\n").silent();
    folder.run("-k -0 -a - echo ::::+ nul").end().exited(2).said("\"nul\": No such file");
    folder.run("-a - echo :::: -").end().exited(2).said("`-` twice");
}

#[test]
fn values_that_have_no_partner_are_refused_and_nothing_is_run() {
    let folder = folder();
    for (words, said) in [
        ("touch ::: a b c :::+ d e", ":::+ d …: values in pairs have to be equally many: 2 here, and 3"),
        ("touch :::+ a", "there is none"),
        ("touch :::: numbers ::::+ letters :::+ a", ":::+ a: values in pairs"),
        ("touch ::: a :::: nowhere", "can't read \"nowhere\": No such file"),
        ("touch :::: .", "a directory holds no lines"),
        ("touch ::::", "no file after `::::`"),
        ("touch {3} ::: a ::: b", "`{3}` stands for a value of list 3, and there are 2 lists"),
        ("touch {2} ::: a", "`{2}` stands for a value of list 2, and there is one list"),
    ] {
        folder.run(words).end().exited(2).printed("").said(said);
        assert_eq!(folder.files("").len(), 2, "{words}");
    }
}

#[test]
fn a_list_without_values_combines_to_no_jobs() {
    for words in ["false ::: a b :::", "false ::: :::  a", "false :::: /dev/null ::: a"] {
        folder().run(words).end().exited(0).printed("").silent();
    }
}

#[test]
fn a_product_that_no_memory_holds_is_made_as_it_is_run() {
    let folder = Folder::new();
    let many: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    folder.write("many", many.join("\n"));
    let trial = folder.run("-j1 -- sh -c").arg("kill -USR2 $PPID; echo \"$@\"");
    let ended = trial.args("sh :::: many many many".split(' ')).end().exited(3);
    assert!(ended.text().starts_with("0 0 0\n"), "{}", ended.describe());
}

#[test]
fn another_delimiter_may_be_any_byte() {
    let folder = Folder::new();
    // As `xargs -d, -n1`.
    folder.run("-k -d , printf <%s>").input("a,b,,c,").end().exited(0).printed("<a><b><><c>").silent();
    folder.run("-k -d, printf <%s>").input("a,b\n").end().exited(0).printed("<a><b\n>").silent();
    folder.run("-k --delimiter \\t printf <%s>").input("a\tb").end().exited(0).printed("<a><b>").silent();
    folder.run("-k -d \\0 printf <%s>").input("a\0b\0").end().exited(0).printed("<a><b>").silent();
    folder
        .run("-k -d \\xff printf <%s>")
        .input(b"a\xffb".to_vec())
        .end()
        .exited(0)
        .printed("<a><b>")
        .silent();
    folder
        .run("-d , echo")
        .input("a,b\0,c")
        .end()
        .exited(2)
        .printed("a\n")
        .said("standard input, value 2: a NUL");
    folder.run("-d ab echo").end().exited(2).said("give one byte");
    folder.run("-0 -d , echo").end().exited(2).said("cannot be used with");
}

#[test]
fn a_placeholder_of_ones_own_leaves_braces_alone() {
    let folder = folder();
    // As `xargs -I`.
    folder.run("-k -I@ echo @ {} x@y ::: a b").end().exited(0).printed("a {} xay\nb {} xby\n").silent();
    folder.run("-k -I {} echo {}{.} ::: a.b").end().exited(0).printed("a.b{.}\n").silent();
    folder.run("-k -I{} echo hi").input("1\n2\n").end().exited(0).printed("hi\nhi\n").silent();
    folder.run("-I").args(["", "echo", ":::", "a"]).end().exited(2).said("it stands everywhere");
}

#[test]
fn keys_are_made_of_values() {
    let folder = Folder::new();
    let lists = "echo :::  a/b.c d ::: x";
    folder.run("-k --tag").args(lists.split_whitespace()).end().printed("a/b.c x\ta/b.c x\nd x\td x\n");
    let trial = folder.run("-k --tag --key {2}-{1/.}#{#}").args(lists.split_whitespace()).end();
    trial.exited(0).printed("x-b#1\ta/b.c x\nx-d#2\td x\n").silent();
    folder.run("-k --key <{}> echo {key} ::: a").end().exited(0).printed("<a>\n").silent();
    for (key, said) in [
        ("name", "all jobs would have the same key"),
        ("{key}", "stand for itself"),
        ("{%}", "the slot isn't known"),
        ("{2}", "there is one list"),
    ] {
        folder.run("--key").args([key, "touch", ":::", "a"]).end().exited(2).said("--key: ").said(said);
    }
    assert!(fs::read_dir(folder.file("")).unwrap().next().is_none());
}

#[test]
fn an_option_of_xargs_that_is_so_anyway_is_taken() {
    Folder::new().run("-r false").end().exited(0).printed("").silent();
    Folder::new().run("--no-run-if-empty echo ::: a").end().exited(0).printed("a\n").silent();
}
