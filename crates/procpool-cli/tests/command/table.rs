//! Tables: rows are jobs, columns are placeholders. Also the errors for faulty tables.

use crate::{Folder, PROCPOOL};

#[test]
fn columns_are_placeholders_by_name_and_by_number() {
    let folder = Folder::new();
    folder.write("t.csv", "name,size of it\na/b.c,1\n\"x, y\",\"two\nlines\"\n");
    for (words, expected) in [
        ("-a t.csv echo {name}-{2}", "a/b.c-1\nx, y-two\nlines\n"),
        ("-a t.csv echo {name/.} {1//}", "b a\nx, y .\n"),
        ("-a t.csv printf <%s>", "<a/b.c><1><x, y><two\nlines>"),
        ("-a t.csv printf <%s> {} x{}", "<a/b.c><1><xa/b.c 1><x, y><two\nlines><xx, y two\nlines>"),
        ("-a t.csv echo {key} {#}", "a/b.c 1\nx, y 2\n"),
        ("-a t.csv --key {2}{#} echo {key}", "11\ntwo\nlines2\n"),
        ("-a t.csv -I@ echo {name} @", "{name} a/b.c 1\n{name} x, y two\nlines\n"),
        ("echo {1} :::: t.csv", "a/b.c\nx, y\n"),
        ("-a t.csv awk", ""),
    ] {
        let mut trial = folder.run("-k --csv").args(words.split(' '));
        if words.ends_with("awk") {
            trial = trial.args([
                "BEGIN { exit !(ARGV[1] == \"{print $1}\" && ARGV[2] == n) }",
                "{print $1}",
                "n={}",
            ]);
            trial.end().exited(1).said("2 jobs: 2 failed");
            continue;
        }
        trial.end().exited(0).printed(expected).silent();
    }
    let column_with_spaces = folder.run("-k --csv -a t.csv echo").arg("{size of it}").end();
    column_with_spaces.exited(0).printed("1\ntwo\nlines\n").silent();
}

#[test]
fn a_table_may_be_standard_input_and_is_run_as_it_comes() {
    let folder = Folder::new();
    let mut running = folder.run("--csv echo {b}{a}").open_input().start();
    running.write("a,b\n1,2\n");
    running.has_printed("21\n");
    running.write("3,");
    running.write("4");
    running.end().exited(0).printed("21\n43\n").silent();
    folder.run("-k --csv echo {a} :::: -").input("a\n1\n").end().exited(0).printed("1\n").silent();
    folder.run("--csv echo {a}").input("a,b\n").end().exited(0).printed("").silent();
}

#[test]
fn tabs_separate_where_quotes_mean_themselves() {
    let text = b"a\tb\n\"1\t\xff\"\n,\t\n".to_vec();
    let ended = Folder::new().run("-k --tsv printf <%s> {b} {a}").input(text).end();
    ended.exited(0).printed(b"<\xff\"><\"1><><,>").silent();
}

#[test]
fn an_unknown_column_is_refused_by_its_nearest_before_any_job_starts() {
    let folder = Folder::new();
    for (placeholder, said) in [
        ("{nmae}", "`{nmae}`: the table has no column \"nmae\"; did you mean `{name}`?"),
        ("x{Size.}", "did you mean `{size}`?"),
        ("{whatever_it_is}", "it has name, size"),
        ("{3}", "`{3}` stands for column 3, and the table has 2"),
    ] {
        let trial = folder.run("--csv touch ran").arg(placeholder).input("name,size\n1,2\n");
        trial.end().exited(2).printed("").said(said);
        let trial = folder.run("--csv --key").args([placeholder, "touch", "ran"]).input("name,size\n1,2\n");
        trial.end().exited(2).printed("").said("--key: ").said(said);
    }
    assert!(!folder.has("ran"));
}

#[test]
fn what_can_not_be_a_table_is_refused_before_any_job_starts() {
    let folder = Folder::new();
    folder
        .write("empty", "")
        .write("twice", "a,a\n1,2\n")
        .write("nameless", "a,\n1,2\n")
        .write("key", "key\n1\n");
    for (words, said) in [
        ("--csv -a empty", "empty is empty: its first row has to name the columns"),
        ("--csv -a twice", "twice, line 1: column 2 is called \"a\" like another before it"),
        ("--csv -a nameless", "nameless, line 1: column 2 has no name"),
        ("--csv -a key", "key, line 1: column 1 is called \"key\", but `{key}` is a placeholder already"),
        ("--csv -a nowhere", "can't read \"nowhere\": No such file"),
        ("--csv -a .", "a directory holds no lines"),
        ("--csv -a key -a key", "read one table, and there are 2 lists"),
        ("--csv -n2 -a key", "a row is a job"),
        ("--csv --tsv -a key", "cannot be used with"),
        ("--csv -0 -a key", "cannot be used with"),
    ] {
        folder.run(words).args(["touch", "ran"]).end().exited(2).printed("").said(said);
    }
    folder.run("--csv touch ran ::: a").end().exited(2).said("a table is a file");
    folder
        .command(PROCPOOL)
        .args(["run", "--csv", "-f", "x.json"])
        .end()
        .exited(2)
        .said("cannot be used with");
    assert!(!folder.has("ran"));
}

#[test]
fn what_stands_before_a_bad_row_is_run() {
    for (table, said) in [
        ("a,b\n1,2\n3\n5,6\n", "standard input, line 3: 1 field, and the header has 2"),
        ("a,b\n1,2\n\n3,\"x\ny\n", "standard input: the row on line 4 opens a quote that nothing closes"),
        ("a,b\n1,2\n3,x\0y\n", "standard input, line 3: a NUL byte can't be in an argument"),
    ] {
        let ended = Folder::new().run("--csv echo {a}").input(table).end();
        ended.exited(2).printed("1\n").said(said);
    }
}
