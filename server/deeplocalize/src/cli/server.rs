//! `deeplocalize server`.

use std::process::ExitCode;

/// Serve an editor: the language server protocol on standard input and output
#[derive(Debug, clap::Args)]
pub struct Server {
    /// Accepted because some editors add it; there is no other way to talk
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Server {
    pub fn execute(self) -> ExitCode {
        crate::lsp::serve()
    }
}
