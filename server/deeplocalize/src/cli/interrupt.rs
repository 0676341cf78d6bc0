//! Ctrl-C and its kin: the first asks the run to end and report what it knows, the second ends the program.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::run::Cancel;

/// Exit status of a program that a signal ended, as shells count it.
const SIGNALLED: i32 = 128;

/// The signal that asked the run to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicI32>);

impl Interrupt {
    /// Watches for signals from now on and cancels on the first.
    pub fn watch(cancel: Cancel) -> io::Result<Self> {
        let interrupt = Interrupt::default();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let first = interrupt.clone();
        thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if cancel.is_cancelled() {
                    // What the run started is ended by its supervisor, which notices that this process is gone.
                    std::process::exit(SIGNALLED + signal);
                }
                first.0.store(signal, Ordering::Relaxed);
                cancel.cancel();
            }
        })?;
        Ok(interrupt)
    }

    /// The exit status, when there was a signal.
    pub fn status(&self) -> Option<u8> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(SIGNALLED + signal).ok(),
        }
    }
}
