//! Does things several at a time, for the torture and for xtask's other commands that try procpool on many inputs.

use std::sync::Mutex;
use std::thread;

use anyhow::Result;

/// Calls `act` with each of `things`, `lanes` at a time, and returns the results in the order of `things`.
///
/// # Errors
/// The first error. A lane ends with its first error; the others go on.
///
/// # Panics
/// If `act` panics.
pub fn each<T, R: Send>(
    lanes: usize,
    things: impl IntoIterator<Item = T, IntoIter: Send>,
    act: impl Fn(T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = Mutex::new(things.into_iter().enumerate());
    let lane = || {
        let mut done = Vec::new();
        loop {
            // The lock is released before the call.
            let taken = next.lock().expect("BUG: a lane panicked").next();
            let Some((place, thing)) = taken else { return Ok(done) };
            done.push((place, act(thing)?));
        }
    };
    let done: Result<Vec<Vec<(usize, R)>>> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes.max(1)).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().map(|lane| lane.join().expect("BUG: a lane panicked")).collect()
    });
    let mut done: Vec<_> = done?.into_iter().flatten().collect();
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[test]
    fn all_are_done_in_their_order() {
        for lanes in [0, 1, 2, 9] {
            assert_eq!(each(lanes, [1, 2, 3, 4], |number| Ok(number * 2)).unwrap(), [2, 4, 6, 8]);
        }
    }

    #[test]
    fn an_error_is_told() {
        let act = |number| {
            ensure!(number != 2, "two");
            Ok(())
        };
        assert_eq!(each(2, [1, 2, 3], act).unwrap_err().to_string(), "two");
    }
}
