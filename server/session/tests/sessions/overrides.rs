//! Texts that run in place of the files on disk. Needs `python3`, not Keras.

use crate::support::{self, request, to_end};
use session::{Session, Status};
use trace::Message;

#[test]
fn a_text_runs_in_place_of_the_file_and_the_disk_is_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let (script, module) = (folder.path().join("train.py"), folder.path().join("helper.py"));
    std::fs::write(&script, "raise SystemExit('the file')\n").unwrap();
    std::fs::write(&module, "def fail():\n    raise RuntimeError('the file')\n").unwrap();
    // Bytecode of the file on disk must not be taken for the text.
    let compiled = std::process::Command::new(support::python())
        .args(["-m", "compileall", "-q"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(compiled.success());
    let before = listing(folder.path());
    let mut wanted = request(folder.path(), &[]);
    wanted.log = None;
    let text = "import helper, inspect\n\
                text = open(__file__).read()\n\
                assert text.startswith('import helper, inspect'), text\n\
                assert 'the text' in inspect.getsource(helper.fail)\n\
                helper.fail()\n";
    wanted.overrides.insert(script.clone(), text.to_owned());
    wanted.overrides.insert(
        module.clone(),
        "\n\ndef fail():\n    raise KeyError('the text')\n".to_owned(),
    );
    wanted.log = Some(folder.path().join("log"));
    let run = to_end(&mut Session::start(&wanted).unwrap(), folder.path());
    assert_eq!(run.status, Status::Code(1));
    std::fs::remove_file(folder.path().join("log")).unwrap();
    assert_eq!(listing(folder.path()), before);

    let shown: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| !line.trim_start().starts_with(['^', '~']))
        .collect();
    let expected = [
        "Traceback (most recent call last):".to_owned(),
        format!("  File \"{}\", line 5, in <module>", script.display()),
        "    helper.fail()".to_owned(),
        format!("  File \"{}\", line 4, in fail", module.display()),
        "    raise KeyError('the text')".to_owned(),
        "KeyError: 'the text'".to_owned(),
    ];
    assert_eq!(shown, expected);
    let exception = run.messages.iter().find_map(|message| match message {
        Message::Exception(exception) => Some(exception),
        _ => None,
    });
    let sites: Vec<_> = exception
        .unwrap()
        .frames
        .iter()
        .map(|frame| (frame.site.path.clone(), frame.site.line))
        .collect();
    assert_eq!(sites, [(script, 5), (module, 4)]);
}

#[test]
fn a_text_without_a_file_runs_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = request(folder.path(), &[]);
    wanted
        .overrides
        .insert(wanted.script.clone(), "print('only a text')\n".to_owned());
    let run = to_end(&mut Session::start(&wanted).unwrap(), folder.path());
    assert_eq!((run.status, run.log.as_str()), (Status::Code(0), "only a text\n"));
}

/// Every file below a folder with its content.
fn listing(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(listing(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
