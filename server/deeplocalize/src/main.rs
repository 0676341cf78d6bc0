//! `deeplocalize`: see `deeplocalize --help`.

fn main() -> std::process::ExitCode {
    deeplocalize::cli::main()
}
