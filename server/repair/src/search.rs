//! Which changes are tried in which order, and what is concluded.
//!
//! First the script as it is, the most plausible change, and everything that looks wrong changed together; then the other
//! single changes. Of several changes that work together, those that are not needed are taken out again; one that helps
//! but does not suffice gets a second one. What is left is tried with other seeds, as is the script as it is.

use std::collections::BTreeSet;

use crate::candidate::{Aspect, Candidate, IN_BUNDLE, Part};
use crate::outcome::{Effect, Outcome, effect};

/// Skill from which a script needs no change, and a change no other.
const GOOD: f64 = 0.9;
/// Skill from which a network learns.
const LEARNS: f64 = 0.5;
/// Gain of skill from which a change is credited.
const LEAST_GAIN: f64 = 0.15;
/// Difference of skill within which two changes count as equal.
const EQUAL: f64 = 0.07;
/// Skill below which a change that helps gets another one: beyond, longer training does as well.
const ENOUGH: f64 = 0.75;
/// Skill that one more change must bring.
const EACH: f64 = 0.12;
/// Shares of the time until which single changes are tried, and changes are put together.
const SINGLES_UNTIL: f64 = 0.5;
const TOGETHER_UNTIL: f64 = 0.7;
/// Gain of skill below which an effect is small, and must be there with several seeds.
const SMALL: f64 = 0.3;
/// Seeds that a small effect must be there with.
const ENOUGH_SEEDS: u32 = 3;
/// Gain of a change that shows a fault which nothing else had shown.
const PLAIN_GAIN: f64 = 0.6;
/// The most plausible changes, of which pairs are tried when nothing leads anywhere.
const PAIRED: usize = 4;
/// Skill that a trial may be behind the best one known, at the same step, before it is dropped.
const BEHIND: f64 = 0.4;
/// Changes of a bundle at most.
const BUNDLE: usize = 5;

/// One trial to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// Number for [`Search::done`].
    pub id: usize,
    /// What to change; `None` for the script as it is.
    pub candidate: Option<Candidate>,
    /// Added to the seeds.
    pub seed: u64,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Run this.
    Try(Work),
    /// Wait for a trial that runs.
    Wait,
    /// Nothing is left to try.
    Done,
}

/// A change with what it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Credited {
    /// The change.
    pub candidate: Candidate,
    /// What it did.
    pub effect: Effect,
    /// Gain of skill.
    pub gain: f64,
    /// Skill with it.
    pub skill: f64,
    /// Steps trained.
    pub steps: u64,
    /// Seeds over which the effect is the mean.
    pub seeds: u32,
}

impl Credited {
    /// Whether it alone says that the script was faulty: hardly anything learned without it, nearly all with it, and not
    /// for more steps.
    pub fn beyond_doubt(&self) -> bool {
        let longer = |part: &Part| part.aspect == Aspect::Length;
        self.skill >= GOOD
            && self.gain >= PLAIN_GAIN
            && self.seeds >= ENOUGH_SEEDS
            && !self.candidate.parts.iter().any(longer)
    }
}

#[derive(Clone, Debug)]
struct Attempt {
    candidate: Option<Candidate>,
    seed: u64,
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Singles,
    Reduce,
    Extend,
    Seeds,
}

/// A search for the change that makes a script learn.
#[derive(Clone, Debug)]
pub struct Search {
    parts: Vec<Part>,
    queue: Vec<Candidate>,
    attempts: Vec<Attempt>,
    phase: Phase,
    reduced: BTreeSet<String>,
    seeds: u64,
    asked_seeds: bool,
    by_probabilities: bool,
}

impl Search {
    /// A search among these changes, the most plausible first. The last step tries with `seeds` seeds in all.
    pub fn new(parts: Vec<Part>, seeds: u64) -> Search {
        let mut singles: Vec<Candidate> = parts.iter().cloned().map(Candidate::single).collect();
        if let Some(bundle) = bundle(&parts) {
            singles.insert(singles.len().min(1), bundle);
        }
        Search {
            parts,
            queue: singles,
            attempts: vec![Attempt {
                candidate: None,
                seed: 0,
                outcome: None,
            }],
            phase: Phase::Singles,
            reduced: BTreeSet::new(),
            seeds,
            asked_seeds: false,
            by_probabilities: false,
        }
    }

    /// Judges the probabilities that the model gives, not only which answer is the most probable.
    #[must_use]
    pub fn by_probabilities(mut self) -> Search {
        self.by_probabilities = true;
        self
    }

    /// The trial every search begins with.
    pub fn first(&self) -> Work {
        Work {
            id: 0,
            candidate: None,
            seed: 0,
        }
    }

    /// What to do next; `used` is the share of the time that is over.
    pub fn next(&mut self, used: f64) -> Next {
        let running = self
            .attempts
            .iter()
            .filter(|attempt| attempt.outcome.is_none())
            .count();
        if used >= 1.0 {
            return if running > 0 { Next::Wait } else { Next::Done };
        }
        loop {
            let over = match self.phase {
                Phase::Singles => used > SINGLES_UNTIL || self.good_enough() || self.together_good_enough(),
                Phase::Reduce | Phase::Extend => used > TOGETHER_UNTIL,
                Phase::Seeds => false,
            };
            if over {
                self.queue.clear();
            }
            while !self.queue.is_empty() {
                let candidate = self.queue.remove(0);
                if self
                    .attempts
                    .iter()
                    .any(|known| known.seed == 0 && same(known.candidate.as_ref(), &candidate))
                {
                    continue;
                }
                return Next::Try(self.attempt(Some(candidate), 0));
            }
            if self.phase == Phase::Seeds
                && let Some(work) = self.next_seed()
            {
                return Next::Try(work);
            }
            if running > 0 {
                return Next::Wait;
            }
            if !self.advance(used) {
                return Next::Done;
            }
        }
    }

    /// The skill that a trial must have after each of these steps to go on: not much less than the best one so far had then.
    /// The script as it is, and what is confirmed with other seeds, goes on in any case.
    pub fn bars(&self, work: &Work, steps: &[u64]) -> Vec<(u64, f64)> {
        let first_look = work.seed == 0 && work.candidate.is_some();
        let best = self.best_credited().filter(|_| first_look);
        let best = best.as_ref().and_then(|best| {
            let same =
                |attempt: &&Attempt| attempt.seed == 0 && same(attempt.candidate.as_ref(), &best.candidate);
            self.attempts.iter().find(same)?.outcome.as_ref()
        });
        let bar = |step: u64| {
            let known = best?.checks.iter().find(|(known, _)| *known == step)?;
            Some(known.1 - BEHIND)
        };
        steps
            .iter()
            .map(|step| (*step, bar(*step).unwrap_or(0.0).max(0.0)))
            .collect()
    }

    /// The single changes that were tried and made no difference: trained to the end, and for no fewer steps than the script
    /// as it is.
    pub fn without_effect(&self) -> Vec<&Part> {
        let step = |outcome: &Outcome| outcome.score.as_ref().map(|score| score.step);
        let gain = |part: &Part| {
            let gains: Vec<f64> = self
                .pairs(&Candidate::single(part.clone()))
                .into_iter()
                .filter(|(before, after)| after.complete() && step(after) >= step(before))
                .filter_map(|(before, after)| Some(after.skill()? - before.skill()?))
                .collect();
            (!gains.is_empty()).then(|| gains.iter().sum::<f64>() / gains.len() as f64)
        };
        self.parts
            .iter()
            .filter(|part| gain(part).is_some_and(|gain| gain < LEAST_GAIN / 2.0))
            .collect()
    }

    /// The trials of a change, each with the one of the script as it is from the same seed.
    fn pairs(&self, candidate: &Candidate) -> Vec<(&Outcome, &Outcome)> {
        let baseline = |seed: u64| {
            let same = |known: &&Attempt| known.candidate.is_none() && known.seed == seed;
            self.attempts.iter().find(same)?.outcome.as_ref()
        };
        self.attempts
            .iter()
            .filter(|attempt| same(attempt.candidate.as_ref(), candidate))
            .filter_map(|attempt| Some((baseline(attempt.seed)?, attempt.outcome.as_ref()?)))
            .collect()
    }

    /// What came of a trial.
    pub fn done(&mut self, id: usize, outcome: Outcome) {
        if let Some(attempt) = self.attempts.get_mut(id) {
            attempt.outcome = Some(Outcome {
                by_probabilities: self.by_probabilities,
                ..outcome
            });
        }
    }

    /// Changes tried so far, and trials in all.
    pub fn tried(&self) -> (usize, usize) {
        let changes = self
            .attempts
            .iter()
            .filter(|attempt| attempt.candidate.is_some() && attempt.seed == 0);
        (changes.count(), self.attempts.len())
    }

    /// How the script does as it is.
    pub fn baseline(&self) -> Option<&Outcome> {
        self.attempts[0].outcome.as_ref()
    }

    /// The credited changes, the best first, then those that do about as well.
    pub fn credited(&self) -> Vec<Credited> {
        let shown = |credited: &Credited| {
            credited.gain >= SMALL || u64::from(credited.seeds) >= u64::from(ENOUGH_SEEDS).min(self.seeds)
        };
        let Some(best) = self.best_credited().filter(shown).map(|best| best.candidate) else {
            return Vec::new();
        };
        let mut all: Vec<Credited> = self
            .attempts
            .iter()
            .filter_map(|attempt| self.credit(attempt))
            .collect();
        all.sort_by(|a, b| worth(b).total_cmp(&worth(a)));
        let Some(found) = all
            .iter()
            .position(|credited| same(Some(&credited.candidate), &best))
        else {
            return Vec::new();
        };
        let first = all.remove(found);
        let fewer = |other: &Credited| {
            // An alternative is another change, not the same one with more around it.
            !first
                .candidate
                .parts
                .iter()
                .all(|part| other.candidate.parts.contains(part))
        };
        all.retain(|other| other.skill >= first.skill - EQUAL && fewer(other) && shown(other));
        all.dedup_by(|b, a| {
            a.candidate
                .parts
                .iter()
                .all(|part| b.candidate.parts.contains(part))
        });
        let mut result = vec![first];
        result.extend(all);
        result
    }

    fn attempt(&mut self, candidate: Option<Candidate>, seed: u64) -> Work {
        let id = self.attempts.len();
        self.attempts.push(Attempt {
            candidate: candidate.clone(),
            seed,
            outcome: None,
        });
        Work { id, candidate, seed }
    }

    /// Whether what was found needs nothing better.
    fn good_enough(&self) -> bool {
        let learns = self
            .baseline()
            .and_then(Outcome::skill)
            .is_some_and(|skill| skill >= GOOD);
        learns
            || self
                .best_credited()
                .is_some_and(|best| best.skill >= GOOD && best.candidate.parts.len() == 1)
    }

    /// Whether several changes together suffice, and the most plausible single ones do not.
    fn together_good_enough(&self) -> bool {
        const SINGLES: usize = 3;
        let judged = |attempt: &&Attempt| attempt.outcome.is_some() && attempt.candidate.is_some();
        self.attempts.iter().filter(judged).count() > SINGLES
            && self.best_credited().is_some_and(|best| {
                best.skill
                    >= if best.candidate.parts.len() > 1 {
                        LEARNS
                    } else {
                        GOOD
                    }
            })
    }

    fn best(&self) -> Option<Candidate> {
        self.best_credited().map(|best| best.candidate)
    }

    fn best_credited(&self) -> Option<Credited> {
        let all: Vec<Credited> = self
            .attempts
            .iter()
            .filter_map(|attempt| self.credit(attempt))
            .collect();
        let mut best = all.iter().max_by(|a, b| worth(a).total_cmp(&worth(b)))?;
        // Part of a change that does the same as all of it.
        while let Some(less) = all
            .iter()
            .filter(|less| less.candidate.parts.len() < best.candidate.parts.len())
            .filter(|less| {
                less.candidate
                    .parts
                    .iter()
                    .all(|part| best.candidate.parts.contains(part))
            })
            .filter(|less| less.skill >= best.skill - EQUAL / 2.0)
            .max_by(|a, b| worth(a).total_cmp(&worth(b)))
        {
            best = less;
        }
        Some(best.clone())
    }

    /// What a change is credited with; `None` when it is not more than noise.
    fn credit(&self, attempt: &Attempt) -> Option<Credited> {
        let candidate = attempt.candidate.as_ref().filter(|_| attempt.seed == 0)?;
        let pairs = self.pairs(candidate);
        // Without a first trial to compare with there is nothing to credit; one that could not be judged counts as 0.
        let gains: Vec<(f64, f64)> = pairs
            .iter()
            .filter_map(|(before, after)| Some((before.skill().unwrap_or(0.0), after.skill()?)))
            .collect();
        if gains.is_empty() || gains.len() < pairs.len() || !pairs.iter().all(|(_, after)| after.complete()) {
            return None;
        }
        let count = gains.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| gains.iter().map(pick).sum::<f64>() / count;
        let gain = mean(|(before, after)| after - before);
        let spread = (gains.iter().map(|(a, b)| (b - a - gain).powi(2)).sum::<f64>() / count).sqrt();
        let error = pairs
            .iter()
            .map(|(before, after)| before.error().hypot(after.error()))
            .fold(0.0, f64::max);
        let noise = (3.0 * error / count.sqrt()).max(spread);
        if gain < LEAST_GAIN.max(noise.min(0.5)) {
            return None;
        }
        Some(Credited {
            candidate: candidate.clone(),
            effect: effect(&pairs)?,
            gain,
            skill: mean(|(_, after)| *after),
            steps: pairs[0].1.score.as_ref().map_or(0, |score| score.step),
            seeds: gains.len() as u32,
        })
    }

    /// Goes on to the next phase, or refills the queue of this one; `false` at the end.
    fn advance(&mut self, used: f64) -> bool {
        let together = used <= TOGETHER_UNTIL;
        match self.best_credited() {
            Some(best) if together && best.candidate.parts.len() > 1 && self.reduce(&best) => {
                self.phase = Phase::Reduce;
                true
            }
            Some(best)
                if together
                    && matches!(self.phase, Phase::Singles | Phase::Reduce)
                    && best.skill < ENOUGH
                    && self.extend(&best) =>
            {
                self.phase = Phase::Extend;
                true
            }
            None if together && matches!(self.phase, Phase::Singles | Phase::Extend) && self.lead() => {
                self.phase = Phase::Extend;
                true
            }
            Some(_) if !self.asked_seeds && self.seeds > 1 => {
                self.phase = Phase::Seeds;
                self.asked_seeds = true;
                true
            }
            _ => false,
        }
    }

    /// Queues the change without each of its parts; `false` when that was done, or all parts are needed.
    fn reduce(&mut self, best: &Credited) -> bool {
        if !self.reduced.insert(key(&best.candidate)) {
            return false;
        }
        let count = best.candidate.parts.len();
        self.queue = (0..count)
            .rev()
            .filter_map(|at| best.candidate.without(at))
            .collect();
        !self.queue.is_empty()
    }

    /// Queues the change with one more.
    fn extend(&mut self, best: &Credited) -> bool {
        let best = best.candidate.clone();
        self.widen(&best)
    }

    /// Queues the change that comes closest to helping, with one more; `false` when none gets anywhere, or that was done.
    fn lead(&mut self) -> bool {
        let Some(before) = self.baseline().map(closeness) else {
            return false;
        };
        let leading = self
            .attempts
            .iter()
            .filter_map(|attempt| Some((closeness(attempt.outcome.as_ref()?), attempt.candidate.clone()?)))
            .filter(|(close, _)| *close > before + 0.03)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match leading {
            Some((_, candidate)) => self.reduced.insert(key(&candidate)) && self.widen(&candidate),
            None => self.pair(),
        }
    }

    /// Queues pairs of the most plausible changes; `false` when that was done.
    fn pair(&mut self) -> bool {
        let learns = self
            .baseline()
            .and_then(Outcome::skill)
            .is_some_and(|skill| skill >= GOOD);
        if learns || !self.reduced.insert("pairs".to_owned()) {
            return false;
        }
        let parts: Vec<Part> = self.parts.iter().take(PAIRED).cloned().collect();
        for (at, part) in parts.iter().enumerate() {
            let pairs = parts[at + 1..].iter().map(|other| [part.clone(), other.clone()]);
            self.queue.extend(pairs.filter_map(Candidate::of));
        }
        !self.queue.is_empty()
    }

    fn widen(&mut self, best: &Candidate) -> bool {
        let own = |part: &Part| {
            let gain = self
                .attempts
                .iter()
                .find(|attempt| {
                    attempt.seed == 0 && same(attempt.candidate.as_ref(), &Candidate::single(part.clone()))
                })
                .and_then(|attempt| attempt.outcome.as_ref()?.skill());
            gain.unwrap_or(0.0) + 0.5 * part.prior
        };
        let mut more: Vec<(f64, Candidate)> = self
            .parts
            .iter()
            .filter_map(|part| Some((own(part), best.clone().with(part.clone())?)))
            .collect();
        more.sort_by(|a, b| b.0.total_cmp(&a.0));
        self.queue = more.into_iter().take(4).map(|(_, candidate)| candidate).collect();
        !self.queue.is_empty()
    }

    fn next_seed(&mut self) -> Option<Work> {
        let best = self.best()?;
        for seed in 1..self.seeds {
            for candidate in [None, Some(&best)] {
                let known = self.attempts.iter().any(|attempt| {
                    attempt.seed == seed
                        && match candidate {
                            None => attempt.candidate.is_none(),
                            Some(best) => same(attempt.candidate.as_ref(), best),
                        }
                });
                if !known {
                    return Some(self.attempt(candidate.cloned(), seed));
                }
            }
        }
        None
    }
}

/// What a change is worth: its skill, how plausible it was before (what rules and symptoms say), and that it changes little.
fn worth(credited: &Credited) -> f64 {
    let parts = &credited.candidate.parts;
    let plausible = parts.iter().map(|part| part.prior).sum::<f64>() / parts.len().max(1) as f64;
    credited.skill + 0.3 * plausible - EACH * (parts.len() as f64 - 1.0)
}

/// All that looks wrong, changed together; `None` when that is a single change.
fn bundle(parts: &[Part]) -> Option<Candidate> {
    let mut together: Option<Candidate> = None;
    for part in parts.iter().filter(|part| part.prior >= IN_BUNDLE) {
        together = match together {
            None => Some(Candidate::single(part.clone())),
            Some(known) if known.parts.len() >= BUNDLE => Some(known),
            Some(known) => Some(known.clone().with(part.clone()).unwrap_or(known)),
        };
    }
    together.filter(|together| together.parts.len() > 1)
}

/// How far an outcome is from helping: the skill, and below that how much worse than a constant the predictions are.
fn closeness(outcome: &Outcome) -> f64 {
    let skill = outcome.skill().unwrap_or(-0.1);
    match &outcome.score {
        Some(score) if skill <= 0.0 && score.explained_variance.is_finite() => {
            0.1 * score.explained_variance.clamp(-1.0, 0.0)
        }
        _ => skill,
    }
}

fn same(known: Option<&Candidate>, other: &Candidate) -> bool {
    known.is_some_and(|known| known.edits() == other.edits())
}

fn key(candidate: &Candidate) -> String {
    format!("{:?}", candidate.edits())
}
