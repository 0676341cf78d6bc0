//! Scripts that take too much, or go wrong in a way of their own. Needs `python3`, not Keras.

use std::time::{Duration, Instant};

use session::{Event, Excess, Limits, Session, Status, Writes};
use trace::{Frame, Message};

use crate::support::{alive, events, request, run, session, tagged, wait_for_file, wait_until_gone};

/// Runs a script under limits. How it ended, and whether that took less than half a minute.
fn limited(text: &str, limits: Limits) -> Status {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    let mut wanted = request(folder.path(), &[]);
    wanted.limits = limits;
    wanted.writes = Writes::Apart;
    let mut session = Session::start(&wanted).unwrap();
    let begun = Instant::now();
    match events(&mut session).pop() {
        Some(Event::Exited { status }) => {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
            status
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_script_that_takes_too_much_memory_is_ended() {
    let limits = Limits {
        memory: Some(200 << 20),
        ..Limits::default()
    };
    let alone = "import time\nkept = []\nwhile True:\n    kept.append(bytearray(b'x' * (8 << 20)))\n    time.sleep(0.02)\n";
    // Processes that share nothing are added up.
    let together = "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        \
                    kept = bytearray(b'x' * (60 << 20))\n        time.sleep(60)\ntime.sleep(60)\n";
    for text in [alone, together] {
        let status = limited(text, limits);
        assert!(
            matches!(status, Status::Excess(Excess::Memory(bytes)) if bytes > 200 << 20),
            "{status:?}"
        );
    }
    // What processes share is counted once.
    let shared = "import os\nkept = bytearray(b'x' * (80 << 20))\nchildren = []\nfor _ in range(6):\n    pid = os.fork()\n    \
                  if pid == 0:\n        import time\n        time.sleep(1)\n        os._exit(0)\n    children.append(pid)\n\
                  for pid in children:\n    os.waitpid(pid, 0)\n";
    assert_eq!(limited(shared, limits), Status::Code(0));
}

#[test]
fn a_script_that_fills_the_disk_is_ended() {
    let limits = Limits {
        written: 40 << 20,
        ..Limits::default()
    };
    let text = "import time\nfile = open('checkpoint', 'wb')\nwhile True:\n    file.write(b'x' * (4 << 20))\n    \
                file.flush()\n    time.sleep(0.02)\n";
    let status = limited(text, limits);
    assert!(
        matches!(status, Status::Excess(Excess::Written(bytes)) if bytes > 40 << 20),
        "{status:?}"
    );
}

#[test]
fn a_script_that_deletes_itself_is_still_there() {
    let text =
        "import os\nos.remove(__file__)\nassert not os.path.exists(__file__)\nos.chdir('/')\nprint('gone')\n";
    for writes in [Writes::Apart, Writes::ApartInPython] {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("train.py");
        std::fs::write(&script, text).unwrap();
        let mut wanted = request(folder.path(), &[]);
        wanted.writes = writes;
        let run = crate::support::to_end(&mut Session::start(&wanted).unwrap(), folder.path());
        assert_eq!(
            (run.status, run.log.as_str()),
            (Status::Code(0), "gone\n"),
            "{}",
            run.stderr
        );
        assert_eq!(std::fs::read_to_string(&script).unwrap(), text);
    }
}

#[test]
fn statuses_of_processes_that_were_killed_come_through() {
    assert_eq!(run("import os; os._exit(137)", &[]).status, Status::Code(137));
    assert_eq!(run("import os; os.abort()", &[]).status, Status::Signal(6));
}

#[test]
fn threads_and_processes_of_the_script_work_and_send_nothing() {
    let text = "import multiprocessing, os, sys, threading\n\
                def work(number):\n\
                \x20   return number * 2\n\
                if __name__ == '__main__':\n\
                \x20   for method in ('fork', 'spawn'):\n\
                \x20       with multiprocessing.get_context(method).Pool(2) as pool:\n\
                \x20           assert pool.map(work, [1, 2, 3]) == [2, 4, 6]\n\
                \x20   done = []\n\
                \x20   threads = [threading.Thread(target=lambda: done.append(work(1))) for _ in range(8)]\n\
                \x20   for thread in threads: thread.start()\n\
                \x20   for thread in threads: thread.join()\n\
                \x20   assert done == [2] * 8\n\
                \x20   print('worked')\n";
    let run = run(text, &[]);
    assert_eq!(
        (run.status, run.log.as_str()),
        (Status::Code(0), "worked\n"),
        "{}",
        run.stderr
    );
    let starts = run
        .messages
        .iter()
        .filter(|message| matches!(message, Message::Start(_)));
    assert_eq!(starts.count(), 1);
}

#[test]
fn a_frame_that_breaks_off_is_an_error_and_no_hang() {
    // A length of 100 bytes, of which three come.
    let text = "import os\nfor number in range(3, 20):\n    try:\n        os.write(number, b'\\x64\\0\\0\\0Jabc')\n    \
                except OSError:\n        pass\nos._exit(0)\n";
    let (mut session, _folder) = session(text, &[]);
    let events = events(&mut session);
    assert!(
        events.iter().any(|event| matches!(event, Event::TraceError(_))),
        "{events:?}"
    );
    assert!(matches!(
        events.last(),
        Some(Event::Exited {
            status: Status::Code(0)
        })
    ));
}

#[test]
fn a_script_that_closes_the_channel_goes_on() {
    let text = "import os\nos.closerange(3, 64)\nfiles = [open('/dev/null', 'w') for _ in range(20)]\nprint('still here')\n";
    let run = run(text, &[]);
    assert_eq!(
        (run.status, run.log.as_str()),
        (Status::Code(0), "still here\n"),
        "{}",
        run.stderr
    );
    assert!(
        !run.messages
            .iter()
            .any(|message| matches!(message, Message::Exit(_)))
    );
}

#[test]
fn two_sessions_at_once_do_not_meet() {
    let text = "import sys, time\nopen('model.keras', 'w').write(sys.argv[1])\ntime.sleep(1)\n\
                print(open('model.keras').read(), end='')\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    let start = |name: &str| {
        let mut wanted = request(folder.path(), &[name]);
        wanted.writes = Writes::Apart;
        wanted.directory = Some(folder.path().to_owned());
        wanted.log = Some(folder.path().join(name));
        Session::start(&wanted).unwrap()
    };
    let mut sessions = [start("one"), start("two")];
    for session in &mut sessions {
        assert!(matches!(
            events(session).pop(),
            Some(Event::Exited {
                status: Status::Code(0)
            })
        ));
    }
    for name in ["one", "two"] {
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), name);
    }
    assert!(!folder.path().join("model.keras").exists());
}

/// Nothing is left of a script whose files are kept apart either, whatever it has started.
#[cfg(target_os = "linux")]
#[test]
fn nothing_outlives_a_session_behind_overlays() {
    let tag = tagged("apart");
    let folder = tempfile::tempdir().unwrap();
    let text = "import os, subprocess, sys, time\n\
                subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]], start_new_session=True)\n\
                while True: time.sleep(1)\n";
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    let mut wanted = request(folder.path(), &[&tag]);
    wanted.writes = Writes::Apart;
    let mut session = Session::start(&wanted).unwrap();
    assert!(matches!(
        session.next_event(Duration::from_secs(30)),
        Some(Event::Frame(Frame::Message(Message::Start(_))))
    ));
    let begun = Instant::now();
    // The supervisor, the script and its child.
    while alive(&tag).len() < 3 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", alive(&tag));
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(session);
    wait_until_gone(&tag);
}

/// A machine that sleeps stops and wakes all processes; so does a signal.
#[test]
fn a_run_outlasts_a_sleep() {
    let tag = tagged("sleep");
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let go_on = folder.path().join("go-on");
    let text = "import os, sys, time\nopen('ready', 'w').close()\n\
                while not os.path.exists('go-on'): time.sleep(0.01)\nprint('awake')\n";
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    let mut wanted = request(folder.path(), &[&tag]);
    wanted.directory = Some(folder.path().to_owned());
    let mut session = Session::start(&wanted).unwrap();
    wait_for_file(&ready);
    let signal = |name: &str| {
        for process in alive(&tag) {
            let pid = process.split_whitespace().next().unwrap().to_owned();
            std::process::Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap();
        }
    };
    signal("-STOP");
    std::fs::write(&go_on, "").unwrap();
    assert!(matches!(
        session.next_event(Duration::from_millis(300)),
        None | Some(Event::Frame(Frame::Message(Message::Start(_))))
    ));
    signal("-CONT");
    let run = crate::support::to_end(&mut session, folder.path());
    assert_eq!(
        (run.status, run.log.as_str()),
        (Status::Code(0), "awake\n"),
        "{}",
        run.stderr
    );
}
