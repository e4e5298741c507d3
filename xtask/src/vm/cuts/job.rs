//! The jobs of a run on a machine that loses its power: each has a number, from which its only right output
//! follows. Pure.

/// How many jobs a list has.
pub(crate) const JOBS: u32 = 100;

/// How many of them run at once.
pub(crate) const LIMIT: usize = 3;

/// The number of characters for the number of job `key`: some outputs don't fit into their records.
pub(crate) fn width(key: u32) -> usize {
    if key % 7 == 0 { 6000 } else { 10 + key as usize * 37 % 200 }
}

/// A job's output: a line in which any missing part shows.
pub(crate) fn output(key: u32) -> String {
    format!("result {key} {key:0width$} .", width = width(key))
}

/// The job whose whole output this line is.
pub(crate) fn of_output(line: &str) -> Result<Option<u32>, String> {
    let Some(rest) = line.strip_prefix("result ") else { return Ok(None) };
    let key = rest.split_once(' ').and_then(|(key, _)| key.parse().ok());
    match key {
        Some(key) if line == output(key) => Ok(Some(key)),
        _ => Err(format!("an output that no job has: {}", line.chars().take(100).collect::<String>())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_tells_its_job_and_a_damaged_one_is_noticed() {
        assert_eq!(of_output(&output(7)), Ok(Some(7)));
        assert_eq!(of_output("something else"), Ok(None));
        assert!(of_output(&output(7).replace("7 .", " .")).is_err());
        assert!(of_output("result 7").is_err());
        assert!(output(7).len() > 6000 && output(8).len() < 300);
    }
}
