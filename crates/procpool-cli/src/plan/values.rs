//! Plans jobs from the typed command and the given values.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, bail};

use crate::args::{InputArgs, ValueArgs};
use crate::input::Input;
use crate::input::batches::{BatchRoom, Batches, Most};
use crate::input::lines::Separator;
use crate::input::maker::{KeyRule, Maker};
use crate::input::rows::{self, Rows};
use crate::input::source::InputSource;
use crate::input::table::{TableFormat, TableInput};
use crate::input::values::{self, Link, List, ListValues, Split};
use crate::job::terms::Terms;
use crate::os::argument_space;
use crate::plan::commands;
use crate::template::{KeyTemplate, Names, Several, Template};

/// The jobs, each with these terms.
///
/// # Errors
/// If the options are invalid, or a file that they name.
pub(super) fn input(args: InputArgs, terms: Terms) -> anyhow::Result<Input> {
    let InputArgs { values: args, shell, words, .. } = args;
    let Split { command, lists } = values::split(words)?;
    if command.is_empty() && lists.is_empty() {
        return commands::input(&args, separator(&args), shell, terms);
    }
    check_command(&command)?;
    let lists = all_lists(args.arg_file.iter().map(InputSource::named), lists);
    let batch = args.max_args.is_some() || args.fill;
    if batch && lists.len() > 1 {
        bail!("-n and -X take several values of one list, and there are {} lists", lists.len());
    }
    if batch && table_format(&args).is_some() {
        bail!("-n and -X take several values of one list; with --csv and --tsv a row is a job");
    }
    let (rows, names) = match table_format(&args) {
        Some(format) => {
            let table = open_table(&lists, format)?;
            let names = Names::Columns(table.columns().to_vec());
            (Box::new(table) as Rows, names)
        }
        None => (rows::rows(&lists, separator(&args))?, names(&args, lists.len())),
    };
    let names = match &args.replace {
        Some(own) => Names::Only(own.as_bytes().to_vec()),
        None => names,
    };
    let several = if batch { Several::Batched } else { Several::Combined };
    let template = match shell {
        Some(_) if batch => {
            bail!("-n and -X give a command several values, and --shell a text one: leave one of them out")
        }
        Some(shell) => Template::parse_for_shell(&shell, &command, &names)?,
        None => Template::parse(&command, &names, several)?,
    };
    let rows = if batch { batches(&args, rows, &template) } else { rows };
    let mut maker = Maker::new(template, key_rule(&args, &names)?, terms);
    if batch {
        maker = maker.with_short_keys();
    }
    Ok(Input::streamed(rows.map(move |values| Ok(maker.make(values?)))).with_names(names))
}

fn check_command(command: &[OsString]) -> anyhow::Result<()> {
    match command {
        [] => {
            bail!("no command to run; for example: procpool run -- wc -c {{}} ::: /etc/passwd /etc/group")
        }
        [program, ..] if program.is_empty() => {
            bail!("the command's first word is empty; it has to name a program")
        }
        _ => Ok(()),
    }
}

/// Files of options come before the lists that follow the command. Without any list, values come from
/// standard input.
fn all_lists(files: impl Iterator<Item = InputSource>, lists: Vec<List>) -> Vec<List> {
    let list = |source| List { values: ListValues::Source(source), link: Link::Crossed };
    let mut all: Vec<List> = files.map(list).chain(lists).collect();
    if all.is_empty() {
        all.push(list(InputSource::StandardInput));
    }
    all
}

fn separator(args: &ValueArgs) -> Separator {
    match args.delimiter {
        Some(byte) => Separator::from(byte),
        None if args.null => Separator::Nul,
        None => Separator::Newline,
    }
}

fn table_format(args: &ValueArgs) -> Option<TableFormat> {
    match (args.csv, args.tsv) {
        (true, _) => Some(TableFormat::Csv),
        (false, true) => Some(TableFormat::Tsv),
        (false, false) => None,
    }
}

fn open_table(lists: &[List], format: TableFormat) -> anyhow::Result<TableInput> {
    match lists {
        [List { values: ListValues::Source(source), link: Link::Crossed }] => {
            TableInput::open(source, format)
        }
        [_] => {
            bail!("a table is a file, not values after `:::`: give it by -a or `::::`, or as standard input")
        }
        lists => bail!("--csv and --tsv read one table, and there are {} lists", lists.len()),
    }
}

fn names(args: &ValueArgs, lists: usize) -> Names {
    match args.max_args {
        _ if args.fill => Names::AnyNumber,
        Some(most) => Names::UpTo(most.get()),
        None => Names::Lists(lists),
    }
}

fn key_rule(args: &ValueArgs, names: &Names) -> anyhow::Result<KeyRule> {
    Ok(match &args.key {
        Some(text) => KeyRule::Template(KeyTemplate::parse(text, names).context("--key")?),
        None if table_format(args).is_some() => KeyRule::First,
        None => KeyRule::Values,
    })
}

fn batches(args: &ValueArgs, rows: Rows, template: &Template) -> Rows {
    let room = args.fill.then(|| BatchRoom { free: argument_space::of_jobs(), space: template.space() });
    Box::new(Batches::new(rows, Most { values: args.max_args, room }))
}
