//! Access to private code for benchmarks and fuzz targets. This is not a public interface.

pub mod benching;
pub mod fuzzing;
