use serde::{Deserialize, Serialize};

/// Kind of fault, after the classes that the literature on deep-learning faults labels bugs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Activation of the model's last layer.
    OutputActivation,
    /// Activation of any other layer, or its absence.
    HiddenActivation,
    /// The `loss=` argument.
    Loss,
    /// The optimizer itself.
    Optimizer,
    /// The learning rate.
    LearningRate,
    /// `batch_size=` of `fit`.
    BatchSize,
    /// `epochs=` of `fit`.
    Epochs,
    /// A layer is missing after the one underlined.
    MissingLayer,
    /// The layer underlined should go.
    RedundantLayer,
    /// Units, filters, kernel or pool size, strides or rate of a layer.
    LayerSize,
    /// Initializer of a layer.
    WeightInit,
    /// Scale of the features.
    InputScale,
    /// How the labels are made or encoded.
    LabelEncoding,
    /// The `metrics=` argument.
    Metric,
    /// Dropout, regularizer or BatchNormalization.
    Regularisation,
    /// A wrong shape.
    Shape,
    /// Other faults of the data.
    DataOther,
    /// Calls Keras accepts or refuses for other reasons.
    ApiMisuse,
}

impl Kind {
    /// The name used in the JSON contract and in `case.toml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::OutputActivation => "output-activation",
            Kind::HiddenActivation => "hidden-activation",
            Kind::Loss => "loss",
            Kind::Optimizer => "optimizer",
            Kind::LearningRate => "learning-rate",
            Kind::BatchSize => "batch-size",
            Kind::Epochs => "epochs",
            Kind::MissingLayer => "missing-layer",
            Kind::RedundantLayer => "redundant-layer",
            Kind::LayerSize => "layer-size",
            Kind::WeightInit => "weight-init",
            Kind::InputScale => "input-scale",
            Kind::LabelEncoding => "label-encoding",
            Kind::Metric => "metric",
            Kind::Regularisation => "regularisation",
            Kind::Shape => "shape",
            Kind::DataOther => "data-other",
            Kind::ApiMisuse => "api-misuse",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
