//! The same script with another seed.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

/// Writes the script with another seed into a folder of its own; number 0 is the script as it is.
pub fn copy(folder: &Path, script: &str, number: u32, copy: &Path) -> anyhow::Result<()> {
    let path = folder.join(script);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let changed = reseeded(&text, number);
    ensure!(
        number == 0 || changed != text,
        "{} does not call set_random_seed with a number",
        path.display()
    );
    fs::create_dir_all(copy)?;
    fs::write(copy.join(script), changed)?;
    Ok(())
}

/// The text with `number` thousands added to what `set_random_seed` is given. No line moves.
fn reseeded(text: &str, number: u32) -> String {
    const CALL: &str = "set_random_seed(";
    let mut parts = text.split(CALL);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (seed, rest) = part.split_at(digits);
        result += CALL;
        match seed.parse::<u32>() {
            Ok(seed) => result += &(seed + 1000 * number).to_string(),
            Err(_) => result += seed,
        }
        result += rest;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_seed_changes() {
        let script = "from keras.utils import set_random_seed\nset_random_seed(42)\nx = 42\n";
        assert_eq!(reseeded(script, 0), script);
        assert_eq!(
            reseeded(script, 2),
            "from keras.utils import set_random_seed\nset_random_seed(2042)\nx = 42\n"
        );
    }

    #[test]
    fn every_script_of_the_benchmark_has_a_seed() {
        for case in e2e::cases("deeplocalize-40").unwrap() {
            for script in ["faulty.py", "fixed.py"] {
                if let Ok(text) = fs::read_to_string(case.folder.join(script)) {
                    assert_ne!(reseeded(&text, 1), text, "{}/{script}", case.name());
                }
            }
        }
    }
}
