//! The program `procpool`: the library beside it, started.
//! Knows nothing at all.

fn main() {
    procpool_cli::main()
}
