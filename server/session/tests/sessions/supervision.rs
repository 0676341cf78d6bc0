//! What happens to a script and to everything it starts, for real. Needs `python3`, not Keras.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{self, alive, events, run, session, tagged, wait_for_file, wait_until_gone};
use session::{Event, Status};
use trace::{Frame, Message};

#[test]
fn the_script_runs_as_main_with_its_arguments() {
    let run = run(
        "import os, sys\n\
         assert __name__ == '__main__' and sys.argv[0] == __file__, sys.argv\n\
         assert sys.path[0] == os.path.dirname(os.path.realpath(__file__)), sys.path\n\
         assert not [name for name in os.environ if name.upper().startswith('_DEEPLOCALIZE')]\n\
         print('to stdout', sys.argv[1:])\n\
         print('to stderr', file=sys.stderr)\n",
        &["--epochs", "3 4"],
    );
    assert_eq!(run.status, Status::Code(0), "{}", run.stderr);
    assert!(run.log.contains("to stdout ['--epochs', '3 4']"), "{}", run.log);
    assert!(run.log.contains("to stderr") && run.stderr.trim() == "to stderr");
    assert!(
        matches!(&run.messages[0], Message::Start(start) if start.pid > 0 && start.python.starts_with("3."))
    );
    assert!(
        matches!(&run.messages[run.messages.len() - 1], Message::Exit(exit) if exit.code == 0 && exit.fits == 0)
    );
}

#[test]
fn exit_statuses_come_through() {
    for (text, status) in [
        ("import sys; sys.exit(7)", Status::Code(7)),
        ("import sys; sys.exit('no data')", Status::Code(1)),
        ("raise ValueError('bad')", Status::Code(1)),
        ("import os; os._exit(200)", Status::Code(200)),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            Status::Signal(9),
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            Status::Signal(11),
        ),
    ] {
        assert_eq!(run(text, &[]).status, status, "{text}");
    }
}

#[test]
fn a_traceback_looks_as_it_always_does() {
    let text = "def f():\n    return 1 / 0\n\nf()\n";
    let run = run(text, &[]);
    let script = run.script.display();
    assert_eq!(
        run.stderr
            .lines()
            .filter(|line| !line.trim_start().starts_with(['^', '~']))
            .collect::<Vec<_>>(),
        [
            "Traceback (most recent call last):",
            &format!("  File \"{script}\", line 4, in <module>"),
            "    f()",
            &format!("  File \"{script}\", line 2, in f"),
            "    return 1 / 0",
            "ZeroDivisionError: division by zero",
        ]
    );
    let Some(Message::Exception(exception)) =
        run.messages.iter().find(|m| matches!(m, Message::Exception(_)))
    else {
        panic!("no exception in {:?}", run.messages);
    };
    assert_eq!(
        (exception.class.as_str(), exception.message.as_str()),
        ("ZeroDivisionError", "division by zero")
    );
    assert_eq!(
        exception
            .frames
            .iter()
            .map(|frame| frame.site.line)
            .collect::<Vec<_>>(),
        [4, 2]
    );
    assert!(exception.frames.iter().all(|frame| frame.user));
}

#[test]
fn input_ends_the_script_and_is_noticed() {
    let run = run("name = input('Name? ')\n", &[]);
    assert_eq!(run.status, Status::Code(1));
    assert!(run.stderr.contains("EOFError"), "{}", run.stderr);
    let notice = run.messages.iter().find_map(|message| match message {
        Message::Notice(notice) => Some(notice),
        _ => None,
    });
    let notice = notice.unwrap();
    assert_eq!(notice.name, "input");
    assert_eq!(notice.site.as_ref().unwrap().line, 1);
}

#[test]
fn a_script_that_prints_without_end_fills_neither_memory_nor_disk() {
    let run = run(
        "import sys\nblock = 'x' * 65536\nfor _ in range(800):\n    sys.stdout.write(block)\nsys.stderr.write('last words')\n",
        &[],
    );
    assert_eq!(run.status, Status::Code(0));
    assert!(run.log.len() < (16 << 20) + 1000, "{}", run.log.len());
    assert_eq!(run.stderr, "last words");
}

#[test]
fn rubbish_on_the_channel_is_an_error_and_no_hang() {
    let (mut session, _folder) = session(
        "import os, time\n\
         for number in range(3, 20):\n\
         \x20   try:\n\
         \x20       os.write(number, b'rubbish' * 40000)\n\
         \x20   except OSError:\n\
         \x20       pass\n",
        &[],
    );
    let (mut wrong, mut status) = (false, None);
    while status.is_none() {
        match session.next_event(Duration::from_secs(30)) {
            Some(Event::TraceError(_)) => wrong = true,
            Some(Event::Exited { status: ended }) => status = Some(ended),
            Some(Event::Frame(_)) => {}
            None => panic!("no event"),
        }
    }
    assert!(wrong);
    assert_eq!(status, Some(Status::Code(0)));
}

/// A script that starts everything which might outlive it, each with `tag` in its command line.
fn clinging(tag: &str) -> String {
    format!(
        "import os, signal, subprocess, sys, time\n\
         signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
         signal.signal(signal.SIGHUP, signal.SIG_IGN)\n\
         sleep = [sys.executable, '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)', '{tag}']\n\
         subprocess.Popen(sleep)\n\
         subprocess.Popen(sleep, start_new_session=True)\n\
         if os.fork() == 0:\n\
         \x20   os.setsid()\n\
         \x20   if os.fork() == 0:\n\
         \x20       subprocess.Popen(sleep)\n\
         \x20       os.execv(sleep[0], sleep)\n\
         \x20   os._exit(0)\n\
         time.sleep(1)\n\
         open(sys.argv[1], 'w').close()\n"
    )
}

#[test]
fn nothing_outlives_the_end_of_the_script() {
    let tag = tagged("end");
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let run = run(&clinging(&tag), &[ready.to_str().unwrap()]);
    assert_eq!(run.status, Status::Code(0), "{}", run.stderr);
    assert_eq!(alive(&tag), Vec::<String>::new());
}

#[test]
fn nothing_outlives_stop_or_drop() {
    for drop_only in [false, true] {
        let tag = tagged(if drop_only { "drop" } else { "stop" });
        let text = clinging(&tag) + "while True: time.sleep(1)\n";
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let (mut session, _folder) = session(&text, &[ready.to_str().unwrap()]);
        wait_for_file(&ready);
        assert_eq!(alive(&tag).len(), 4, "{:?}", alive(&tag));
        let begun = Instant::now();
        if drop_only {
            drop(session);
        } else {
            session.stop();
            let last = session.next_event(Duration::ZERO);
            assert!(
                matches!(
                    last,
                    Some(Event::Exited {
                        status: Status::Stopped
                    })
                ),
                "{last:?}"
            );
            assert!(session.next_event(Duration::ZERO).is_none());
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(alive(&tag), Vec::<String>::new());
    }
}

#[test]
fn nothing_outlives_a_killed_tool() {
    let tag = tagged("kill");
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let script = folder.path().join("train.py");
    std::fs::write(&script, clinging(&tag) + "while True: time.sleep(1)\n").unwrap();
    let mut tool = Command::new(support::dump())
        .args([&script, &ready])
        .env("PYTHON", support::python())
        .env("TMPDIR", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_file(&ready);
    assert_eq!(alive(&tag).len(), 4);
    // SIGKILL: the tool can do nothing about it.
    tool.kill().unwrap();
    tool.wait().unwrap();
    wait_until_gone(&tag);
    wait_until_gone(script.to_str().unwrap());
    let left = std::fs::read_dir(folder.path()).unwrap();
    let mut left: Vec<_> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["deeplocalize-dump.log", "ready", "train.py"]);
}

#[test]
fn a_killed_supervisor_takes_the_script_with_it() {
    let tag = tagged("supervisor");
    let (mut session, _folder) = session("import time\ntime.sleep(600)\n", &[&tag]);
    // The start frame says that Python runs.
    assert!(matches!(
        session.next_event(Duration::from_secs(30)),
        Some(Event::Frame(Frame::Message(Message::Start(_))))
    ));
    for process in alive(&tag)
        .iter()
        .filter(|line| line.contains(session::SUPERVISE))
    {
        let pid = process.split(' ').next().unwrap();
        assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
    }
    let last = events(&mut session).pop();
    assert!(
        matches!(
            last,
            Some(Event::Exited {
                status: Status::Signal(9)
            })
        ),
        "{last:?}"
    );
    wait_until_gone(&tag);
}

#[test]
fn children_of_the_script_neither_hold_nor_see_the_channel() {
    let run = run(
        "import os, subprocess, sys\n\
         def sockets(pid):\n\
         \x20   folder = f'/proc/{pid}/fd'\n\
         \x20   links = [os.readlink(f'{folder}/{n}') for n in os.listdir(folder) if os.path.exists(f'{folder}/{n}')]\n\
         \x20   return [link for link in links if link.startswith('socket')]\n\
         child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE, close_fds=False)\n\
         assert not sockets(child.pid), sockets(child.pid)\n\
         child.kill()\n\
         child.wait()\n\
         if os.fork() == 0:\n\
         \x20   os._exit(len(sockets(os.getpid())))\n\
         assert os.wait()[1] == 0\n",
        &[],
    );
    assert_eq!(run.status, Status::Code(0), "{}", run.stderr);
}
