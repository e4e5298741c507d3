//! What the three processes say to each other: a byte each, on the sockets between front and keeper, keeper and pool.
//!
//! A signal, or the signal by which the pool was stopped, is its number: 64 at most. All else is a letter.

use crate::guard::signals::SignalSource;

/// From the pool: it listens from now on, so that signals need not be sent.
pub(super) const LISTENING: u8 = b'L';
/// From the pool, passed on to the front: it may draw on the terminal.
pub(super) const DRAWING: u8 = b'D';
/// From the pool: its end is an orderly one. From the keeper: nothing is left to end.
pub(super) const ORDERLY_END: u8 = b'T';

/// From the front: it has heard by which signal the pool was stopped. What it says after that, it says knowing of that stop.
pub(super) const STOP_SEEN: u8 = b'S';

/// What marks a signal that the front has got, and not the keeper.
const OF_FRONT: u8 = 0x80;

/// The word for a signal.
pub(super) fn signal(number: i32) -> u8 {
    u8::try_from(number).unwrap_or_default() & !OF_FRONT
}

/// The word for a signal, as the pool hears of it.
pub(super) fn forwarded_signal(source: SignalSource, number: i32) -> u8 {
    match source {
        SignalSource::Front => signal(number) | OF_FRONT,
        SignalSource::Own | SignalSource::Keeper => signal(number),
    }
}

/// What the pool makes of [`forwarded_signal`].
pub(super) fn parse_forwarded(word: u8) -> (SignalSource, i32) {
    let source = if word & OF_FRONT == 0 { SignalSource::Keeper } else { SignalSource::Front };
    (source, i32::from(word & !OF_FRONT))
}

/// The signal that the pool was stopped by, where the keeper says so.
pub(super) fn stop_signal(word: u8) -> Option<i32> {
    (1..=64).contains(&word).then_some(i32::from(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_comes_over_with_its_source_and_is_no_other_word() {
        for number in 1..=64 {
            for source in [SignalSource::Front, SignalSource::Keeper] {
                assert_eq!(parse_forwarded(forwarded_signal(source, number)), (source, number));
            }
            assert!(![LISTENING, DRAWING, ORDERLY_END, STOP_SEEN].contains(&signal(number)));
            assert_eq!(stop_signal(signal(number)), Some(number));
        }
        assert!([LISTENING, DRAWING, ORDERLY_END, STOP_SEEN].iter().all(|word| stop_signal(*word).is_none()));
    }
}
