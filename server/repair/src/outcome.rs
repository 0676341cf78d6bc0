//! What a trial showed, on a yardstick that no loss can bend.

use trace::ScoreMessage;

/// What came of a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The last judgement of the model; `None` when the trial never got there.
    pub score: Option<ScoreMessage>,
    /// Skills on the way, by step.
    pub checks: Vec<(u64, f64)>,
    /// What the script raised.
    pub raised: Option<String>,
    /// Whether probabilities are judged, not answers.
    pub by_probabilities: bool,
}

impl Outcome {
    /// Part of the way from the best constant answer to perfection, 0 to 1; `None` when it could not be judged.
    pub fn skill(&self) -> Option<f64> {
        let score = self.score.as_ref()?;
        if self.by_probabilities && score.rows > 0 {
            return score
                .probabilities
                .is_finite()
                .then(|| score.probabilities.clamp(0.0, 1.0));
        }
        skill(score)
    }

    /// Whether it was trained for all of its steps; a trial that is clearly behind ends before.
    pub fn complete(&self) -> bool {
        self.score.as_ref().is_some_and(|score| score.last)
    }

    /// Takes in a judgement: the last one counts, and those on the way are kept for comparison.
    pub fn take(&mut self, score: ScoreMessage) {
        if let Some(skill) = skill(&score).filter(|_| !score.last) {
            self.checks.push((score.step, skill));
        }
        self.score = Some(score);
    }

    /// Uncertainty of the skill that comes from judging on so many rows only.
    pub fn error(&self) -> f64 {
        match &self.score {
            Some(score) if score.constant < 1.0 => {
                let share = score.constant * (1.0 - score.constant);
                (share / score.rows.max(1) as f64).sqrt() / (1.0 - score.constant)
            }
            _ => 0.0,
        }
    }
}

/// See [`Outcome::skill`].
pub fn skill(score: &ScoreMessage) -> Option<f64> {
    if score.rows == 0 {
        return None;
    }
    let skill = if score.accuracy.is_finite() {
        if score.classes < 2 || score.constant >= 1.0 {
            return None;
        }
        let classes = score.classes as f64;
        let plain = (score.accuracy - score.constant) / (1.0 - score.constant);
        let balanced = (score.balanced_accuracy - 1.0 / classes) / (1.0 - 1.0 / classes);
        if balanced.is_finite() {
            plain.max(balanced)
        } else {
            plain
        }
    } else if score.finite {
        score.explained_variance
    } else {
        0.0
    };
    let skill = if score.finite { skill } else { 0.0 };
    skill.is_finite().then(|| skill.clamp(0.0, 1.0))
}

/// A number before and after, on the measure that says most.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Name of the measure.
    pub metric: &'static str,
    /// Without the change; NaN when that could not be measured.
    pub before: f64,
    /// With it.
    pub after: f64,
}

/// Share of the most frequent answer from which accuracy says little.
const LOPSIDED: f64 = 0.75;

/// What a change did, as means over several pairs of trials.
pub fn effect(pairs: &[(&Outcome, &Outcome)]) -> Option<Effect> {
    let scores: Vec<(&ScoreMessage, &ScoreMessage)> = pairs
        .iter()
        .filter_map(|(before, after)| Some((before.score.as_ref()?, after.score.as_ref()?)))
        .collect();
    let (_, first) = scores.first()?;
    type Measure = fn(&ScoreMessage) -> f64;
    let by_probabilities = pairs.iter().any(|(_, after)| after.by_probabilities);
    let (metric, measure): (&'static str, Measure) = if by_probabilities {
        ("Brier skill of the probabilities", |score| score.probabilities)
    } else if !first.accuracy.is_finite() {
        ("explained variance", |score| score.explained_variance)
    } else if first.constant > LOPSIDED && first.balanced_accuracy.is_finite() {
        ("balanced accuracy", |score| score.balanced_accuracy)
    } else {
        ("accuracy", |score| score.accuracy)
    };
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    Some(Effect {
        metric,
        before: mean(scores.iter().map(|(before, _)| measure(before)).collect()),
        after: mean(scores.iter().map(|(_, after)| measure(after)).collect()),
    })
}
