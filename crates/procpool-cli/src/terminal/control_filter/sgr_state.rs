//! The colour and attributes that SGR sequences have set so far: pure.

/// Differences from the terminal's default.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SgrState {
    attributes: Vec<Attribute>,
    /// A sequence was seen that terminals interpret differently. Only a reset certainly undoes it.
    unclear: bool,
}

/// A colour, or an attribute such as bold.
#[derive(Debug, PartialEq, Eq)]
struct Attribute {
    code: u16,
    /// The code that turns it off. Attributes with the same one replace each other.
    ended_by: u16,
    /// As received, with subparameters.
    parameters: Vec<u8>,
}

/// The Linux console ignores further parameters of a sequence, and other terminals have limits not much
/// higher.
const MOST_PARAMETERS: usize = 16;

impl SgrState {
    /// Whether the terminal is certainly in its default state.
    pub(crate) fn is_plain(&self) -> bool {
        self.attributes.is_empty() && !self.unclear
    }

    /// Applies a sequence, given the bytes between `ESC [` and `m`.
    pub(crate) fn apply(&mut self, parameters: &[u8]) {
        let parameters: Vec<&[u8]> = parameters.split(|byte| *byte == b';').collect();
        let mut rest = &parameters[..];
        while !rest.is_empty() {
            let (attribute, after) = rest.split_at(extent(rest).unwrap_or(rest.len()));
            self.set(attribute);
            rest = after;
        }
        self.unclear |= parameters.len() > MOST_PARAMETERS;
    }

    /// Sets or unsets one attribute, given all of its parameters.
    fn set(&mut self, parameters: &[&[u8]]) {
        let Some(code) = code(parameters[0]) else {
            self.unclear = true;
            return;
        };
        let has_subparameters = parameters[0].contains(&b':');
        match (code, ended_by(code)) {
            (0, _) if !has_subparameters => *self = SgrState::default(),
            (_, Some(ended_by)) if extent(parameters) == Some(parameters.len()) => {
                let new = Attribute { code, ended_by, parameters: parameters.join(&b';') };
                self.attributes.retain(|old| !new.replaces(old));
                self.attributes.push(new);
                // Terminals that don't know these take their arguments for codes.
                self.unclear |= has_subparameters || code == 58;
            }
            (22..=29 | 39 | 49 | 55 | 59, _) => self.attributes.retain(|old| old.ended_by != code),
            _ => self.unclear = true,
        }
    }

    /// The sequences that restore this state after a reset.
    pub(crate) fn sequences(&self) -> Vec<u8> {
        let sequences = self.attributes.iter().map(|attribute| sequence(&attribute.parameters));
        sequences.collect::<Vec<_>>().concat()
    }

    /// To be called after a reset that [`sequences`](Self::sequences) will follow.
    pub(crate) fn note_reset(&mut self) {
        self.unclear &= !self.attributes.is_empty();
    }
}

impl Attribute {
    fn replaces(&self, old: &Attribute) -> bool {
        // Bold and faint have the same end, but a text can be both.
        self.ended_by == old.ended_by && (self.ended_by != 22 || self.code == old.code)
    }
}

/// The complete sequence with these parameters.
pub(crate) fn sequence(parameters: &[u8]) -> Vec<u8> {
    [b"\x1b[", parameters, b"m"].concat()
}

/// How many parameters belong to the first attribute, if that is certain.
fn extent(parameters: &[&[u8]]) -> Option<usize> {
    let is_extended = matches!(code(parameters[0]), Some(38 | 48 | 58)) && !parameters[0].contains(&b':');
    let extent = match parameters.get(1).map(|kind| code(kind)) {
        _ if !is_extended => 1,
        Some(Some(5)) => 3,
        Some(Some(2)) => 5,
        _ => return None,
    };
    (extent <= parameters.len()).then_some(extent)
}

/// The number before the first subparameter; none is zero.
fn code(parameter: &[u8]) -> Option<u16> {
    let digits = parameter.split(|byte| *byte == b':').next().unwrap_or_default();
    if digits.is_empty() {
        return Some(0);
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What ends the attribute with this code, where all agree what it is.
fn ended_by(code: u16) -> Option<u16> {
    Some(match code {
        1 | 2 => 22,
        3 | 4 | 7 | 8 | 9 => code + 20,
        5 | 6 => 25,
        30..=38 | 90..=97 => 39,
        40..=48 | 100..=107 => 49,
        53 => 55,
        58 => 59,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(parameters: &[&str]) -> SgrState {
        let mut style = SgrState::default();
        for parameters in parameters {
            style.apply(parameters.as_bytes());
        }
        style
    }

    fn sequences(parameters: &[&str]) -> String {
        String::from_utf8(after(parameters).sequences()).unwrap()
    }

    #[test]
    fn what_was_asked_for_is_kept_until_it_is_replaced_or_ended() {
        assert_eq!(sequences(&["31", "1;4", "2", "32"]), "\x1b[1m\x1b[4m\x1b[2m\x1b[32m");
        assert_eq!(sequences(&["31;1;2;44", "22", "49"]), "\x1b[31m");
        assert_eq!(sequences(&["38;5;0;1", "48;2;0;0;0"]), "\x1b[38;5;0m\x1b[1m\x1b[48;2;0;0;0m");
        assert_eq!(sequences(&["38:2::1:2:3", "4:3"]), "\x1b[38:2::1:2:3m\x1b[4:3m");
    }

    #[test]
    fn a_style_is_plain_after_a_reset_and_after_the_end_of_all_that_was_asked_for() {
        for plain in
            [&["31", ""][..], &["31", "0"], &["31;1", "1;;"], &["31", "39"], &["1;2;97", "22;39"], &[]]
        {
            assert!(after(plain).is_plain(), "{plain:?}");
        }
    }

    #[test]
    fn only_a_reset_ends_what_terminals_do_not_agree_about() {
        let many = ["31"; 16].join(";") + ";0";
        for unclear in
            ["12", "38", "38;5", "38;7;1", "48;2;1;2", "58;5;1;59", "4:3;24", "70000", "0:1", &many]
        {
            let mut style = after(&[unclear]);
            assert!(!style.is_plain(), "{unclear}");
            style.apply(b"0");
            assert!(style.is_plain(), "{unclear}");
        }
    }
}
