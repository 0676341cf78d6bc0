//! The page with the patches.

use std::fmt::Write as _;

use super::record::{Record, Trial};

const INTRODUCTION: &str = "# Patches, measured

Written by `cargo xtask bench --patches`. `deeplocalize run` (ten seconds for trials) on the faulty programs of [`fixtures/deeplocalize-40`](../fixtures/deeplocalize-40) and
[`fixtures/trainings`](../fixtures/trainings), the first patch with a measured effect, and the verdict of a run of the patched script. The effect is of held-out rows where there
are enough; *script learns* is the verdict `healthy` on the patched script. What is not listed was not run for this page.
";

pub fn page(records: &[Record]) -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("\n| programs | faulty | with a patch | patched script learns | fixed twins and controls | without a patch | without an alarm |\n|");
    page.push_str(&" --- |".repeat(7));
    page.push('\n');
    for set in super::SETS {
        let of: Vec<&Record> = records
            .iter()
            .filter(|record| record.case.starts_with(set))
            .collect();
        let count = |test: &dyn Fn(&Record) -> bool| of.iter().filter(|record| test(record)).count();
        let control = |record: &Record| !record.faulty();
        let sound = count(&|record| record.twin.is_some()) + count(&control);
        let left_alone = count(&|record| record.twin.is_some() && !record.twin_patch)
            + count(&|record| control(record) && record.patch.is_none());
        let silent = count(&|record| record.twin.is_some() && record.twin_alarms.is_empty())
            + count(&|record| control(record) && record.alarms.is_empty());
        let _ = writeln!(
            page,
            "| {set} | {} | {} | {} | {sound} | {left_alone} | {silent} |",
            count(&Record::faulty),
            count(&|record| record.faulty() && record.patch.is_some()),
            count(&|record| record.faulty() && learns(record)),
        );
    }
    page.push_str(
        "\n| program | first patch | effect | patched script | twin |\n| --- | --- | --- | --- | --- |\n",
    );
    for record in records {
        page.push_str(&row(record));
        page.push('\n');
    }
    page
}

fn learns(record: &Record) -> bool {
    record.after.as_deref() == Some("healthy")
}

pub fn row(record: &Record) -> String {
    let patch = match &record.patch {
        Some(patch) => patch.replace('|', "\\|"),
        None if record.faulty() => "–".to_owned(),
        None => "– (a control)".to_owned(),
    };
    let after = match record.after.as_deref() {
        None => "",
        Some("healthy") => "learns",
        Some(other) => other,
    };
    let twin = match record.twin.as_deref() {
        None => "",
        Some(_) if !record.twin_alarms.is_empty() => "**alarm**",
        Some(_) if record.twin_patch => "**patch**",
        Some(_) => "left alone",
    };
    let effect = record.trial.as_ref().map(Trial::effect).unwrap_or_default();
    format!("| {} | {patch} | {effect} | {after} | {twin} |", record.case)
}
