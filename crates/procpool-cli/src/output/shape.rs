//! What an output passes through on its way to a stream: a filter for terminals, a tag, both, or nothing.

use std::io::{self, Write};

use procpool_core::Key;

use crate::output::tag::{Returns, Tagged};
use crate::terminal::control_filter::ControlFilter;
pub(crate) use procpool_journal::write::output_shape::StreamFilter;

/// A writer that shapes one output of one job.
pub(crate) enum Shape<W: Write> {
    Exact(W),
    Tagged(Tagged<W>),
    Filtered(ControlFilter<W>),
    /// The tag is added behind the filter, which resets colours at the end of each line. So the tag is plain.
    FilteredTagged(ControlFilter<Tagged<W>>),
}

impl<W: Write> Shape<W> {
    /// `label`: what each line begins with, if anything.
    pub(crate) fn new(passes: StreamFilter, label: Option<&Key>, writer: W) -> Shape<W> {
        match (passes, label) {
            (StreamFilter::Everything, None) => Shape::Exact(writer),
            (StreamFilter::Everything, Some(label)) => {
                Shape::Tagged(Tagged::new(writer, label.as_bytes(), Returns::Anywhere))
            }
            (StreamFilter::TextAndColour, None) => Shape::Filtered(ControlFilter::new(writer)),
            // The label looks as in the summary.
            (StreamFilter::TextAndColour, Some(label)) => {
                let tagged = Tagged::new(writer, label.to_string().as_bytes(), Returns::BehindTag);
                Shape::FilteredTagged(ControlFilter::new(tagged))
            }
        }
    }

    /// Ends the output, and returns the writer.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Shape::Exact(writer) => Ok(writer),
            Shape::Tagged(tagged) => tagged.finish(),
            Shape::Filtered(filter) => filter.finish(),
            Shape::FilteredTagged(filter) => filter.finish()?.finish(),
        }
    }
}

impl<W: Write> Write for Shape<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Shape::Exact(writer) => writer.write(bytes),
            Shape::Tagged(tagged) => tagged.write(bytes),
            Shape::Filtered(filter) => filter.write(bytes),
            Shape::FilteredTagged(filter) => filter.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
