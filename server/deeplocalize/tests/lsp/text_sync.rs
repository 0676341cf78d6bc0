use serde_json::{Value, json};

use crate::client::{Client, FAULTY, URI, change, range};

/// A client's own copy of a text, edited as the protocol says, in UTF-16.
struct Mirror(Vec<Vec<u16>>);

impl Mirror {
    fn new(text: &str) -> Self {
        Mirror(
            text.split('\n')
                .map(|line| line.encode_utf16().collect())
                .collect(),
        )
    }

    fn text(&self) -> String {
        self.0
            .iter()
            .map(|line| String::from_utf16(line).unwrap())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn replace(&mut self, [l, c, m, d]: [u32; 4], new_text: &str) {
        let [l, c, m, d] = [l, c, m, d].map(|number| number as usize);
        let tail: Vec<u16> = self.0[m][d..].to_vec();
        let head: Vec<u16> = self.0[l][..c].to_vec();
        let mut middle = Mirror::new(new_text).0;
        middle.first_mut().unwrap().splice(0..0, head);
        middle.last_mut().unwrap().extend(tail);
        self.0.splice(l..=m, middle);
    }

    /// Place of a word, which must be there once.
    fn place(&self, word: &str) -> [usize; 2] {
        let text = self.text();
        assert_eq!(text.matches(word).count(), 1, "{text}");
        let before = &text[..text.find(word).unwrap()];
        let line = before.rsplit('\n').next().unwrap();
        [before.matches('\n').count(), line.encode_utf16().count()]
    }
}

fn start_of(value: &Value) -> [usize; 2] {
    ["line", "character"]
        .map(|name| usize::try_from(value["range"]["start"][name].as_u64().unwrap()).unwrap())
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

#[test]
fn pipelined_edits_arrive_in_their_order() {
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, FAULTY);
    let mut mirror = Mirror::new(FAULTY);
    // Every edit stands where only the one before it made room: any two swapped, and the probe is elsewhere.
    let mut edits = Vec::new();
    for number in 0..200_u32 {
        let (place, text) = match number % 4 {
            0 => ([0, 0, 0, 0], "# é\n"),
            1 => ([0, 3, 0, 3], "😀😀 "),
            2 => ([0, 2, 0, 6], ""),
            _ => ([0, 0, 0, 3], "#\n#"),
        };
        mirror.replace(place, text);
        let changes = json!([{"range": range(place), "text": text}]);
        edits.push(change(URI, i32::try_from(number).unwrap() + 2, changes));
    }
    client.send_at_once(&edits);
    assert_eq!(start_of(&client.lenses(URI)[0]), mirror.place("model.fit("));
    client.shutdown();
}

#[test]
fn a_client_that_does_not_answer_stalls_nothing() {
    let mut client = Client::initialize(
        json!({"textDocument": {"diagnostic": {}}, "workspace": {"configuration": true}}),
        Value::Null,
    );
    client.open(URI, FAULTY);
    let settings_changed =
        json!({"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": null}});
    let mut messages = Vec::new();
    for version in 2..302 {
        messages.push(change(
            URI,
            version,
            json!([{"range": range([0, 0, 0, 0]), "text": "\n"}]),
        ));
        if version % 50 == 0 {
            messages.push(settings_changed.clone());
        }
    }
    client.send_at_once(&messages);
    assert_eq!(start_of(&client.lenses(URI)[0]), [307, 0]);
    client.discard("workspace/configuration");
    client.shutdown();
}

#[test]
fn random_edits_keep_both_texts_equal() {
    let text = FAULTY.replace("import keras\n", "import keras  # 😀é\n");
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, &text);
    let mut mirror = Mirror::new(&text);
    let mut numbers = Numbers(7);
    let pieces = ["", "\n", "😀", "é", "# x\n", "\n\n# 😀 y\n", "abc"];
    for version in 2..202 {
        let mut changes = Vec::new();
        for _ in 0..=numbers.below(3) {
            // Only comments and line ends above the imports: the program must stay what it is.
            let limit = mirror.place("import keras")[0];
            let line = numbers.below(limit + 1);
            let inside = if line < limit { mirror.0[line].len() } else { 0 };
            let mut at = numbers.below(inside + 1);
            // No client points into the middle of a surrogate pair.
            if at < inside && (0xDC00..0xE000).contains(&mirror.0[line][at]) {
                at -= 1;
            }
            let (line, at) = (u32::try_from(line).unwrap(), u32::try_from(at).unwrap());
            let to_line_end = numbers.below(2) == 0 && inside > 0;
            let place = [
                line,
                at,
                line,
                if to_line_end {
                    u32::try_from(inside).unwrap()
                } else {
                    at
                },
            ];
            let piece = pieces[numbers.below(pieces.len())];
            // In front of the imports or in code only whole comment lines may appear.
            let piece = if line as usize == limit || at == 0 {
                "# 😀\n"
            } else {
                piece
            };
            let piece = if piece.contains('\n') && piece != "# 😀\n" {
                "\n# "
            } else {
                piece
            };
            mirror.replace(place, piece);
            changes.push(json!({"range": range(place), "text": piece}));
        }
        client.change(URI, version, json!(changes));
        if version % 20 == 0 {
            assert_eq!(
                start_of(&client.lenses(URI)[0]),
                mirror.place("model.fit("),
                "version {version}"
            );
        }
    }
    client.shutdown();
}

#[test]
fn several_changes_of_one_notification_build_on_each_other() {
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, "");
    client.change(
        URI,
        2,
        json!([
            {"text": FAULTY},
            {"range": range([0, 0, 0, 0]), "text": "\n\n"},
            {"range": range([0, 0, 1, 0]), "text": "# comment\n# another\n"},
        ]),
    );
    assert_eq!(start_of(&client.lenses(URI)[0]), [10, 0]);
    client.shutdown();
}

#[test]
fn wrong_ranges_do_not_end_the_session() {
    let mut client = Client::initialize(json!({"textDocument": {"diagnostic": {}}}), Value::Null);
    client.open(URI, FAULTY);
    client.change(
        URI,
        2,
        json!([
            {"range": range([900, 7, 900, 9]), "text": "# end\n"},
            {"range": range([0, 900, 0, u32::MAX]), "text": "  # end of line"},
            {"range": range([0, 0, 0, 0]), "text": "\n"},
            {"range": range([1, 0, 0, 0]), "text": "\n\n"},
        ]),
    );
    assert_eq!(start_of(&client.lenses(URI)[0]), [9, 0]);
    client.shutdown();
}

#[test]
fn a_document_that_is_not_open_changes_nothing() {
    let mut client = Client::initialize(json!({}), Value::Null);
    client.change(URI, 2, json!([{"text": FAULTY}]));
    client.notify("textDocument/didSave", json!({"textDocument": {"uri": URI}}));
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": URI}}));
    assert_eq!(client.lenses(URI), Value::Null);
    client.shutdown();
}
