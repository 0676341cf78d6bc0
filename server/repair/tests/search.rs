//! The search, with trials that are made up: every change has a known effect.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use finding::{Applicability, Edit, Finding, Kind, Range, Severity, Source};
use repair::{Aspect, Candidate, Credited, Next, Outcome, Part, Search};
use trace::ScoreMessage;

fn part(at: usize, kind: Kind, prior: f64) -> Part {
    Part {
        title: format!("Change {at}"),
        kind,
        aspect: Aspect::of(kind),
        path: "train.py".into(),
        place: Range::new(at * 10, at * 10 + 5),
        edits: vec![Edit {
            path: "train.py".into(),
            range: Range::new(at * 10, at * 10 + 5),
            new_text: format!("new {at}"),
        }],
        applicability: Applicability::Unsafe,
        prior,
    }
}

fn score(accuracy: f64) -> Outcome {
    Outcome {
        score: Some(ScoreMessage {
            step: 500,
            last: true,
            late: false,
            held_out: false,
            rows: 1000,
            finite: true,
            spread: 0.1,
            accuracy,
            balanced_accuracy: accuracy,
            constant: 0.5,
            classes: 2,
            explained_variance: f64::NAN,
            probabilities: f64::NAN,
        }),
        ..Outcome::default()
    }
}

/// Runs a search in which `accuracy` says what the changes of those numbers, made together, give; at most `trials` of them.
fn search(
    parts: Vec<Part>,
    trials: usize,
    accuracy: impl Fn(&[usize], u64) -> Option<f64>,
) -> (Vec<Credited>, usize) {
    let mut search = Search::new(parts, 3);
    let mut work = Some(search.first());
    let mut done = 0;
    loop {
        let next = match work.take() {
            Some(work) => Next::Try(work),
            None => search.next(done as f64 / trials as f64),
        };
        match next {
            Next::Try(work) => {
                let changed: Vec<usize> = work
                    .candidate
                    .iter()
                    .flat_map(|candidate| &candidate.parts)
                    .map(|part| part.place.start / 10)
                    .collect();
                search.done(
                    work.id,
                    accuracy(&changed, work.seed).map_or_else(Outcome::default, score),
                );
                done += 1;
            }
            Next::Wait => panic!("nothing runs that could be waited for"),
            Next::Done => return (search.credited(), done),
        }
    }
}

fn numbers(candidate: &Candidate) -> Vec<usize> {
    let mut numbers: Vec<usize> = candidate.parts.iter().map(|part| part.place.start / 10).collect();
    numbers.sort_unstable();
    numbers
}

fn parts() -> Vec<Part> {
    vec![
        part(1, Kind::OutputActivation, 0.9),
        part(2, Kind::LearningRate, 0.8),
        part(3, Kind::InputScale, 0.6),
        part(4, Kind::HiddenActivation, 0.3),
        part(5, Kind::Regularisation, 0.2),
    ]
}

#[test]
fn the_change_that_helps_is_found_whatever_was_thought_before() {
    let (found, _) = search(parts(), 40, |changed, _| {
        Some(if changed.contains(&4) { 0.97 } else { 0.5 })
    });
    assert_eq!(numbers(&found[0].candidate), [4]);
    assert_eq!((found[0].seeds, found[0].steps), (3, 500));
    assert!((found[0].effect.before - 0.5).abs() < 1e-9 && (found[0].effect.after - 0.97).abs() < 1e-9);
}

#[test]
fn what_is_not_needed_is_taken_out_again() {
    let (found, _) = search(parts(), 40, |changed, _| {
        Some(if changed.contains(&1) && changed.contains(&3) {
            0.96
        } else {
            0.5
        })
    });
    assert_eq!(numbers(&found[0].candidate), [1, 3]);
}

#[test]
fn what_helps_but_does_not_suffice_gets_a_second_change() {
    let (found, _) = search(parts(), 40, |changed, _| {
        Some(match (changed.contains(&4), changed.contains(&5)) {
            (true, true) => 0.98,
            (true, false) => 0.7,
            _ => 0.5,
        })
    });
    assert_eq!(numbers(&found[0].candidate), [4, 5]);
}

#[test]
fn a_script_that_learns_gets_no_patch() {
    let (found, trials) = search(parts(), 40, |_, _| Some(0.98));
    assert!(found.is_empty());
    assert!(trials <= 3, "{trials} trials of a healthy script");
}

#[test]
fn noise_is_no_effect() {
    // Another seed does as much as the change.
    let (found, _) = search(parts(), 60, |changed, seed| {
        Some(match (changed.is_empty(), seed) {
            (true, 0) => 0.5,
            (true, _) => 0.9,
            (false, 0) => 0.85,
            (false, _) => 0.6,
        })
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn changes_of_the_same_effect_are_alternatives() {
    let (found, _) = search(parts(), 60, |changed, _| {
        Some(if changed.contains(&2) || changed.contains(&3) {
            0.85
        } else {
            0.5
        })
    });
    let all: Vec<Vec<usize>> = found
        .iter()
        .map(|credited| numbers(&credited.candidate))
        .collect();
    assert_eq!(all[0], [2], "the more plausible one first: {all:?}");
    assert!(all.contains(&vec![3]), "{all:?}");
}

#[test]
fn trials_that_fail_are_passed_over() {
    let (found, _) = search(parts(), 40, |changed, _| match changed {
        [] => Some(0.5),
        [2] => Some(0.9),
        _ => None,
    });
    assert_eq!(numbers(&found[0].candidate), [2]);
}

fn finding(kind: Kind, range: Range, confidence: f64) -> Finding {
    Finding {
        code: "DL1",
        name: "one",
        kind,
        severity: Severity::Error,
        source: Source::Static,
        path: "train.py".into(),
        range,
        layer: None,
        message: String::new(),
        evidence: Vec::new(),
        confidence,
        fixes: Vec::new(),
    }
}

#[test]
fn what_was_shown_by_trying_comes_first() {
    let (found, _) = search(parts(), 40, |changed, _| {
        Some(if changed.contains(&3) { 0.97 } else { 0.5 })
    });
    let mut findings = vec![
        finding(Kind::Loss, Range::new(90, 95), 0.9),
        finding(Kind::InputScale, Range::new(30, 35), 0.6),
    ];
    repair::credit(&mut findings, &found, &[]);
    assert_eq!(findings[0].kind, Kind::InputScale);
    assert_eq!(findings[0].fixes[0].trial.as_ref().unwrap().seeds, 3);
    assert!(findings[0].confidence >= 0.9);

    let mut findings = vec![finding(Kind::Loss, Range::new(90, 95), 0.9)];
    repair::credit(&mut findings, &found, &[]);
    assert_eq!((findings[0].code, findings[0].kind), ("DL790", Kind::InputScale));
    assert_eq!(findings.len(), 2);

    let mut findings = vec![finding(Kind::Loss, Range::new(90, 95), 0.95)];
    repair::credit(&mut findings, &found, &[]);
    assert_eq!(findings[0].kind, Kind::Loss, "what is nearly certain stays");
}

#[test]
fn two_changes_that_do_nothing_alone_are_tried_together() {
    let parts = vec![
        part(1, Kind::Epochs, 0.45),
        part(2, Kind::LearningRate, 0.4),
        part(3, Kind::HiddenActivation, 0.35),
    ];
    let (found, _) = search(parts, 40, |changed, _| {
        Some(if *changed == [1, 2] { 0.99 } else { 0.5 })
    });
    assert_eq!(numbers(&found[0].candidate), [1, 2]);
    assert!(!found[0].beyond_doubt(), "more steps alone may do it");
}

#[test]
fn a_rule_keeps_its_place_before_a_change_that_is_not_plainly_better() {
    let (found, _) = search(parts(), 40, |changed, _| {
        Some(if changed.contains(&4) { 0.9 } else { 0.5 })
    });
    let mut findings = vec![finding(Kind::Loss, Range::new(90, 95), 0.9)];
    repair::credit(&mut findings, &found, &[]);
    assert_eq!(findings[0].kind, Kind::Loss);
    assert_eq!(
        (findings[1].code, findings[1].kind),
        ("DL790", Kind::HiddenActivation)
    );
    assert!(findings[1].confidence <= findings[0].confidence);
}

#[test]
fn a_fix_that_does_nothing_speaks_against_its_finding() {
    let mut loss = finding(Kind::Loss, Range::new(90, 95), 0.9);
    let idle = part(9, Kind::Loss, 0.8);
    loss.fixes.push(finding::Fix {
        title: "Change 9".into(),
        applicability: Applicability::Unsafe,
        edits: idle.edits.clone(),
        trial: None,
    });
    let other = finding(Kind::Metric, Range::new(10, 12), 0.85);
    let mut findings = vec![loss, other];
    repair::credit(&mut findings, &[], &[&idle]);
    assert_eq!(findings[0].kind, Kind::Metric);
    assert!(findings[1].confidence < 0.8);
}

#[test]
fn a_trial_is_dropped_when_it_is_far_behind_the_best_one() {
    let mut search = Search::new(parts(), 3);
    let on_the_way = |accuracy: f64| {
        let mut outcome = score(accuracy);
        outcome.checks = vec![(200, 2.0 * accuracy - 1.0)];
        outcome
    };
    search.done(search.first().id, score(0.5));
    let Next::Try(first) = search.next(0.1) else {
        panic!()
    };
    assert_eq!(search.bars(&first, &[200]), [(200, 0.0)]);
    search.done(first.id, on_the_way(0.85));
    let Next::Try(second) = search.next(0.2) else {
        panic!()
    };
    let bars = search.bars(&second, &[200, 600]);
    assert!(
        (bars[0].1 - 0.3).abs() < 1e-9 && bars[1] == (600, 0.0),
        "{bars:?}"
    );
    let dropped = Outcome {
        score: score(0.9)
            .score
            .map(|score| ScoreMessage { last: false, ..score }),
        ..Outcome::default()
    };
    search.done(second.id, dropped);
    assert!(
        search
            .credited()
            .iter()
            .all(|credited| credited.candidate != *second.candidate.as_ref().unwrap())
    );
}

/// What came of every trial, by the number of the change (0: none) and the seed.
fn idle(outcome: impl Fn(usize, u64) -> Outcome) -> Vec<usize> {
    let mut search = Search::new(
        vec![part(1, Kind::LearningRate, 0.3), part(2, Kind::BatchSize, 0.2)],
        3,
    );
    let mut work = Some(search.first());
    let mut used = 0.0;
    loop {
        match work.take().map_or_else(|| search.next(used), Next::Try) {
            Next::Try(work) => {
                let changed = work.candidate.as_ref().map_or(0, |candidate| {
                    candidate.parts.iter().map(|part| part.place.start / 10).sum()
                });
                search.done(work.id, outcome(changed, work.seed));
                used += 0.02;
            }
            Next::Wait => panic!("nothing runs that could be waited for"),
            Next::Done => break,
        }
    }
    search
        .without_effect()
        .iter()
        .map(|part| part.place.start / 10)
        .collect()
}

#[test]
fn only_a_trial_as_long_as_that_of_the_script_shows_that_a_change_does_nothing() {
    let until = |accuracy: f64, step: u64, last: bool| Outcome {
        score: score(accuracy)
            .score
            .map(|score| ScoreMessage { step, last, ..score }),
        ..Outcome::default()
    };
    assert_eq!(idle(|_, _| score(0.5)), [1, 2]);
    assert_eq!(
        idle(|changed, _| until(0.5, 500, changed != 1)),
        [2],
        "dropped on the way"
    );
    let late = |changed, _| until(0.5, if changed == 1 { 100 } else { 500 }, true);
    assert_eq!(idle(late), [2], "out of time after fewer steps");
    let worse = |changed, seed| match (changed, seed) {
        (0, 1..) => score(0.95),
        (1, 0) => score(0.75),
        (1, _) => score(0.6),
        _ => score(0.5),
    };
    assert_eq!(idle(worse), [1, 2], "each seed against its own");
}

#[test]
fn the_message_says_what_was_measured() {
    let message = |before: f64, after: f64, needed: &[usize]| {
        let (found, _) = search(parts(), 40, |changed, _| {
            Some(if needed.iter().all(|part| changed.contains(part)) {
                after
            } else {
                before
            })
        });
        let mut findings = Vec::new();
        repair::credit(&mut findings, &found, &[]);
        findings.remove(0).message
    };
    assert_eq!(
        message(0.5, 0.97, &[4]),
        "the network does not learn as it is, but does with another value here: accuracy after 500 steps 0.97 instead of 0.50"
    );
    assert_eq!(
        message(0.7, 0.9, &[4]),
        "the network learns better with another value here: accuracy after 500 steps 0.90 instead of 0.70"
    );
    assert_eq!(
        message(0.5, 0.97, &[1, 3]),
        "the network does not learn as it is, but does with another value here and one more change: accuracy after 500 steps 0.97 \
         instead of 0.50"
    );
}
