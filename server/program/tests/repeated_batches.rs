//! Generators that give the same batch every time, and those that do not.

use program::Program;

fn picked(text: &str) -> Vec<&str> {
    Program::parse(text)
        .repeated_batches(text)
        .into_iter()
        .map(|found| found.picks.slice(text))
        .collect()
}

fn generator(before: &str, turn: &str) -> String {
    let indent = |text: &str, width: usize| {
        text.lines()
            .map(|line| format!("{}{line}\n", " ".repeat(width)))
            .collect::<String>()
    };
    format!(
        "def batches(x, y, batch_size):\n{}    while True:\n{}",
        indent(before, 4),
        indent(turn, 8)
    )
}

#[test]
fn the_statement_that_picks_the_same_batch() {
    for (before, turn, expected) in [
        (
            "",
            "yield x[:batch_size], y[:batch_size]",
            "yield x[:batch_size], y[:batch_size]",
        ),
        ("", "yield x[0:32], y[0:32]", "yield x[0:32], y[0:32]"),
        (
            "",
            "for i in range(9):\n    start = 0\n    end = start + batch_size\n    yield x[start:end], y[start:end]",
            "start = 0",
        ),
        (
            "i = 0",
            "bx = x[i:i + batch_size]\nby = y[i:i + batch_size]\nyield np.array(bx), by",
            "bx = x[i:i + batch_size]",
        ),
        (
            "",
            "for i in range(9):\n    bx = x[0:batch_size]\n    bx = bx.astype('float32')\n    yield bx, y[0:batch_size]",
            "bx = x[0:batch_size]",
        ),
        (
            "idx = np.random.choice(len(x), batch_size)",
            "yield x[idx], y[idx]",
            "idx = np.random.choice(len(x), batch_size)",
        ),
        (
            "idx = np.random.choice(len(x), 32)",
            "yield x[idx], y[idx]",
            "idx = np.random.choice(len(x), 32)",
        ),
        (
            "",
            "bx, by = [], []\nfor i in range(batch_size):\n    bx.append(x[i])\n    by.append(y[i])\nyield np.array(bx), np.array(by)",
            "bx.append(x[i])",
        ),
    ] {
        assert_eq!(picked(&generator(before, turn)), [expected], "{before}\n{turn}");
    }
}

#[test]
fn other_batches_and_whole_arrays_are_left_alone() {
    for (before, turn) in [
        ("", "yield x, y"),
        ("", "yield x[:-1], x[1:]"),
        ("", "yield x[train], y[train]"),
        (
            "order = np.random.permutation(len(x))",
            "yield x[order], y[order]",
        ),
        ("", "yield x[:split], y[:split]"),
        ("", "yield x[:, :8], y"),
        (
            "",
            "for i in range(9):\n    start = i * batch_size\n    yield x[start:start + batch_size], y",
        ),
        (
            "",
            "idx = np.random.choice(len(x), batch_size)\nyield x[idx], y[idx]",
        ),
        ("i = 0", "yield x[i:i + batch_size]\ni += batch_size"),
        (
            "i = 0",
            "i = (i + batch_size) % len(x)\nyield x[i:i + batch_size]",
        ),
        ("i = 0", "yield x[i:i + batch_size]\ni = step(i)"),
        (
            "",
            "i = -batch_size\nfor _ in range(9):\n    i = i + batch_size\n    yield x[i:i + batch_size]",
        ),
        (
            "i = 0",
            "i = i + 1\ni = i + batch_size\nyield x[i:i + batch_size]",
        ),
        (
            "order = np.arange(9)",
            "np.random.shuffle(order)\nyield x[order[:batch_size]]",
        ),
        (
            "",
            "bx = []\nfor i in range(batch_size):\n    bx.append(x[random.randrange(9)])\nyield np.array(bx)",
        ),
        ("", "yield augment(x[:batch_size]), y[:batch_size]"),
        ("", "x.rotate()\nyield x[:batch_size]"),
        ("", "if flip():\n    start = 0\nyield x[start:start + batch_size]"),
        ("", "for i in range(2):\n    if i:\n        yield x[:batch_size]"),
        (
            "rng = default_rng()",
            "k = rng.integers(9)\nyield x[k:k + batch_size]",
        ),
        (
            "files = iter(names)",
            "part = load(next(files))\nyield part[:batch_size]",
        ),
        ("", "yield x[:batch_size]\nbreak"),
        ("", "got = yield x[:batch_size]"),
        ("", "yield x[:batch_size]\nyield x[batch_size:]"),
        ("", "yield from x[:batch_size]"),
    ] {
        let found = picked(&generator(before, turn)).len();
        assert_eq!(found, 0, "{before}\n{turn}");
    }
}
