//! The program; everything is in the library, which tests with hostile files use too.

fn main() -> std::process::ExitCode {
    trapeze::main()
}
