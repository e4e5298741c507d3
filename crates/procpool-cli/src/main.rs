//! The program `procpool`: it calls the library beside it.

fn main() {
    procpool_cli::main()
}
