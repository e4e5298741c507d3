//! How fast bytes go into a spool and out of it, in memory and in the file.

use std::fs::File;

use divan::{Bencher, counter::BytesCount};
use procpool_core::LocalProcess;

fn main() {
    divan::main();
}

const SIZES: [usize; 4] = [0, 100, 10_000, 1_048_576];

#[divan::bench(args = SIZES)]
fn bytes_in(bencher: Bencher, size: usize) {
    let (runner, bytes) = (LocalProcess::new(), vec![b'x'; size]);
    bencher.counter(BytesCount::new(size)).bench(|| runner.keep(&bytes[..]));
}

#[divan::bench(args = SIZES)]
fn bytes_out(bencher: Bencher, size: usize) {
    let bytes = vec![b'x'; size];
    let spool = LocalProcess::new().keep(&bytes[..]).expect("room in the temporary directory");
    let mut out = File::options().write(true).open("/dev/null").expect("/dev/null");
    bencher.counter(BytesCount::new(size)).bench_local(|| spool.copy_to(&mut out));
}

#[divan::bench(args = SIZES)]
fn bytes_to_memory(bencher: Bencher, size: usize) {
    let bytes = vec![b'x'; size];
    let spool = LocalProcess::new().keep(&bytes[..]).expect("room in the temporary directory");
    bencher.counter(BytesCount::new(size)).bench(|| spool.to_vec());
}
