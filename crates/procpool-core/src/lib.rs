//! Runs a keyed list of commands with a limit.
