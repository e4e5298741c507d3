//! Options of xargs and GNU parallel that procpool lacks, and what to write instead. Tests check that
//! procpool has none of them, and has those that the advice names.

/// The names of an option, and the advice.
type Foreign = (&'static [&'static str], &'static str);

/// What to write instead of an option of xargs or GNU parallel.
pub(super) fn instead_of(option: &str) -> Option<&'static str> {
    TABLE.iter().find(|(names, _)| names.contains(&option)).map(|(_, instead)| *instead)
}

/// All names.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(names, _)| *names).copied()
}

/// All advice.
#[cfg(test)]
pub(super) fn advice() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(_, instead)| *instead)
}

const TABLE: &[Foreign] = &[
    // Values.
    (
        &["-L", "-l", "--max-lines"],
        "each line is one value; `-n N` gives a command up to N of them, `--pipe` blocks of lines",
    ),
    (&["-m"], "`-X` gives each command as many values as fit"),
    (&["-i"], "`-I TEXT` names the placeholder of the value; `{}` is one anyway"),
    (&["-s", "--max-chars"], "`-X` fills commands up to what the system takes, `-n N` up to N values"),
    (&["-x", "--exit"], "a command that is too long is a failed job anyway; leave it out"),
    (&["-E", "-e", "--eof"], "the input ends where it ends; cut it before, as by `sed '/^END$/,$d'`"),
    (&["-C", "--colsep"], "`--csv` and `--tsv` take tables, whose first row names the columns"),
    (&["--header"], "with `--csv` and `--tsv` the first row always names the columns"),
    (&["--skip-first-line"], "`tail -n +2` leaves out the first line"),
    (&["--link", "--xapply"], "write `:::+` instead of the second `:::`, and it is paired with the first"),
    (&["--trim"], "values are taken as they are; trim them before"),
    (&["--arg-sep", "--arg-file-sep"], "values stand behind `:::`, files of values behind `::::`"),
    (
        &["--plus", "--rpl", "--parens", "--extensionreplace", "--er", "--basenamereplace", "--bnr"],
        "`{.}` `{/}` `{//}` `{/.}` are fixed; for others give `{}` to a shell: sh -c 'echo \"${1%%.*}\"' sh {}",
    ),
    (
        &[
            "--dirnamereplace",
            "--dnr",
            "--basenameextensionreplace",
            "--bner",
            "--seqreplace",
            "--slotreplace",
            "-U",
        ],
        "the placeholders `{//}` `{/.}` `{#}` `{%}` have these names only",
    ),
    // Standard input for jobs.
    (&["--pipepart", "--pipe-part"], "`--pipe` reads standard input; write `--pipe … < FILE`"),
    (
        &["--recend", "--recstart", "--rrs", "--remove-rec-sep", "--regexp"],
        "`--records END` says what ends a record of `--pipe`; it stays where it is",
    ),
    (&["--blocksize", "--block-size"], "`--block SIZE`, with `--pipe`"),
    (
        &[
            "--round-robin",
            "--roundrobin",
            "--round",
            "--tee",
            "--shard",
            "--bin",
            "--group-by",
            "--cat",
            "--fifo",
        ],
        "`--pipe` gives each block to a job of its own, on standard input",
    ),
    // Output.
    (&["--line-buffer", "--linebuffer", "--lb"], "write `--output lines`"),
    (&["-u", "--ungroup"], "write `--output raw`"),
    (&["--group", "-g"], "outputs are grouped unless `--output` says otherwise; leave it out"),
    (&["--latest-line", "--ll"], "`--progress bar` shows what runs"),
    (&["--files", "--output-as-files", "--outputasfiles"], "`--results DIR` writes outputs to files"),
    (&["--res"], "write `--results DIR`"),
    (&["--jl"], "write `--joblog FILE`"),
    (&["--compress", "--compress-program"], "captured output is not compressed; leave it out"),
    (&["--tmpdir", "--tempdir"], "set the variable TMPDIR"),
    (&["-t", "-v", "--verbose"], "`--dry-run` prints the commands, and `--tag` says whose output a line is"),
    (
        &["--colour", "--ctag", "--color-failed", "--cf", "--ctagstring"],
        "`--color` is for procpool's own words",
    ),
    // How jobs run.
    (&["-q", "--quote"], "no shell reads the command, so that nothing wants quoting; leave it out"),
    (&["--shellquote", "--shell-quote"], "no shell reads the command; a shell's own `printf %q` quotes"),
    (&["-p", "--interactive"], "nothing is asked; `--dry-run` shows the commands first"),
    (&["-o", "--open-tty", "--tty"], "jobs have no terminal; a plain loop of the shell gives them one"),
    (&["--wd", "--workdir", "--work-dir"], "write `--cwd DIR`"),
    (&["--process-slot-var"], "`{%}` is the slot, and jobs have it as PROCPOOL_SLOT"),
    (&["--record-env", "--embed"], "jobs have procpool's environment; `--env NAME=VALUE` adds to it"),
    (&["--profile", "-J", "--plain"], "there are no profiles; variables such as PROCPOOL_LIMIT are defaults"),
    (
        &[
            "--use-cpus-instead-of-cores",
            "--use-cores-instead-of-threads",
            "--use-sockets-instead-of-threads",
        ],
        "`-j auto` counts the processors that procpool may use, `-j 50%` half of them",
    ),
    (
        &["--number-of-cpus", "--number-of-cores", "--number-of-threads", "--number-of-sockets"],
        "nproc(1) tells the number of processors",
    ),
    (&["--show-limits", "--max-line-length-allowed"], "`getconf ARG_MAX` tells how long a command may be"),
    (&["--noswap"], "nothing looks at swapping"),
    (&["--termseq"], "`--grace TIME` is the time between TERM and KILL"),
    (
        &["--resume-failed", "--retry-failed"],
        "`--journal` records a run, and `--resume` with it runs what has not succeeded; so does `procpool resume DIR`",
    ),
    (
        &[
            "--semaphore",
            "--sem",
            "--semaphorename",
            "--id",
            "--fg",
            "--bg",
            "--wait",
            "--semaphoretimeout",
            "--st",
        ],
        "a run has its whole list; flock(1) is a lock between commands",
    ),
    (
        &[
            "-S",
            "--sshlogin",
            "--sshloginfile",
            "--slf",
            "--ssh",
            "--sshdelay",
            "--onall",
            "--nonall",
            "--transfer",
            "--transferfile",
            "--tf",
            "--return",
            "--cleanup",
            "--trc",
            "--basefile",
            "--bf",
            "-M",
            "--controlmaster",
            "--filter-hosts",
            "--hostgroups",
            "--hgrp",
        ],
        "jobs run on this machine, or with `--on slurm` on a cluster",
    ),
    (
        &["--sql", "--sqlmaster", "--sqlworker", "--sqlandworker"],
        "`--events` and `--joblog` write what a database can read",
    ),
    (&["--tmux", "--tmuxpane"], "jobs have no terminal; USR1 and `--progress bar` show what runs"),
    // What is not needed.
    (&["--will-cite", "--citation", "--bibtex"], "there is nothing to cite; leave it out"),
    (
        &["--no-notice", "--gnu", "--tollef", "--unsafe", "--minversion"],
        "it has no meaning here; leave it out",
    ),
    (&["--shebang", "--shebang-wrap", "--hashbang", "-Y"], "a script says `procpool run --file` itself"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_option_is_found_by_each_of_its_names() {
        assert_eq!(instead_of("--line-buffer"), Some("write `--output lines`"));
        assert_eq!(instead_of("--lb"), instead_of("--line-buffer"));
        assert_eq!(instead_of("--no-such-option"), None);
    }

    #[test]
    fn no_name_stands_there_twice() {
        let names: Vec<&str> = names().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
