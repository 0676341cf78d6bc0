//! The reliability table: of what was stated with some confidence, how much was right.

use std::fmt::Write as _;

use super::record::Record;

/// Lower ends of the bins.
const BINS: [f64; 6] = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9];

const INTRODUCTION: &str = "# Are stated confidences right?

Written by `cargo xtask bench --patches`, from the same runs as [patches.md](patches.md). Of the warnings and errors in each bin of stated confidence: how many stand on an
accepted line with an accepted kind. Those on fixed twins and controls are wrong by definition. *first* counts the first finding of each program only, which is what most people read;
of several findings on one faulty program, those behind the first are often other sides of the same fault, which `case.toml` does not accept. A well calibrated tool is right as often as the mean says.
";

pub fn page(records: &[Record]) -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str(
        "\n| confidence | first findings | mean stated | right | all findings | mean stated | right |\n|",
    );
    page.push_str(&" --- |".repeat(7));
    page.push('\n');
    let (first, all) = stated(records);
    for (at, low) in BINS.iter().enumerate() {
        let high = BINS.get(at + 1).copied().unwrap_or(1.01);
        let of = |stated: &[(f64, bool)]| -> Vec<(f64, bool)> {
            let inside = |(confidence, _): &&(f64, bool)| (*low..high).contains(confidence);
            stated.iter().filter(inside).copied().collect()
        };
        let _ = writeln!(
            page,
            "| {low:.1} to {:.1} | {} | {} |",
            high.min(1.0),
            cells(&of(&first)),
            cells(&of(&all))
        );
    }
    let _ = writeln!(page, "| all | {} | {} |", cells(&first), cells(&all));
    let _ = writeln!(
        page,
        "\nMean squared difference of confidence and outcome (Brier score): {:.3} for first findings; always stating the mean share would give {:.3}.",
        brier(&first),
        constant(&first)
    );
    page
}

type Stated = Vec<(f64, bool)>;

/// Confidence and whether it was right: of the first finding of each program, and of all.
fn stated(records: &[Record]) -> (Stated, Stated) {
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for record in records {
        let own: Stated = record
            .alarms
            .iter()
            .map(|alarm| (alarm.confidence, record.faulty() && alarm.right()))
            .collect();
        let twin: Stated = record
            .twin_alarms
            .iter()
            .map(|alarm| (alarm.confidence, false))
            .collect();
        for list in [own, twin] {
            first.extend(list.first());
            all.extend(list);
        }
    }
    (first, all)
}

fn cells(stated: &[(f64, bool)]) -> String {
    if stated.is_empty() {
        return "0 | – | –".to_owned();
    }
    let count = stated.len() as f64;
    let mean = stated.iter().map(|(confidence, _)| confidence).sum::<f64>() / count;
    let right = stated.iter().filter(|(_, right)| *right).count();
    format!(
        "{} | {mean:.2} | {right} ({:.2})",
        stated.len(),
        right as f64 / count
    )
}

fn brier(stated: &[(f64, bool)]) -> f64 {
    let error = |(confidence, right): &(f64, bool)| (confidence - f64::from(u8::from(*right))).powi(2);
    stated.iter().map(error).sum::<f64>() / stated.len().max(1) as f64
}

fn constant(stated: &[(f64, bool)]) -> f64 {
    let share = stated.iter().filter(|(_, right)| *right).count() as f64 / stated.len().max(1) as f64;
    share * (1.0 - share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_and_scores() {
        let stated = [(0.9, true), (0.9, true), (0.9, false), (0.5, true)];
        assert_eq!(cells(&stated[..3]), "3 | 0.90 | 2 (0.67)");
        assert!((brier(&stated) - (0.01 + 0.01 + 0.81 + 0.25) / 4.0).abs() < 1e-12);
        assert!((constant(&stated) - 0.1875).abs() < 1e-12);
    }
}
