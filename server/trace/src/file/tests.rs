use std::process::Command;

use super::*;
use crate::{Frame, LayoutMessage, LayoutRow, Message, Scalar, Stat, StepFrame, Trace};

fn frame(step: u64, probed: bool) -> Frame {
    Frame::Step(StepFrame {
        fit: 0,
        layout: 0,
        epoch: (step / 10) as u32,
        batch: (step % 10) as u32,
        step,
        scalars: vec![1.0 / (step + 1) as f64, 0.01, f64::NAN],
        rows: if probed { 2 } else { 0 },
        stats: if probed {
            vec![4.0, step as f64, f64::INFINITY, 8.0]
        } else {
            Vec::new()
        },
    })
}

/// A trace of a hundred steps of which every tenth is probed.
fn sample() -> Trace {
    let row = |tensor, weight: Option<&str>| LayoutRow {
        layer: 0,
        tensor,
        weight: weight.map(str::to_owned),
    };
    let messages = [
        r#"{"type": "start", "python": "3.11.7", "executable": "/usr/bin/python3", "pid": 7}"#,
        r#"{"type": "keras", "version": "3.15.1", "backend": "tensorflow", "package": "keras"}"#,
        r#"{"type": "fit", "fit": 0, "call": "fit", "site": {"path": "/home/me/é.py", "line": 3}, "epochs": 10,
            "layers": [{"index": 0, "name": "dense", "class": "Dense", "weights": [{"name": "kernel", "shape": [2, 3]}]}],
            "data": {"x": [{"min": "-inf", "max": 2.5}]}}"#,
    ];
    let mut trace = Trace::default();
    for message in messages {
        trace.push(Frame::Message(serde_json::from_str(message).unwrap()));
    }
    trace.push(Frame::Message(Message::Layout(LayoutMessage {
        fit: 0,
        layout: 0,
        scalars: vec!["loss".into(), "learning_rate".into(), "metric:accuracy/2".into()],
        stats: vec!["count".into(), "mean".into()],
        rows: vec![row(Tensor::V2, None), row(Tensor::W, Some("kernel"))],
    })));
    (0..100).for_each(|step| trace.push(frame(step, step % 10 == 0)));
    for message in [
        r#"{"type": "epoch", "fit": 0, "epoch": 0, "logs": {"loss": "nan"}}"#,
        r#"{"type": "fit-end", "fit": 0, "reason": "finished"}"#,
        r#"{"type": "exit", "code": 0, "fits": 1}"#,
    ] {
        trace.push(Frame::Message(serde_json::from_str(message).unwrap()));
    }
    trace
}

#[test]
fn a_trace_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.npz");
    let trace = sample();
    trace.write(&path).unwrap();
    let again = Trace::read(&path).unwrap();
    assert_eq!(
        (again.start, again.keras, again.exit),
        (trace.start, trace.keras, trace.exit)
    );
    let (fit, expected) = (&again.fits[0], &trace.fits[0]);
    assert_eq!(fit.info.site, expected.info.site);
    assert_eq!(fit.info.layers, expected.info.layers);
    assert_eq!(
        (fit.steps, fit.probed, fit.end.as_deref()),
        (100, 10, Some("finished"))
    );
    assert!(fit.epochs[0].logs["loss"].is_nan());
    assert_eq!(fit.scalars().moments(), expected.scalars().moments());
    assert_eq!(fit.scalar(Scalar::Loss), expected.scalar(Scalar::Loss));
    assert!(fit.scalar(Scalar::Hits)[0].is_nan());
    let names = |fit: &crate::Fit| {
        fit.metrics()
            .map(|(name, history)| (name.to_owned(), history.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(fit), names(expected));
    for (row, series) in expected.all_series() {
        let (_, same) = fit.all_series().find(|(other, _)| *other == row).unwrap();
        assert_eq!(same.history().moments(), series.history().moments());
        for stat in [Stat::Count, Stat::Mean] {
            assert_eq!(same.stat(stat), series.stat(stat), "{row:?} {stat:?}");
        }
    }
}

#[test]
fn long_runs_make_small_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.npz");
    let mut trace = sample();
    (100..10_000).for_each(|step| trace.push(frame(step, true)));
    trace.write(&path).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
    let again = Trace::read(&path).unwrap();
    assert_eq!(again.fits[0].steps, 10_000);
    assert_eq!(
        again.fits[0].scalar(Scalar::Loss),
        trace.fits[0].scalar(Scalar::Loss)
    );
}

#[test]
fn what_is_no_trace_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.npz");
    let refusal = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Trace::read(&path).unwrap_err().to_string()
    };
    assert!(refusal(b"").contains("no .npz file"));
    assert!(refusal(b"not a zip archive at all").contains("no .npz file"));
    sample().write(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    for cut in (0..good.len()).step_by(97) {
        let reason = refusal(&good[..cut]);
        assert!(reason.contains("trace.npz"), "{reason}");
    }
    assert!(Trace::read(&folder.path().join("gone.npz")).is_err());
    let mut text = Vec::new();
    array::write_text("{\"format\": \"other\", \"version\": 3}", &mut text).unwrap();
    assert_eq!(
        array::read_text("x", &text[..]).unwrap(),
        "{\"format\": \"other\", \"version\": 3}"
    );
}

/// Needs a Python with NumPy, which `DEEPLOCALIZE_TEST_PYTHON` names where there is one.
#[test]
fn numpy_opens_it() {
    let Some(python) = std::env::var_os("DEEPLOCALIZE_TEST_PYTHON") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.npz");
    sample().write(&path).unwrap();
    let text = "import json, sys, numpy as np\n\
                file = np.load(sys.argv[1])\n\
                metadata = json.loads(file['metadata'].item())\n\
                assert metadata['format'] == 'deeplocalize-trace' and file['metadata'].shape == ()\n\
                assert metadata['fits'][0]['info']['site']['path'] == '/home/me/é.py'\n\
                fit = metadata['fits'][0]\n\
                scalars = file['fit0/scalars']\n\
                assert scalars.shape == (100, len(fit['steps'][0]['columns'])), scalars.shape\n\
                assert scalars[3, fit['steps'][0]['columns'].index('loss')] == 0.25\n\
                values = file['fit0/layer0/v2'][:, fit['stats'].index('mean')]\n\
                assert values.tolist() == list(range(0, 100, 10)), values\n\
                assert file['fit0/layer0/v2.moments'][2].tolist() == [20, 2, 0]\n\
                assert len(file.files) == 9, file.files\n";
    let output = Command::new(python)
        .args(["-c", text])
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
