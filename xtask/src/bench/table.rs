//! Results as a table, for a terminal and for a page.

use std::fmt::Write as _;

use crate::bench::record::{Measurement, Record, Row, Standing, Unit};

/// The table for a terminal.
pub(crate) fn as_text(records: &[Record]) -> String {
    let widest = records.iter().flat_map(|record| &record.rows).map(|row| row.measure.chars().count()).max();
    let width = widest.unwrap_or_default();
    let mut table = format!("  {:width$}  {:>8}", "", "goal");
    for head in ["min", "median", "max"] {
        write!(table, "  {head:>9}").expect("BUG: a string takes all");
    }
    table.push_str("  pairs\n");
    for record in records {
        writeln!(table, "{}: {}", record.case, record.work).expect("BUG: a string takes all");
        for row in &record.rows {
            let [goal, min, median, max, pairs, standing] = cells(row);
            writeln!(
                table,
                "  {:width$}  {goal:>8}  {min:>9}  {median:>9}  {max:>9}  {pairs:>5}  {standing}",
                row.measure
            )
            .expect("BUG: a string takes all");
        }
    }
    table.lines().map(str::trim_end).fold(String::new(), |text, line| text + line + "\n")
}

/// The table in Markdown.
pub(crate) fn as_markdown(records: &[Record]) -> String {
    let mut table = String::from(
        "| work | measure | goal | min | median | max | pairs | |\n|---|---|---|---|---|---|---|---|\n",
    );
    for record in records {
        let mut work = record.work.as_str();
        for row in &record.rows {
            let cells = cells(row).map(|cell| cell.replace('|', "\\|"));
            writeln!(table, "| {work} | {} | {} |", row.measure, cells.join(" | "))
                .expect("BUG: a string takes all");
            work = "";
        }
    }
    table
}

/// How many goals are met, not met, or not measured.
pub(crate) fn last_line(records: &[Record]) -> String {
    let count = |standing| rows(records).filter(|row| row.standing() == standing).count();
    let (met, not_met) = (count(Standing::Met), count(Standing::NotMet));
    let unknown = match count(Standing::NotMeasured) {
        0 => String::new(),
        unknown => format!(", {unknown} not measured"),
    };
    let goals = met + not_met + count(Standing::NotMeasured);
    match not_met {
        0 => format!("{met} of {goals} goals are met{unknown}"),
        _ => format!("{met} of {goals} goals are met, {not_met} NOT MET{unknown}"),
    }
}

pub(crate) fn rows(records: &[Record]) -> impl Iterator<Item = &Row> {
    records.iter().flat_map(|record| &record.rows)
}

/// Goal, minimum, median, maximum, pairs, and whether the goal is met.
fn cells(row: &Row) -> [String; 6] {
    let unit = match row.unit {
        Unit::Ratio => "",
        Unit::Seconds => " s",
        Unit::Megabytes => " MB",
    };
    let goal = row.goal.map_or_else(String::new, |goal| format!("{goal}{unit}"));
    let (figures, pairs, why) = match &row.finding {
        Measurement::Measured(spread) => {
            let figures = [spread.min, spread.median, spread.max].map(|figure| shown(figure, row.unit));
            (figures, spread.pairs.to_string(), "")
        }
        Measurement::NotMeasured(why) => ([const { String::new() }; 3], String::new(), why.as_str()),
    };
    let standing = match row.standing() {
        Standing::Met => "met".to_owned(),
        Standing::NotMet => "NOT MET".to_owned(),
        Standing::NotMeasured => format!("not measured: {why}"),
        Standing::Information => String::new(),
    };
    let [min, median, max] = figures;
    [goal, min, median, max, pairs, standing]
}

fn shown(figure: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{figure:.3}"),
        Unit::Seconds => format!("{figure:.4} s"),
        Unit::Megabytes => format!("{figure:.1} MB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::goal::Goal;

    fn records() -> Vec<Record> {
        let rows = vec![
            Row::new("wall, against bare", Unit::Ratio, &[1.0, 1.04, 1.2]).with_goal(Goal::AtMost(1.08)),
            Row::new("memory", Unit::Megabytes, &[21.0]).with_goal(Goal::AtMost(20.0)),
            Row::not_measured("wall, against xe", Unit::Ratio, "none").with_goal(Goal::AtMost(0.9)),
            Row::new("wall", Unit::Seconds, &[0.5]),
        ];
        let (case, work) = ("trivial".to_owned(), "4 jobs".to_owned());
        vec![Record { case, work, rows, notes: Vec::new(), series: Vec::new() }]
    }

    #[test]
    fn the_text_has_a_line_for_each_row_below_its_case() {
        let expected = "                          goal        min     median        max  pairs\n\
            trivial: 4 jobs\n\
            \x20 wall, against bare    ≤ 1.08      1.000      1.040      1.200      3  met\n\
            \x20 memory               ≤ 20 MB    21.0 MB    21.0 MB    21.0 MB      1  NOT MET\n\
            \x20 wall, against xe       ≤ 0.9                                          not measured: none\n\
            \x20 wall                           0.5000 s   0.5000 s   0.5000 s      1\n";
        assert_eq!(as_text(&records()), expected);
    }

    #[test]
    fn the_page_names_the_work_once() {
        let page = as_markdown(&records());
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(lines[2], "| 4 jobs | wall, against bare | ≤ 1.08 | 1.000 | 1.040 | 1.200 | 3 | met |");
        assert_eq!(lines[3], "|  | memory | ≤ 20 MB | 21.0 MB | 21.0 MB | 21.0 MB | 1 | NOT MET |");
    }

    #[test]
    fn the_last_line_counts_goals() {
        assert_eq!(last_line(&records()), "1 of 3 goals are met, 1 NOT MET, 1 not measured");
    }
}
