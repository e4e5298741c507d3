//! Variables that a value can't be assigned to, by their names or by how the text declared them.
//! Most variables are harmless; these are evaluated, parsed as commands, or are arrays.

use crate::shell::grammar::dialect::Dialect;
use crate::shell::grammar::refusal::Refusal;
use crate::shell::lexer::among;

/// The shell, and the variables that its text has declared.
#[derive(Debug)]
pub(super) struct ShellContext {
    pub(super) dialect: Dialect,
    pub(super) variables: Variables,
}

/// Variables declared so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    computed: Vec<Vec<u8>>,
    arrays: Vec<Vec<u8>>,
}

/// Parsed as commands later: by `set -x`, by another bash, for an unknown command, by `cd`, as aliases and
/// functions.
const READ: &str = "PS4 BASH_ENV COMMAND_NOT_FOUND_HANDLER YASH_AFTER_CD BASH_ALIASES aliases galiases saliases \
    functions";

/// Numeric: the shell evaluates what is assigned.
const COMPUTED: &str = "BASHPID HISTCMD OPTIND PPID RANDOM SECONDS SRANDOM";

/// Numeric only in shells that evaluate numbers.
const COUNTS: &str = "COLUMNS EGID ERRNO EUID FUNCNEST GID HISTSIZE KEYTIMEOUT LINES LISTMAX MAILCHECK SAVEHIST SHLVL \
    TMOUT TRY_BLOCK_ERROR UID";

/// Arrays without a declaration.
const ARRAYS: &str = "BASH_ALIASES DIRSTACK";

impl Variables {
    /// Why a value can't be assigned to this variable.
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
