//! Trainings that raise: what the exception and what was seen of the data say together.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod training;

use finding::Verdict;
use serde_json::{Value, json};

use training::healthy;

#[test]
fn what_the_framework_says_of_labels_outside_the_loss_is_evidence_not_a_second_fault() {
    let training = healthy()
        .set("/loss/name", json!("sparse_categorical_crossentropy"))
        .set("/layers/1/activation", json!("softmax"))
        .set("/layers/1/output_shape", json!([null, 3]))
        .set("/data/y/0/max", json!(3.0))
        .set("/data/y/0/zero_one", json!(false));
    let raised = |message: &str| training.raises(message);
    let label = raised("Received a label value of 3 which is outside the valid range of [0, 3).");
    let codes: Vec<_> = label.findings.iter().map(|finding| finding.code).collect();
    assert_eq!((codes, label.verdict), (vec!["DL702"], Verdict::Crashed));
    let told = |text: &str| {
        label.findings[0]
            .evidence
            .iter()
            .any(|evidence| evidence.text.contains(text))
    };
    assert!(told("label value of 3"), "{:#?}", label.findings);
    let other = raised("No space left on device");
    assert!(
        other.findings.iter().any(|finding| finding.code == "DL901"),
        "{:#?}",
        other.findings
    );
}

#[test]
fn of_two_embeddings_the_one_is_blamed_that_gets_the_number() {
    let embedding = |name: &str, rows: i64, inputs: Value, index: usize, site: &Value| {
        json!({"index": index, "name": name, "class": "Embedding", "config": {"input_dim": rows}, "inputs": inputs,
               "trainable": true, "site": site, "output_shape": [null, 8], "weights": []})
    };
    let two = |graph: bool| {
        let training = healthy();
        let (first, second) = (
            training.info["layers"][0]["site"].clone(),
            training.info["layers"][1]["site"].clone(),
        );
        let reads = |layer: usize| if graph { json!([layer]) } else { json!([]) };
        let column = |most: f64| json!({"shape": [1280, 1], "min": 0.0, "max": most, "mean": 9.0, "std": 5.0, "integers": true});
        let mut training = training
            .set(
                "/inputs",
                json!([{"shape": [null, 1], "layers": reads(0)}, {"shape": [null, 1], "layers": reads(1)}]),
            )
            .set(
                "/layers",
                json!([
                    embedding("embedding", 20, json!([]), 0, &first),
                    embedding("embedding_1", 20, json!([]), 1, &second)
                ]),
            )
            .set("/data/x", json!([column(19.0), column(29.0)]));
        training.steps = 0;
        training
    };
    let blamed = |graph: bool, scope: &str| {
        let message = format!(
            "Graph execution error:\n\nDetected at node functional_1/{scope}/GatherV2 defined at (most recent call last):\n  File \
             \"/keras/src/layers/core/embedding.py\", line 9, in call\n\nindices[0,0] = 29 is not in [0, 20)"
        );
        let found = two(graph).raises(&message).findings;
        let layer = found
            .iter()
            .find(|finding| finding.code == "DL901")
            .and_then(|finding| finding.layer.clone());
        layer.map(|layer| layer.name)
    };
    // What each gets says more than a name that was numbered anew.
    assert_eq!(blamed(true, "embedding_1").as_deref(), Some("embedding_1"));
    assert_eq!(blamed(true, "embedding_1_1").as_deref(), Some("embedding_1"));
    assert_eq!(blamed(false, "embedding_1").as_deref(), Some("embedding"));
    assert_eq!(blamed(false, "embedding_1_1").as_deref(), Some("embedding_1"));
}

#[test]
fn where_no_weight_has_a_gradient_the_loss_or_the_freezing_is_blamed() {
    let message =
        "No gradients provided for any variable: ['sequential/dense/kernel', 'sequential/dense/bias'].";
    let kind = |training: training::Training| {
        let found = training.raises(message).findings;
        let raised = found.into_iter().find(|finding| finding.code == "DL901");
        raised.map(|finding| (finding.kind, finding.message))
    };
    let mut training = healthy();
    training.steps = 0;
    let (blamed, text) = kind(training).unwrap();
    assert_eq!(blamed, finding::Kind::Loss, "{text}");
    assert!(text.contains("round") && !text.contains("dense/kernel"), "{text}");
    let mut frozen = healthy();
    frozen.steps = 0;
    for layer in frozen.info["layers"].as_array_mut().unwrap() {
        for weight in layer["weights"].as_array_mut().unwrap() {
            weight["trainable"] = json!(false);
        }
    }
    let (blamed, text) = kind(frozen).unwrap();
    assert_eq!(blamed, finding::Kind::ApiMisuse, "{text}");
    assert!(text.contains("frozen"), "{text}");
}
