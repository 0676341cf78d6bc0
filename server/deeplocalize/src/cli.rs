//! The command line: one file per command.

mod analyze;
mod check;
mod common;
mod diff;
mod engine;
mod explain;
mod fix;
mod interrupt;
mod progress;
mod report;
mod rules;
mod run;
mod script;
mod server;
mod settings;
mod supervise;
mod watch;

use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};

const AFTER_HELP: &str = "\
Examples:
  deeplocalize check train.py         look at the code alone
  deeplocalize run train.py           train for a moment and find the line to blame
  deeplocalize fix train.py           find the change that makes it learn, by trying
  deeplocalize report run.npz         see a training as a page in the browser
  deeplocalize explain DL101          what a finding means and what to do

Exit status:
  0    nothing found at or above the severity of --fail-on (default: error)
  1    something found, even if part of the work could not be done
  2    nothing found, but the tool could not do all of its work; or a wrong command line
  130  interrupted by Ctrl-C (128 + number of the signal)";

/// Finds the line of a Keras script that keeps the network from learning
#[derive(Debug, Parser)]
#[command(name = "deeplocalize", version, after_help = AFTER_HELP, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Tell on standard error what happens; twice for more
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 900)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Check),
    Run(run::Run),
    Analyze(analyze::Analyze),
    Report(report::ReportCommand),
    Fix(fix::Fix),
    Explain(explain::Explain),
    Rules(rules::Rules),
    Server(server::Server),
    #[command(name = "__supervise", hide = true)]
    Supervise(supervise::Supervise),
    #[command(name = "__engine", hide = true)]
    Engine(engine::Engine),
}

/// Entry point of the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The server writes its own log, and what runs beside a script none.
    if !matches!(
        arguments.command,
        Command::Server(_) | Command::Supervise(_) | Command::Engine(_)
    ) {
        common::log(arguments.verbose);
    }
    match arguments.command {
        Command::Check(command) => common::exit_code(command.execute()),
        Command::Run(command) => common::exit_code(command.execute()),
        Command::Analyze(command) => common::exit_code(command.execute()),
        Command::Report(command) => common::exit_code(command.execute()),
        Command::Fix(command) => common::exit_code(command.execute()),
        Command::Explain(command) => common::exit_code(command.execute()),
        Command::Rules(command) => common::exit_code(command.execute()),
        Command::Server(command) => command.execute(),
        Command::Supervise(command) => command.execute(),
        Command::Engine(command) => command.execute(),
    }
}
