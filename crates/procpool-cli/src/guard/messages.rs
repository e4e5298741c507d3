//! What the three processes send each other: a byte each, on the sockets between front and keeper, keeper and
//! pool.
//!
//! A signal is its number, which is 64 at most; any other message is a letter above that.

use crate::guard::signals::SignalSource;

/// From the pool: it reads the socket from now on, so signals can be sent as messages.
pub(super) const LISTENING: u8 = b'L';
/// From the pool, forwarded to the front: it may draw on the terminal.
pub(super) const DRAWING: u8 = b'D';
/// From the pool: it is about to exit in an orderly way. From the keeper: no process of the run is left.
pub(super) const ORDERLY_END: u8 = b'T';

/// From the front: it has read by which signal the pool was stopped. Whatever it sends after this refers to
/// that stop.
pub(super) const STOP_SEEN: u8 = b'S';

/// Marks a signal that the front has received, and not the keeper.
const OF_FRONT: u8 = 0x80;

/// The message for a signal.
pub(super) fn signal(number: i32) -> u8 {
    u8::try_from(number).unwrap_or_default() & !OF_FRONT
}

/// The message for a signal, from the keeper to the pool.
pub(super) fn forwarded_signal(source: SignalSource, number: i32) -> u8 {
    match source {
        SignalSource::Front => signal(number) | OF_FRONT,
        SignalSource::Own | SignalSource::Keeper => signal(number),
    }
}

/// What the pool makes of [`forwarded_signal`].
pub(super) fn parse_forwarded(message: u8) -> (SignalSource, i32) {
    let source = if message & OF_FRONT == 0 { SignalSource::Keeper } else { SignalSource::Front };
    (source, i32::from(message & !OF_FRONT))
}

/// The signal that stopped the pool, if that is what the keeper's message says.
pub(super) fn stop_signal(message: u8) -> Option<i32> {
    (1..=64).contains(&message).then_some(i32::from(message))
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
        assert!(
            [LISTENING, DRAWING, ORDERLY_END, STOP_SEEN]
                .iter()
                .all(|message| stop_signal(*message).is_none())
        );
    }
}
