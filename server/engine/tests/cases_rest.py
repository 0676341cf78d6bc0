"""Losses, optimizers and metrics."""

from __future__ import annotations

from typing import Any

from cases import TABLES, Case, Data, reals, stack
from keras import layers, losses, metrics, optimizers


def loss(
    name: str, given: Any, target: list[Any], activation: str | None = None, units: int = 3, **more: Any
) -> None:
    """A small model that is trained by a loss."""
    TABLES["losses"][name] = Case(
        stack(
            (4,),
            lambda: layers.Dense(5, activation="tanh"),
            lambda: layers.Dense(units, activation=activation),
        ),
        Data(reals((4,)), [target], more.pop("weights", [])),
        {"optimizer": optimizers.SGD(more.pop("rate", 0.05)), "loss": given},
        **more,
    )


REAL = ["real", [3]]
POSITIVE = ["positive", [3]]
BIT = ["bit", [3]]
ONEHOT = ["onehot", [], 3]
CLASS = ["class", [], 3]
loss("mse", "mse", REAL)
loss("mae", "mean_absolute_error", REAL)
loss("mape", "mape", POSITIVE, rate=0.001)
loss("msle", "msle", POSITIVE, "relu")
loss("cosine", losses.CosineSimilarity(), REAL)
loss("huber", "huber", REAL)
loss("huber 0.3", losses.Huber(0.3), REAL, extra={"loss": {
    "module": "keras.losses", "class_name": "Huber", "config": {"name": "huber_loss", "delta": 0.3}}})  # fmt: skip
loss("log cosh", losses.LogCosh(), REAL)
loss("hinge", "hinge", BIT)
loss("hinge of signs", "hinge", REAL)
loss("squared hinge", "squared_hinge", BIT)
loss("categorical hinge", "categorical_hinge", ONEHOT)
loss("kl divergence", "kl_divergence", POSITIVE, "softmax")
loss("poisson", "poisson", POSITIVE, "softplus")
loss("binary, sigmoid", "binary_crossentropy", BIT, "sigmoid")
loss("binary, one unit", "binary_crossentropy", ["bit", []], "sigmoid", 1)
loss("binary, softmax over one unit", "binary_crossentropy", ["bit", [1]], "softmax", 1)
loss("binary, logits, smoothed", losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2), BIT)
loss("binary, tanh", "binary_crossentropy", BIT, "hard_sigmoid")
loss("binary focal", losses.BinaryFocalCrossentropy(apply_class_balancing=True), BIT, "sigmoid")
loss("binary focal, probabilities", losses.BinaryFocalCrossentropy(gamma=1.5), BIT, "hard_sigmoid")
loss("binary focal, logits", losses.BinaryFocalCrossentropy(from_logits=True, label_smoothing=0.1), BIT)
loss("categorical, softmax", "categorical_crossentropy", ONEHOT, "softmax")
loss("categorical, sigmoid", "categorical_crossentropy", ONEHOT, "sigmoid")
loss("categorical, probabilities", losses.CategoricalCrossentropy(label_smoothing=0.1), ONEHOT, "softplus")
loss("categorical, logits", losses.CategoricalCrossentropy(from_logits=True), ONEHOT)
loss("categorical focal", losses.CategoricalFocalCrossentropy(), ONEHOT, "softmax")
loss("categorical focal, logits", losses.CategoricalFocalCrossentropy(from_logits=True, gamma=1.0), ONEHOT)
loss("sparse, softmax", "sparse_categorical_crossentropy", CLASS, "softmax")
loss("sparse, logits, column", losses.SparseCategoricalCrossentropy(from_logits=True), ["class", [1], 3])
loss("sparse, probabilities", "sparse_categorical_crossentropy", CLASS, "hard_sigmoid")
loss("sparse, class ignored", losses.SparseCategoricalCrossentropy(ignore_class=1), CLASS, "hard_sigmoid")
loss("generalized", losses.CategoricalGeneralizedCrossEntropy(0.7), CLASS, "softmax")
loss("dice", losses.Dice(), BIT, "sigmoid")
loss("tversky", losses.Tversky(0.3, 0.7), BIT, "sigmoid")
loss("weights", "mse", REAL, weights=[["positive", []]])
loss("weights, sum", losses.MeanSquaredError(reduction="sum"), REAL, weights=[["positive", []]], rate=0.01)
loss("weights, mean by weight", losses.MeanAbsoluteError(reduction="mean_with_sample_weight"), REAL,
     weights=[["positive", [1]]])  # fmt: skip
loss("one target for three predictions", "mse", ["real", [1]])
loss("crossentropy by shape", "crossentropy", CLASS, "softmax")


TABLES["losses"]["circle"] = Case(
    stack(
        (4,), lambda: layers.Dense(5, activation="tanh"), lambda: layers.Dense(3), layers.UnitNormalization
    ),
    Data(reals((4,)), [CLASS]),
    {"optimizer": optimizers.SGD(0.05), "loss": losses.Circle(gamma=4.0)},
)
TABLES["losses"]["ctc"] = Case(
    stack((6, 4), lambda: layers.Dense(5)),
    Data(reals((6, 4)), [["padded", [3], 4]]),
    {"optimizer": optimizers.SGD(0.05), "loss": losses.CTC()},
)


def optimizer(name: str, make: Any, **more: Any) -> None:
    """A small model that is trained by an optimizer."""
    TABLES["optimizers"][name] = Case(
        stack((4,), lambda: layers.Dense(5, activation="tanh"), lambda: layers.Dense(3)),
        Data(reals((4,)), reals((3,))),
        {"optimizer": make, "loss": "mse"},
        **more,
    )


optimizer("SGD", optimizers.SGD(0.1))
optimizer("SGD by name", "sgd")
optimizer("SGD momentum", optimizers.SGD(0.05, momentum=0.9))
optimizer("SGD Nesterov", optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01))
optimizer("RMSprop", optimizers.RMSprop(0.01))
optimizer("RMSprop centered", optimizers.RMSprop(0.01, momentum=0.5, centered=True, epsilon=1e-4))
optimizer("Adam", optimizers.Adam(0.01))
optimizer("Adam by name", "adam")
optimizer("Adam AMSGrad", optimizers.Adam(0.01, amsgrad=True, clipnorm=0.1))
optimizer("AdamW", optimizers.AdamW(0.01, weight_decay=0.1))
optimizer("Adamax", optimizers.Adamax(0.01))
optimizer("Nadam", optimizers.Nadam(0.01))
optimizer("Adagrad", optimizers.Adagrad(0.05))
optimizer("Adadelta", optimizers.Adadelta(1.0))
optimizer("Ftrl", optimizers.Ftrl(0.05, l1_regularization_strength=0.01, l2_regularization_strength=0.02, beta=0.1,
                                  l2_shrinkage_regularization_strength=0.01))  # fmt: skip
optimizer("Lion", optimizers.Lion(0.001))
optimizer("clip by value", optimizers.SGD(0.1, clipvalue=0.05))
optimizer("clip by global norm", optimizers.SGD(0.1, global_clipnorm=0.2))
optimizer("moving average", optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=7))
optimizer("accumulation", optimizers.Adam(0.01, gradient_accumulation_steps=4))
S = optimizers.schedules
optimizer("exponential decay", optimizers.SGD(S.ExponentialDecay(0.1, 10, 0.5)))
optimizer("staircase", optimizers.SGD(S.ExponentialDecay(0.1, 10, 0.5, staircase=True)))
optimizer("inverse time decay", optimizers.SGD(S.InverseTimeDecay(0.1, 10, 0.5)))
optimizer("polynomial decay", optimizers.SGD(S.PolynomialDecay(0.1, 20, 0.01, power=2.0)))
optimizer("polynomial cycle", optimizers.SGD(S.PolynomialDecay(0.1, 20, 0.01, cycle=True)))
optimizer("piecewise", optimizers.SGD(S.PiecewiseConstantDecay([10, 30], [0.1, 0.05, 0.01])))
optimizer(
    "cosine decay", optimizers.SGD(S.CosineDecay(0.01, 30, alpha=0.1, warmup_target=0.1, warmup_steps=10))
)
optimizer("cosine restarts", optimizers.SGD(S.CosineDecayRestarts(0.1, 8, m_mul=0.9)))


def metric(
    name: str, given: list[Any], target: list[Any], activation: str | None, units: int = 3, **more: Any
) -> None:
    """A small model that is measured by metrics."""
    TABLES["metrics"][name] = Case(
        stack((4,), lambda: layers.Dense(5, activation="tanh"), lambda: layers.Dense(units, activation=activation)),
        Data(reals((4,)), [target], more.pop("weights", [])),
        {"optimizer": optimizers.SGD(0.05), "loss": more.pop("loss", "mse"), "metrics": given,
         **more.pop("compile", {})},
        steps=5,
        evaluated=3,
        **more,
    )  # fmt: skip


metric("regression", ["mse", "mae", metrics.RootMeanSquaredError(), "cosine_similarity", metrics.LogCoshError(),
                      metrics.MeanAbsolutePercentageError()], REAL, None)  # fmt: skip
metric("positive", ["msle", "kl_divergence", "poisson"], POSITIVE, "softmax")
metric("hinges", ["hinge", "squared_hinge", "categorical_hinge"], BIT, "tanh")
metric("one-hot", ["accuracy", "categorical_accuracy", metrics.TopKCategoricalAccuracy(2), "categorical_crossentropy",
                   "acc"], ONEHOT, "softmax", loss="categorical_crossentropy")  # fmt: skip
metric("classes", ["accuracy", "sparse_categorical_accuracy", metrics.SparseTopKCategoricalAccuracy(2),
                   "sparse_categorical_crossentropy"], CLASS, "softmax",
       loss="sparse_categorical_crossentropy")  # fmt: skip
metric("binary", ["accuracy", "binary_accuracy", metrics.BinaryAccuracy(threshold=0.4), metrics.Precision(),
                  metrics.Recall(thresholds=0.45), metrics.AUC(), metrics.AUC(curve="PR", name="pr"),
                  metrics.TruePositives(), metrics.TrueNegatives(), metrics.FalsePositives(),
                  metrics.FalseNegatives(), "binary_crossentropy", "AUC"], ["bit", [1]], "sigmoid", 1,
       loss="binary_crossentropy")  # fmt: skip
metric(
    "weighted", ["mae"], REAL, None, weights=[["positive", []]], compile={"weighted_metrics": ["mae", "mse"]}
)
metric(
    "at a threshold",
    [metrics.PrecisionAtRecall(0.6), metrics.RecallAtPrecision(0.5), metrics.SensitivityAtSpecificity(0.5, num_thresholds=20),
     metrics.SpecificityAtSensitivity(0.4), metrics.Recall(class_id=1, name="second"),
     metrics.BinaryIoU(threshold=0.45), metrics.BinaryIoU(target_class_ids=[1], name="ones")],
    BIT, "sigmoid", loss="binary_crossentropy",
)  # fmt: skip
metric("overlap", [metrics.MeanIoU(3, sparse_y_pred=False), metrics.IoU(3, [0, 2], sparse_y_pred=False),
                   metrics.MeanIoU(3, sparse_y_pred=False, ignore_class=1, name="ignoring")], CLASS, "softmax",
       loss="sparse_categorical_crossentropy")  # fmt: skip
metric("scores", [metrics.F1Score("macro"), metrics.F1Score("micro", 0.35, name="micro"),
                  metrics.FBetaScore("weighted", 2.0), metrics.OneHotIoU(3, [1]), metrics.OneHotMeanIoU(3)],
       ONEHOT, "softmax", loss="categorical_crossentropy")  # fmt: skip
metric("determination", [metrics.R2Score(), metrics.R2Score("variance_weighted_average", name="weighted"),
                         metrics.PearsonCorrelation(), metrics.ConcordanceCorrelation()], REAL, None)  # fmt: skip
metric("scores of weighted samples", ["mae"], REAL, None, weights=[["positive", []]],
       compile={"weighted_metrics": [metrics.R2Score()]})  # fmt: skip
optimizer("Lamb", optimizers.Lamb(0.01, weight_decay=0.02))
optimizer("Adafactor", optimizers.Adafactor(0.05))
optimizer(
    "Adafactor clipped",
    optimizers.Adafactor(S.ExponentialDecay(0.1, 10, 0.8), clip_threshold=0.5, clipnorm=1.0),
)
loss(
    "no reduction, weights",
    losses.MeanAbsoluteError(reduction="none"),
    REAL,
    weights=[["positive", []]],
    rate=0.01,
)
loss("no reduction", losses.SparseCategoricalCrossentropy(reduction=None), CLASS, "softmax", rate=0.01)
