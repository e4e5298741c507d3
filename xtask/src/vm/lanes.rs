//! Does things two at a time: more machines than processors would only wait for each other.

use std::sync::Mutex;
use std::thread;

use anyhow::Result;

/// How many at a time.
pub(crate) const LANES: usize = 2;

/// Calls `act` with each of `things` and returns the results in their order.
///
/// # Errors
/// The first error. Calls that have begun by then are finished.
pub(crate) fn each<T: Sync, R: Send>(things: &[T], act: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = Mutex::new(things.iter().enumerate());
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
        let lanes: Vec<_> = (0..LANES).map(|_| scope.spawn(lane)).collect();
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
        assert_eq!(each(&[1, 2, 3, 4], |number| Ok(number * 2)).unwrap(), [2, 4, 6, 8]);
    }

    #[test]
    fn an_error_is_told() {
        let act = |number: &i32| {
            ensure!(*number != 2, "two");
            Ok(())
        };
        assert_eq!(each(&[1, 2, 3], act).unwrap_err().to_string(), "two");
    }
}
