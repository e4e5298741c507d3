//! The script that an element runs; sbatch accepts nothing but scripts.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// A script that executes this command in its place, so that signals to the script reach the command.
pub(crate) fn of(command: &[OsString]) -> Vec<u8> {
    let mut script = b"#!/bin/sh\nexec".to_vec();
    for word in command {
        script.extend(b" '");
        // Within single quotes only the single quote is special.
        for byte in word.as_bytes() {
            match byte {
                b'\'' => script.extend(b"'\\''"),
                other => script.push(*other),
            }
        }
        script.push(b'\'');
    }
    script.push(b'\n');
    script
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_shell_runs_any_words_as_they_are(words in proptest::collection::vec(proptest::collection::vec(1_u8.., 0..20), 0..4)) {
            let words: Vec<OsString> = words.into_iter().map(OsString::from_vec).collect();
            let mut command = vec![OsString::from("printf"), OsString::from("%s|")];
            command.extend(words.iter().cloned());
            let said = Command::new("sh").arg("-c").arg(OsString::from_vec(of(&command))).output().unwrap().stdout;
            let mut meant: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"|"].concat()).collect();
            if words.is_empty() {
                meant = b"|".to_vec();
            }
            prop_assert_eq!(said, meant);
        }
    }
}
