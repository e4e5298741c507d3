//! What benchmarks and fuzz targets call of what is not public.
//! No interface for anybody else.

pub mod benching;
pub mod fuzzing;
