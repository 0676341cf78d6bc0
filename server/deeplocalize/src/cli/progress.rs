//! How far a run has got, on standard error while that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::Progress;

/// The line that tells how far a run has got.
#[derive(Debug)]
pub struct View {
    bar: ProgressBar,
    max_batches: u64,
    training: Option<usize>,
    earlier_steps: u64,
    last_step: u64,
}

impl View {
    /// A view of a run of at most that many batches; indicatif itself stays silent where there is no terminal.
    pub fn new(shown: bool, max_batches: u64) -> Self {
        let bar = if shown {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(style("{spinner:.cyan} {wide_msg} {elapsed:.dim}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        View {
            bar,
            max_batches,
            training: None,
            earlier_steps: 0,
            last_step: 0,
        }
    }

    /// Shows the next state.
    pub fn update(&mut self, progress: &Progress) {
        if matches!(progress, Progress::Trying { .. }) {
            self.bar
                .set_style(style("{spinner:.cyan} {wide_msg} {elapsed:.dim}"));
        }
        if let &Progress::Training { fit, step, .. } = progress {
            if self.training.is_none() {
                self.bar.set_style(style(
                    "{spinner:.cyan} {wide_msg} [{bar:20.cyan}] {pos}/{len} batches {elapsed:.dim}",
                ));
                self.bar.set_length(self.max_batches);
            } else if self.training != Some(fit) {
                self.earlier_steps += self.last_step;
            }
            self.training = Some(fit);
            self.last_step = step + 1;
            self.bar
                .set_position((self.earlier_steps + self.last_step).min(self.max_batches));
        }
        if let Progress::Preparing(text) = progress {
            // Said also where no progress is shown: it takes long, and changes something on the user's disk.
            self.bar.suspend(|| eprintln!("{text}"));
        }
        self.bar.set_message(message(progress));
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("━╸─")
}

/// Epochs and steps are counted as Keras prints them, from 1.
fn message(progress: &Progress) -> String {
    match progress {
        Progress::Preparing(text) => text.clone(),
        Progress::Starting { interpreter } => {
            format!("starting {} and importing Keras", interpreter.display())
        }
        Progress::Imported { keras, backend } => {
            format!("Keras {keras} on {backend}, waiting for the training to start")
        }
        Progress::Training {
            fit,
            epoch,
            epochs,
            step,
            loss,
            metric,
        } => {
            let mut parts = Vec::new();
            if *fit > 0 {
                parts.push(format!("training {}", fit + 1));
            }
            let epoch = u64::from(*epoch) + 1;
            parts.push(match epochs {
                Some(epochs) => format!("epoch {epoch}/{epochs}"),
                None => format!("epoch {epoch}"),
            });
            parts.push(format!("step {}", step + 1));
            parts.push(format!("loss {loss:.4}"));
            parts.extend(metric.iter().map(|(name, value)| format!("{name} {value:.4}")));
            parts.join(" · ")
        }
        Progress::Trying { change: None, .. } => "importing Keras once more, to try changes".to_owned(),
        Progress::Trying {
            change: Some(change),
            trials,
        } => format!("trying change {trials}: {change}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn training(fit: usize, step: u64) -> Progress {
        Progress::Training {
            fit,
            epoch: 2,
            epochs: Some(30),
            step,
            loss: 0.72118,
            metric: Some(("accuracy".into(), 0.5)),
        }
    }

    #[test]
    fn counts_start_at_one() {
        assert_eq!(
            message(&training(0, 119)),
            "epoch 3/30 · step 120 · loss 0.7212 · accuracy 0.5000"
        );
        assert!(message(&training(1, 0)).starts_with("training 2 · "));
    }

    #[test]
    fn batches_add_up_over_trainings() {
        let mut view = View::new(false, 100);
        for progress in [training(0, 9), training(0, 29), training(1, 4)] {
            view.update(&progress);
        }
        assert_eq!(view.bar.position(), 35);
        view.update(&training(1, 499));
        assert_eq!(view.bar.position(), 100);
    }
}
