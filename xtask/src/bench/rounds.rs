//! Runs programs in alternation, round by round, so that a change of the machine's speed hits all of them.

use anyhow::Result;

use crate::bench::program::Program;
use crate::bench::record::{Sample, Series};

/// Measures each program once a round. Every second round is in reverse order, so that no program always
/// runs after the same one.
pub(crate) fn alternate(
    programs: &[Program],
    rounds: usize,
    mut measure: impl FnMut(&Program) -> Result<Sample>,
) -> Result<Vec<Series>> {
    let series = |program: &Program| Series {
        name: program.name.clone(),
        line: program.to_string(),
        samples: Vec::new(),
    };
    let mut all: Vec<Series> = programs.iter().map(series).collect();
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..programs.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let program = &programs[index];
            if program.rounds.is_none_or(|rounds| round < rounds) {
                all[index].samples.push(measure(program)?);
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(programs: &[Program], rounds: usize) -> (Vec<String>, Vec<Series>) {
        let mut order = Vec::new();
        let series = alternate(programs, rounds, |program| {
            order.push(program.name.clone());
            Ok(Sample { seconds: 1.0, processor_seconds: 0.5, peak_megabytes: 2.0 })
        });
        (order, series.unwrap())
    }

    #[test]
    fn each_second_round_goes_backwards() {
        let (order, series) = play(&[Program::new("a", "a"), Program::new("b", "b")], 3);
        assert_eq!(order, ["a", "b", "b", "a", "a", "b"]);
        assert_eq!(series[0].samples.len(), 3);
        assert_eq!(series[1].line, "b > /dev/null");
    }

    #[test]
    fn who_is_slow_sits_out_the_later_rounds() {
        let (order, series) = play(&[Program::new("a", "a"), Program::new("b", "b").in_rounds(1)], 2);
        assert_eq!(order, ["a", "b", "a"]);
        assert_eq!(series[1].samples.len(), 1);
    }
}
