//! The smallest complete use of the library: five commands, two at a time; one result by its key, then all results.

use procpool_core::{Command, Job, Limit, Pool};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let jobs = (0..5).map(|n| {
        let command = Command::new("sh").args(["-c", &format!("sleep 0.{n}; echo slept 0.{n}")]);
        Job::new(format!("process{n}"), command)
    });
    let results = Pool::new(Limit::new(2)?).run_all(jobs)?;

    println!("process2 alone: {}", results["process2"].stdout().to_string_lossy()?.trim_end());
    for done in &results {
        let said = done.stdout().to_string_lossy()?;
        println!("{}: {} after {:.1?}, said {said:?}", done.key(), done.outcome, done.elapsed());
    }
    Ok(())
}
