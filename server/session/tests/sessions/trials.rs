//! The process that trials are forked from. Needs `python3`; without NumPy it ends at once, which is as good here.

use std::time::Duration;

use session::{TrialEvent, Trials};

use crate::support::request;

#[test]
fn trials_whose_channel_is_broken_are_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), "").unwrap();
    // Imported before the first trial: writes what is no frame, and stays.
    let breaks = "import os, time\nfor number in range(3, 20):\n    try:\n        os.write(number, b'\\x04\\0\\0\\0Xabcd')\n    \
                  except OSError:\n        pass\ntime.sleep(600)\n";
    std::fs::write(folder.path().join("breaks.py"), breaks).unwrap();
    let mut wanted = request(folder.path(), &[]);
    wanted.environment = vec![("PYTHONPATH".into(), folder.path().into())];
    let mut trials = Trials::start(&wanted, &["breaks".to_owned()]).unwrap();
    // What the process says of itself before is no event of a trial, and no reason to stop waiting.
    let event = trials.next_event(Duration::from_secs(60));
    assert!(matches!(event, Some(TrialEvent::Gone)), "{event:?}");
    assert!(!trials.alive());
}
