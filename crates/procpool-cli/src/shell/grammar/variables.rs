//! What a shell does with a value that is assigned to a variable, by the variable's name and what was said of it before.
//! Knows nothing of where in a text it is assigned.

use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::refusal::Refusal;
use crate::shell::lexer::among;

/// The shell, and what is known of its variables.
#[derive(Debug)]
pub(super) struct ShellContext {
    pub(super) dialect: Dialect,
    pub(super) variables: Variables,
}

/// What was said of variables so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    computed: Vec<Vec<u8>>,
    arrays: Vec<Vec<u8>>,
}

/// What is assigned to them is read as commands later on: by `set -x`, by another bash, by a name that is not found, by
/// `cd`, and as aliases and functions.
const READ: &str = "PS4 BASH_ENV COMMAND_NOT_FOUND_HANDLER YASH_AFTER_CD BASH_ALIASES aliases galiases saliases \
    functions";

/// What is assigned to them is computed.
const COMPUTED: &str = "BASHPID HISTCMD OPTIND PPID RANDOM SECONDS SRANDOM";

/// What is assigned to them is computed by shells that compute numbers; in others they are ordinary.
const COUNTS: &str = "COLUMNS EGID ERRNO EUID FUNCNEST GID HISTSIZE KEYTIMEOUT LINES LISTMAX MAILCHECK SAVEHIST SHLVL \
    TMOUT TRY_BLOCK_ERROR UID";

/// They are arrays from the beginning.
const ARRAYS: &str = "BASH_ALIASES DIRSTACK";

impl Variables {
    /// Why no value can be assigned to it.
    pub(super) fn refuses(&self, variable: &[u8], dialect: Dialect) -> Option<Refusal> {
        let among = |names| among(names, variable);
        if self.computed.iter().any(|computed| computed == variable) {
            return Some(Refusal::Number("declare -i"));
        }
        among(READ)
            .map(Refusal::Code)
            .or_else(|| among(COMPUTED).map(Refusal::Number))
            .or_else(|| among(COUNTS).filter(|_| dialect.computes_numbers()).map(Refusal::Number))
    }

    pub(super) fn is_array(&self, variable: &[u8]) -> bool {
        self.arrays.iter().any(|array| array == variable) || among(ARRAYS, variable).is_some()
    }

    pub(super) fn add_array(&mut self, name: &[u8]) {
        self.arrays.push(name.to_vec());
    }

    pub(super) fn add_computed(&mut self, name: &[u8]) {
        self.computed.push(name.to_vec());
    }
}
