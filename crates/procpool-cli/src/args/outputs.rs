//! What was typed about jobs' outputs.
//! Knows nothing of how they are delivered.

/// What becomes of outputs.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Print outputs in the order of the input, not as jobs end
    #[arg(short, long)]
    pub(crate) keep_order: bool,

    /// Begin each line of output with its job's key and a tab
    ///
    /// A last line without a newline is given one.
    #[arg(long)]
    pub(crate) tag: bool,

    /// Let the output control a terminal, not only colour it
    ///
    /// Otherwise what goes to a terminal is text in UTF-8 and colours: all other
    /// control sequences are taken out, and colour stops at the end of a line,
    /// to be taken up again in the next. To a pipe or a file bytes are exact
    /// anyway.
    #[arg(long)]
    pub(crate) raw_control: bool,
}
