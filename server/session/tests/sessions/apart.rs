//! What a script writes, and where it goes. Needs `python3`, not Keras.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use session::{Session, Status, Writes};

use crate::support::{request, to_end};

/// Writes in every way, and looks at what it has written.
const WRITER: &str = "\
import glob, io, os, pathlib, shutil, sys, tempfile
here = os.path.dirname(os.path.abspath(__file__))
# Relative, absolute, over an old one, at its end, in the middle.
open('new.txt', 'w').write('new')
assert open(os.path.join(here, 'new.txt')).read() == 'new'
open(os.path.join(here, 'model.keras'), 'w').write('half trained')
assert pathlib.Path('model.keras').read_text() == 'half trained'
open('log.csv', 'a').write('2,0.5\\n')
assert open('log.csv').read() == 'epoch,loss\\n1,0.7\\n2,0.5\\n'
with open('table.bin', 'r+b') as file:
    file.seek(2)
    file.write(b'XX')
assert open('table.bin', 'rb').read() == b'01XX4567'
# As Keras saves: a temporary file that takes the name.
open('weights.tmp', 'w').write('w')
os.replace('weights.tmp', 'weights.h5')
assert open('weights.h5').read() == 'w' and not os.path.exists('weights.tmp')
os.rename('moved.txt', 'there.txt')
assert open('there.txt').read() == 'moved' and not os.path.exists('moved.txt')
# Folders.
os.makedirs('logs/train/deep', exist_ok=True)
pathlib.Path('logs/train/events').write_bytes(b'e')
assert sorted(os.listdir('logs')) == ['old', 'train'], os.listdir('logs')
assert sorted(entry.name for entry in os.scandir('logs')) == ['old', 'train']
assert sorted(glob.glob('logs/*')) == ['logs/old', 'logs/train']
shutil.rmtree('old_logs')
assert not os.path.isdir('old_logs')
os.makedirs('old_logs')
assert os.listdir('old_logs') == []
open('old_logs/fresh', 'w').close()
assert os.listdir('old_logs') == ['fresh']
# Removing.
os.remove('gone.txt')
assert not pathlib.Path('gone.txt').exists() and 'gone.txt' not in os.listdir('.')
try:
    open('gone.txt')
except FileNotFoundError:
    pass
else:
    raise AssertionError('gone.txt is back')
open('gone_and_back.txt', 'r').close()
os.unlink('gone_and_back.txt')
open('gone_and_back.txt', 'w').write('back')
# Elsewhere.
os.chdir('logs')
open('../from_below.txt', 'w').write('below')
assert os.path.getsize('../from_below.txt') == 5
os.chdir('..')
open(pathlib.Path.home() / 'at_home.txt', 'w').write('home')
assert (pathlib.Path.home() / 'at_home.txt').stat().st_size == 4
shutil.copy('log.csv', 'copied.csv')
os.chmod('copied.csv', 0o600)
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, 'scratch'), 'w').write('s')
    assert os.listdir(folder) == ['scratch']
# What is not there fails as it always does.
for path in ('missing/file', 'log.csv/file'):
    try:
        open(path, 'w')
    except OSError as error:
        assert type(error) in (FileNotFoundError, NotADirectoryError), error
    else:
        raise AssertionError(path)
assert open('untouched.txt').read() == 'untouched'
with open(os.devnull, 'w') as file:
    file.write('nothing')
";

/// A folder with files that the script would change, and a home.
fn laid_out() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("model.keras", "trained for a week"),
        ("log.csv", "epoch,loss\n1,0.7\n"),
        ("table.bin", "01234567"),
        ("moved.txt", "moved"),
        ("logs/old", "old"),
        ("old_logs/a/b", "b"),
        ("gone.txt", "gone"),
        ("gone_and_back.txt", "first"),
        ("untouched.txt", "untouched"),
        ("home/.profile", ""),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Every file and folder below a folder, with the content of the files.
fn listing(folder: &Path) -> BTreeMap<PathBuf, Option<String>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(listing(&path));
            found.insert(path, None);
        } else {
            found.insert(path.clone(), Some(fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// Runs a script in a folder that was laid out. The files are as before, whatever it does.
fn apart(text: &str, writes: Writes, look: impl Fn(&Session, &Path)) {
    let folder = laid_out();
    fs::write(folder.path().join("train.py"), text).unwrap();
    let before = listing(folder.path());
    let mut wanted = request(folder.path(), &[]);
    let log = tempfile::tempdir().unwrap();
    wanted.log = Some(log.path().join("log"));
    wanted.directory = Some(folder.path().to_owned());
    wanted.writes = writes;
    wanted.environment = vec![("HOME".into(), folder.path().join("home").into())];
    let mut session = Session::start(&wanted).unwrap();
    let run = to_end(&mut session, log.path());
    assert_eq!(run.status, Status::Code(0), "{}", run.stderr);
    assert_eq!(listing(folder.path()), before);
    look(&session, folder.path());
}

fn names(paths: impl IntoIterator<Item = PathBuf>, folder: &Path) -> Vec<String> {
    let folder = fs::canonicalize(folder).unwrap();
    paths
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix(&folder).ok()?.to_str().unwrap().to_owned()))
        .collect()
}

fn is_kept_apart(writes: Writes) {
    apart(WRITER, writes, |session, folder| {
        let written = session.written().unwrap();
        assert_eq!(
            written.without_overlay.is_some(),
            writes == Writes::ApartInPython,
            "{written:?}"
        );
        let files = names(written.files.iter().map(|file| file.path.clone()), folder);
        let expected = [
            "copied.csv",
            "from_below.txt",
            "gone_and_back.txt",
            "home/at_home.txt",
            "log.csv",
            "logs/train/events",
            "model.keras",
            "new.txt",
            "old_logs/fresh",
            "table.bin",
            "there.txt",
            "weights.h5",
        ];
        assert_eq!(files, expected);
        let removed = names(written.removed, folder);
        assert!(
            removed.contains(&"gone.txt".to_owned()) && removed.contains(&"moved.txt".to_owned()),
            "{removed:?}"
        );

        // What was kept can be looked at, and takes the place of what was kept before.
        let script = folder.join("train.py");
        let kept = session.keep_written(&script).unwrap().unwrap();
        let real = fs::canonicalize(folder).unwrap();
        let model = kept.join(real.strip_prefix("/").unwrap()).join("model.keras");
        assert_eq!(fs::read_to_string(model).unwrap(), "half trained");
        let again = session.keep_written(&script).unwrap().unwrap();
        assert!(!kept.exists() && again.exists());
        fs::remove_dir_all(again).unwrap();
    });
}

fn can_be_written_after_all(writes: Writes) {
    apart(WRITER, writes, |session, folder| {
        session.commit_written().unwrap();
        let found = listing(folder);
        let text = |name: &str| found.get(&folder.join(name)).cloned().flatten();
        assert_eq!(text("model.keras").as_deref(), Some("half trained"));
        assert_eq!(text("table.bin").as_deref(), Some("01XX4567"));
        assert_eq!(text("log.csv").as_deref(), Some("epoch,loss\n1,0.7\n2,0.5\n"));
        assert_eq!(text("there.txt").as_deref(), Some("moved"));
        assert_eq!(text("gone_and_back.txt").as_deref(), Some("back"));
        assert_eq!(text("untouched.txt").as_deref(), Some("untouched"));
        for gone in ["gone.txt", "moved.txt", "old_logs/a", "weights.tmp"] {
            assert!(!found.contains_key(&folder.join(gone)), "{gone}");
        }
        assert!(found.contains_key(&folder.join("logs/train/deep")));
        let log = fs::metadata(folder.join("copied.csv")).unwrap();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&log.permissions()) & 0o777,
            0o600
        );
    });
}

#[cfg(target_os = "linux")]
#[test]
fn overlays_keep_files_apart() {
    if namespaces() {
        is_kept_apart(Writes::Apart);
    }
}

#[test]
fn python_keeps_files_apart() {
    is_kept_apart(Writes::ApartInPython);
}

#[cfg(target_os = "linux")]
#[test]
fn files_behind_overlays_can_be_written_after_all() {
    if namespaces() {
        can_be_written_after_all(Writes::Apart);
    }
}

#[test]
fn files_kept_by_python_can_be_written_after_all() {
    can_be_written_after_all(Writes::ApartInPython);
}

/// Other programs, and files that no call of Python opens, are behind overlays too.
#[cfg(target_os = "linux")]
#[test]
fn overlays_hold_for_children_as_well() {
    if !namespaces() {
        return;
    }
    let text = "import os, subprocess\n\
                subprocess.check_call('echo x > model.keras; rm gone.txt; mkdir made; mv log.csv made/', shell=True)\n\
                assert os.path.exists('made/log.csv') and not os.path.exists('gone.txt')\n\
                if os.fork() == 0:\n\
                \x20   os.setsid()\n\
                \x20   open('from_a_child', 'w').close()\n\
                \x20   os._exit(0)\n\
                os.wait()\n\
                assert os.path.exists('from_a_child')\n";
    apart(text, Writes::Apart, |_, _| {});
}

/// Root has namespaces of its own kind, so what everybody else gets is tried as somebody else.
#[cfg(target_os = "linux")]
#[test]
fn overlays_hold_for_who_is_not_root() {
    use std::os::unix::fs::chown;

    const NOBODY: u32 = 65534;
    // Not one in the home folder of root.
    let python = Path::new("/usr/bin/python3");
    if !namespaces() || !nix::unistd::geteuid().is_root() || !python.exists() {
        return; // Who is not root has tried it in the other tests.
    }
    let folder = laid_out();
    fs::write(folder.path().join("train.py"), WRITER).unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    for path in listing(folder.path()).keys().chain([&folder.path().to_owned()]) {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let before = listing(folder.path());
    let output = std::process::Command::new("setpriv")
        .args([
            &format!("--reuid={NOBODY}"),
            &format!("--regid={NOBODY}"),
            "--clear-groups",
        ])
        .arg(crate::support::dump())
        .arg("train.py")
        .current_dir(folder.path())
        .env("WRITES", "apart")
        .env("PYTHON", python)
        .env("HOME", folder.path().join("home"))
        .env("TMPDIR", folder.path().join("tmp"))
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        shown.contains("Code(0)"),
        "{shown}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        shown.contains("model.keras") && shown.contains("without_overlay: None"),
        "{shown}"
    );
    let mut after = listing(folder.path());
    after.retain(|path, _| !path.starts_with(folder.path().join("tmp/deeplocalize-dump.log")));
    assert_eq!(after, before);
}

/// Whether this system lets us have namespaces; where it does not, Python's part is what runs.
#[cfg(target_os = "linux")]
fn namespaces() -> bool {
    let allowed = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "true"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !allowed {
        eprintln!("this system gives no namespaces: overlays are not tested");
    }
    allowed
}
