"""Layers."""

from __future__ import annotations

import keras
from cases import graph, layer, reals
from keras import layers


def dense(units: int = 3, **more: object) -> object:
    """A dense layer still to be made."""
    return lambda: layers.Dense(units, **more)


layer("dense", (4,), (3,), dense(5, activation="tanh"), dense())
layer("dense without bias", (4,), (3,), dense(5, use_bias=False), dense())
layer("dense over sequences", (6, 4), (6, 3), dense(5, activation="relu"), dense())
layer(
    "dense with penalties and constraints",
    (4,),
    (3,),
    dense(
        5,
        kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02),
        bias_regularizer="l2",
        activity_regularizer=keras.regularizers.L1(0.03),
        kernel_constraint=keras.constraints.MaxNorm(0.5),
        activation="sigmoid",
    ),
    dense(4, kernel_constraint="non_neg"),
    dense(4, kernel_constraint="unit_norm"),
    dense(3, kernel_constraint=keras.constraints.MinMaxNorm(0.2, 0.6, rate=0.5, axis=1)),
)
for activation in [
    "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "softmax", "log_softmax",
    "sigmoid", "log_sigmoid", "hard_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "tanh", "tanh_shrink",
    "exponential", "softplus", "softsign", "soft_shrink", "sparse_plus", "sparse_sigmoid", "squareplus",
]:  # fmt: skip
    layer(
        f"activation {activation}", (4,), (3,), dense(5), lambda a=activation: layers.Activation(a), dense()
    )
layer(
    "ReLU",
    (4,),
    (3,),
    dense(5),
    lambda: layers.ReLU(max_value=0.6, negative_slope=0.1, threshold=0.05),
    dense(),
)
layer(
    "LeakyReLU",
    (4,),
    (3,),
    dense(5, activation=layers.LeakyReLU(negative_slope=0.2)),
    layers.LeakyReLU,
    dense(),
)
layer("ELU", (4,), (3,), dense(5), lambda: layers.ELU(0.7), dense())
layer("Softmax", (4,), (3,), dense(5), layers.Softmax, dense())
layer("PReLU", (4,), (3,), dense(5), layers.PReLU, dense())
layer(
    "PReLU shared", (4, 3), (12,), dense(3), lambda: layers.PReLU(shared_axes=[1]), layers.Flatten, dense(12)
)
layer("Flatten Reshape RepeatVector", (4, 3), (5, 2), layers.Flatten, dense(6),
      lambda: layers.Reshape((2, -1)), dense(3), layers.Flatten, lambda: layers.RepeatVector(5), dense(2))  # fmt: skip
layer("Dropout", (4,), (3,), dense(6), lambda: layers.Dropout(0.4, name="noise"), dense(), noisy=True,
      noise_shapes={"noise": ["dropout", [6], 0.4]})  # fmt: skip
layer("GaussianDropout", (4,), (3,), dense(6), lambda: layers.GaussianDropout(0.4, name="noise"), dense(), noisy=True,
      noise_shapes={"noise": ["times", [6], 0.4]})  # fmt: skip
layer("GaussianNoise", (4,), (3,), dense(6), lambda: layers.GaussianNoise(0.3, name="noise"), dense(), noisy=True,
      noise_shapes={"noise": ["plus", [6], 0.3]})  # fmt: skip
layer("AlphaDropout", (4,), (3,), dense(6), lambda: layers.AlphaDropout(0.3, name="noise"), dense(), noisy=True,
      noise_shapes={"noise": ["keep", [6], 0.3]})  # fmt: skip
layer(
    "ActivityRegularization", (4,), (3,), dense(6), lambda: layers.ActivityRegularization(0.01, 0.02), dense()
)


def _branches() -> keras.Model:
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    shared = layers.Dense(5, activation="tanh")
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(2, activation="tanh")], name="inner")
    x = shared(a)
    again = shared(layers.Dense(4, name="back")(x))
    return keras.Model([a, b], [inner(again), layers.Dense(2, name="second")(inner(x))])


graph("shared layers, nested model, two outputs", _branches, reals((4,), (3,)), reals((2,), (2,)),
      compile={"loss": ["mse", "mae"], "loss_weights": [0.3, 0.7], "metrics": [["mae"], ["mse"]]})  # fmt: skip


# --- convolutions and pooling
def head(units: int = 2) -> list[object]:
    """Flatten and a dense layer."""
    return [layers.Flatten, dense(units)]


layer("Conv1D", (7, 3), (2,), lambda: layers.Conv1D(4, 3, activation="tanh"), *head())
layer(
    "Conv1D causal dilated",
    (7, 3),
    (2,),
    lambda: layers.Conv1D(4, 2, padding="causal", dilation_rate=2),
    *head(),
)
layer("Conv1D same strided", (7, 3), (2,), lambda: layers.Conv1D(4, 3, padding="same", strides=2), *head())
layer(
    "Conv2D",
    (6, 5, 2),
    (2,),
    lambda: layers.Conv2D(3, 3, activation="relu"),
    lambda: layers.Conv2D(2, (2, 1)),
    *head(),
)
layer(
    "Conv2D same",
    (6, 5, 2),
    (2,),
    lambda: layers.Conv2D(3, (3, 2), padding="same", strides=2, use_bias=False),
    *head(),
)
layer(
    "Conv2D dilated groups", (6, 7, 4), (2,), lambda: layers.Conv2D(6, 3, dilation_rate=2, groups=2), *head()
)
layer("Conv3D", (4, 4, 3, 2), (2,), lambda: layers.Conv3D(3, 2, padding="same"), *head())
layer("Conv1DTranspose", (4, 3), (2,), lambda: layers.Conv1DTranspose(2, 3, strides=2), *head())
layer(
    "Conv2DTranspose",
    (3, 4, 2),
    (2,),
    dense(2),
    lambda: layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
    *head(),
)
layer("Conv2DTranspose valid", (3, 4, 2), (2,), lambda: layers.Conv2DTranspose(2, 2, strides=3), *head(),
      compile={"optimizer": keras.optimizers.SGD(0.005)})  # fmt: skip
layer("Conv3DTranspose", (2, 3, 2, 2), (2,), lambda: layers.Conv3DTranspose(2, 2, strides=2), *head())
layer("DepthwiseConv1D", (6, 3), (2,), lambda: layers.DepthwiseConv1D(3, depth_multiplier=2), *head())
layer(
    "DepthwiseConv2D",
    (5, 5, 3),
    (2,),
    lambda: layers.DepthwiseConv2D(3, padding="same", activation="tanh"),
    *head(),
)
layer("SeparableConv1D", (6, 3), (2,), lambda: layers.SeparableConv1D(4, 3, activation="relu"), *head())
layer(
    "SeparableConv2D",
    (5, 5, 3),
    (2,),
    lambda: layers.SeparableConv2D(4, 3, depth_multiplier=2, padding="same"),
    *head(),
)
for size, shape in [("1D", (7, 2)), ("2D", (6, 7, 2)), ("3D", (4, 5, 4, 2))]:
    for kind in ("Max", "Average"):
        pool = getattr(layers, f"{kind}Pooling{size}")
        conv = dense(3, activation="tanh")
        layer(f"{kind}Pooling{size}", shape, (2,), conv, lambda p=pool: p(2), *head())
        layer(
            f"{kind}Pooling{size} same",
            shape,
            (2,),
            conv,
            lambda p=pool: p(3, strides=2, padding="same"),
            *head(),
        )
        whole = getattr(layers, f"Global{kind}Pooling{size}")
        layer(f"Global{kind}Pooling{size}", shape, (2,), conv, lambda p=whole: p(), *head())
layer("GlobalAveragePooling2D keepdims", (4, 5, 2), (2,), dense(3),
      lambda: layers.GlobalAveragePooling2D(keepdims=True), *head())  # fmt: skip

# --- shapes
layer("ZeroPadding1D", (4, 2), (2,), dense(2), lambda: layers.ZeroPadding1D((1, 2)), *head())
layer("ZeroPadding2D", (3, 4, 2), (2,), dense(2), lambda: layers.ZeroPadding2D(((1, 0), (2, 1))), *head())
layer("ZeroPadding3D", (2, 3, 2, 2), (2,), dense(2), lambda: layers.ZeroPadding3D((1, 0, 2)), *head())
layer("Cropping1D", (6, 2), (2,), dense(2), lambda: layers.Cropping1D((1, 2)), *head())
layer("Cropping2D", (5, 4, 2), (2,), dense(2), lambda: layers.Cropping2D(((1, 0), (1, 1))), *head())
layer("Cropping3D", (4, 4, 4, 2), (2,), dense(2), lambda: layers.Cropping3D(1), *head())
layer("UpSampling1D", (3, 2), (2,), dense(2), lambda: layers.UpSampling1D(2), *head())
layer("UpSampling2D", (3, 2, 2), (2,), dense(2), lambda: layers.UpSampling2D((2, 3)), *head())
layer("UpSampling2D bilinear", (3, 2, 2), (2,), dense(2), lambda: layers.UpSampling2D((2, 3), interpolation="bilinear"),
      *head())  # fmt: skip
layer("Conv2DTranspose with output padding", (3, 3, 2), (2,), lambda: layers.Conv2DTranspose(
    3, 3, strides=2, padding="same", output_padding=1), *head())  # fmt: skip
layer("Conv1DTranspose with output padding", (4, 2), (2,), lambda: layers.Conv1DTranspose(
    3, 2, strides=3, output_padding=1), *head())  # fmt: skip
layer("UpSampling3D", (2, 2, 2, 2), (2,), dense(2), lambda: layers.UpSampling3D(2), *head())
layer("Permute", (3, 4), (2,), dense(5), lambda: layers.Permute((2, 1)), dense(2, activation="tanh"), *head())

# --- normalisation
layer("BatchNormalization", (4,), (2,), dense(5), lambda: layers.BatchNormalization(momentum=0.9), dense(2))
layer("BatchNormalization of images", (4, 3, 2), (2,), lambda: layers.Conv2D(3, 2),
      lambda: layers.BatchNormalization(scale=False), *head())  # fmt: skip
layer(
    "BatchNormalization, axis 1",
    (4, 3),
    (2,),
    lambda: layers.BatchNormalization(axis=1, center=False),
    *head(),
)
layer("LayerNormalization", (4,), (2,), dense(5), layers.LayerNormalization, dense(2))
layer(
    "LayerNormalization, two axes",
    (4, 3),
    (2,),
    dense(3),
    lambda: layers.LayerNormalization(axis=[1, 2]),
    *head(),
)
layer("GroupNormalization", (4, 3, 4), (2,), dense(4), lambda: layers.GroupNormalization(2), *head())
layer("RMSNormalization", (4,), (2,), dense(5), layers.RMSNormalization, dense(2))
layer("UnitNormalization", (4,), (2,), dense(5), layers.UnitNormalization, dense(2))

# --- sequences
IDS = [["ids", [6], 9]]
PADDED = [["padded", [6], 8]]


def ids(mask: bool = False) -> object:
    """An embedding of nine words."""
    return lambda: layers.Embedding(9, 4, mask_zero=mask)


layer("Embedding", (6,), (2,), ids(), *head(), inputs=IDS)
layer(
    "Embedding with penalty",
    (6,),
    (2,),
    lambda: layers.Embedding(9, 3, embeddings_regularizer="l2"),
    *head(),
    inputs=IDS,
)
layer("mask and average", (6,), (2,), ids(True), layers.GlobalAveragePooling1D, dense(2), inputs=PADDED)
layer("mask and loss over time", (6,), (6, 2), ids(True), dense(2), inputs=PADDED)
for cell in ("SimpleRNN", "LSTM", "GRU"):
    make = getattr(layers, cell)
    layer(cell, (6, 3), (2,), lambda m=make: m(5), dense(2))
    layer(f"{cell} stacked backwards", (6, 3), (6, 2), lambda m=make: m(4, return_sequences=True),
          lambda m=make: m(4, return_sequences=True, go_backwards=True, activation="relu"), dense(2))  # fmt: skip
    layer(f"{cell} with mask", (6,), (2,), ids(True), lambda m=make: m(4, return_sequences=True, use_bias=False),
          lambda m=make: m(4), dense(2), inputs=PADDED)  # fmt: skip
    layer(f"Bidirectional {cell}", (5, 3), (2,), lambda m=make: layers.Bidirectional(m(3, return_sequences=True)),
          lambda m=make: layers.Bidirectional(m(3), merge_mode="sum"), dense(2))  # fmt: skip
layer("Bidirectional with mask", (6,), (2,), ids(True), lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="ave"), dense(2),
      inputs=PADDED)  # fmt: skip
layer(
    "GRU reset before",
    (6, 3),
    (2,),
    lambda: layers.GRU(4, reset_after=False, recurrent_activation="hard_sigmoid"),
    dense(2),
)
layer("Masking", (5, 3), (2,), layers.Masking, lambda: layers.LSTM(4), dense(2))
layer("TimeDistributed", (5, 4, 4, 1), (2,), lambda: layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu")),
      lambda: layers.TimeDistributed(layers.Flatten()), lambda: layers.LSTM(3), dense(2))  # fmt: skip
layer("TimeDistributed of a model", (5, 4), (2,), lambda: layers.TimeDistributed(
    keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(2)])), *head())  # fmt: skip
layer("SpatialDropout1D", (5, 3), (2,), dense(4), lambda: layers.SpatialDropout1D(0.4, name="noise"), *head(), noisy=True,
      noise_shapes={"noise": ["dropout", [4], 0.4, 5]})  # fmt: skip


def _states() -> keras.Model:
    x, y = keras.Input((5, 3)), keras.Input((4, 2))
    encoded, h, c = layers.LSTM(4, return_state=True)(x)
    decoded = layers.LSTM(4, return_sequences=True)(y, initial_state=[h, c])
    return keras.Model(
        [x, y], layers.Dense(2)(layers.Concatenate()([decoded, layers.RepeatVector(4)(encoded)]))
    )


graph("encoder and decoder", _states, reals((5, 3), (4, 2)), reals((4, 2)))


# --- merging and attention
def _merged(make: object) -> object:
    def build() -> keras.Model:
        a, b = keras.Input((4,)), keras.Input((3,))
        x, y = layers.Dense(5, activation="tanh")(a), layers.Dense(5)(b)
        return keras.Model([a, b], layers.Dense(2)(make(x, y)))

    return build


for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
    graph(kind, _merged(lambda x, y, k=kind: getattr(layers, k)()([x, y])), reals((4,), (3,)), reals((2,)))
graph("Dot", _merged(lambda x, y: layers.Dot(axes=1)([x, y])), reals((4,), (3,)), reals((2,)))
graph(
    "operators", _merged(lambda x, y: (x + y) * 0.5 - x * y + (1.0 - x) / 2.0), reals((4,), (3,)), reals((2,))
)
graph(
    "the same twice",
    _merged(lambda x, y: layers.Add()([layers.Multiply()([x, x]), y])),
    reals((4,), (3,)),
    reals((2,)),
)


def _attended(make: object) -> object:
    def build() -> keras.Model:
        a, b = keras.Input((4, 3)), keras.Input((5, 3))
        x, y = layers.Dense(4)(a), layers.Dense(4)(b)
        return keras.Model([a, b], layers.Dense(2)(layers.Flatten()(make(x, y))))

    return build


graph("Attention", _attended(lambda x, y: layers.Attention()([x, y])), reals((4, 3), (5, 3)), reals((2,)))
graph(
    "MultiHeadAttention",
    _attended(lambda x, y: layers.MultiHeadAttention(2, 3)(x, y)),
    reals((4, 3), (5, 3)),
    reals((2,)),
)
graph("MultiHeadAttention causal", _attended(lambda x, y: layers.MultiHeadAttention(2, 3, value_dim=2, use_bias=False)(
    x, x, use_causal_mask=True)), reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip
graph(
    "Dot of sequences",
    _attended(lambda x, y: layers.Dot(axes=(2, 2))([x, y])),
    reals((4, 3), (5, 3)),
    reals((2,)),
)


graph("Attention with a scale", _attended(lambda x, y: layers.Attention(use_scale=True)([x, y])),
      reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip
graph(
    "Dot of directions",
    _attended(lambda x, y: layers.Dot(axes=(2, 2), normalize=True)([x, y])),
    reals((4, 3), (5, 3)),
    reals((2,)),
)
graph("Dot of directions, axis 1", _merged(lambda x, y: layers.Dot(axes=1, normalize=True)([x, y])), reals((4,), (3,)),
      reals((2,)))  # fmt: skip
layer("BatchNormalization with mask", (6,), (2,), ids(True), lambda: layers.BatchNormalization(momentum=0.9),
      lambda: layers.GRU(3), dense(2), inputs=PADDED)  # fmt: skip
layer("sparsemax", (4,), (2,), lambda: layers.Dense(5, activation="sparsemax"), dense(2))
layer("orthogonal rows", (4,), (2,), lambda: layers.Dense(
    5, kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.3)), dense(2))  # fmt: skip
layer("orthogonal columns", (4,), (2,), lambda: layers.Dense(
    5, kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.3, mode="columns")), dense(2))  # fmt: skip


def _states_of_both_halves() -> keras.Model:
    x = keras.Input((5, 3))
    y, *states = layers.Bidirectional(layers.LSTM(3, return_sequences=True, return_state=True))(x)
    state = layers.Concatenate()([states[0], states[2]])
    cell = layers.Concatenate()([states[1], states[3]])
    z = layers.LSTM(6)(y, initial_state=[state, cell])
    return keras.Model(x, layers.Dense(2)(z))


graph("Bidirectional with states", _states_of_both_halves, reals((5, 3)), reals((2,)))


def _masked_attention() -> keras.Model:
    words = keras.Input((6,))
    x = layers.Embedding(9, 4, mask_zero=True)(words)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)])
    return keras.Model(
        words, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x)))
    )


graph("MultiHeadAttention with mask", _masked_attention, PADDED, reals((2,)))
layer("EinsumDense", (4, 3), (2,), lambda: layers.EinsumDense("abc,cd->abd", output_shape=(4, 5), bias_axes="d",
                                                         activation="tanh"), *head())  # fmt: skip
layer("EinsumDense to two axes", (4, 3), (2,), lambda: layers.EinsumDense("abc,cde->abde", output_shape=(4, 2, 3),
                                                                     bias_axes="de"), *head())  # fmt: skip
layer(
    "EinsumDense of two axes",
    (4, 3),
    (5,),
    lambda: layers.EinsumDense("abc,bcd->ad", output_shape=(5,), bias_axes="d"),
)

# --- preprocessing, frozen layers, models within models
layer("Rescaling", (4,), (2,), lambda: layers.Rescaling(0.5, offset=-0.25), dense(2))
layer(
    "Normalization",
    (3,),
    (2,),
    lambda: layers.Normalization(mean=[0.1, 0.2, -0.1], variance=[0.5, 1.0, 2.0]),
    dense(2),
)
layer("CategoryEncoding", (3,), (2,), lambda: layers.CategoryEncoding(9, output_mode="count"), dense(2),
      inputs=[["ids", [3], 9]])  # fmt: skip


def _frozen() -> keras.Model:
    base = keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.BatchNormalization()], name="base")
    base.trainable = False
    other = keras.Sequential([keras.Input((5,)), layers.Dense(4), layers.BatchNormalization()], name="other")
    x = keras.Input((4,))
    # `training=False` of a call has no effect in `fit`.
    y = other(base(x, training=False), training=False)
    return keras.Model(x, layers.Dense(2)(layers.Dense(3, activation="tanh")(y)))


graph("frozen base", _frozen, reals((4,)), reals((2,)))


def _residual() -> keras.Model:
    x = keras.Input((6, 6, 2))
    y = layers.Conv2D(3, 3, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    y = layers.ReLU()(y)
    y = layers.Add()([y, layers.Conv2D(3, 1)(x)])
    return keras.Model(x, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(y)))


graph("residual block", _residual, reals((6, 6, 2)), [["class", [], 3]],
      compile={"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]})  # fmt: skip


def _masked_graph() -> keras.Model:
    words = keras.Input((6,))
    x = layers.Embedding(9, 4, mask_zero=True)(words)
    y = layers.Bidirectional(layers.GRU(3, return_sequences=True))(x)
    z = layers.LSTM(4)(layers.Concatenate()([x, y]))
    return keras.Model(words, layers.Dense(2)(z))


graph("masks in a graph", _masked_graph, PADDED, reals((2,)))
layer("Bidirectional sequences with mask", (6,), (2,), ids(True), lambda: layers.Bidirectional(
    layers.LSTM(3, return_sequences=True)), layers.Flatten, dense(2), inputs=PADDED)  # fmt: skip

# --- activations and normalisations with arguments of their own


def slow() -> dict[str, object]:
    """For models whose outputs are large."""
    return {"optimizer": keras.optimizers.SGD(0.005)}


layer("activation glu", (4,), (3,), dense(5, activation="tanh"), dense(6, activation="glu"))
layer("Softmax over an axis", (4, 3), (2,), dense(3), lambda: layers.Softmax(axis=1), *head())


def _masked_softmax() -> keras.Model:
    words = keras.Input((6,))
    x = layers.Embedding(9, 4, mask_zero=True)(words)
    shares = layers.Softmax(axis=1)(
        layers.Dense(1)(x), mask=keras.ops.not_equal(layers.Reshape((6, 1))(words), 0.0)
    )
    return keras.Model(words, layers.Dense(2)(layers.Dot(axes=(1, 1))([shares, x])))


graph("Softmax with mask", _masked_softmax, PADDED, reals((1, 2)))
layer("BatchNormalization with renorm", (4,), (2,), dense(5),
      lambda: layers.BatchNormalization(momentum=0.9, renorm=True, renorm_momentum=0.8), dense(2))  # fmt: skip
layer("BatchNormalization with clipped renorm", (4, 3), (2,), dense(5), lambda: layers.BatchNormalization(
    center=False, renorm=True, renorm_clipping={"rmin": 0.5, "rmax": 1.5, "dmax": 0.3}, renorm_momentum=0.5), *head())  # fmt: skip
layer("BatchNormalization of time steps", (3, 4), (2,), lambda: layers.TimeDistributed(layers.Dense(5)),
      lambda: layers.TimeDistributed(layers.BatchNormalization(momentum=0.9)), *head())  # fmt: skip
layer("BatchNormalization within a model of time steps", (3, 4, 4, 1), (2,), lambda: layers.TimeDistributed(
    keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.BatchNormalization(momentum=0.8),
                      layers.Activation("relu"), layers.Flatten()])), *head())  # fmt: skip
layer(
    "LayerNormalization of an inner axis",
    (4, 3),
    (2,),
    dense(3),
    lambda: layers.LayerNormalization(axis=1),
    *head(),
)
layer(
    "LayerNormalization by deviation",
    (4,),
    (2,),
    dense(5),
    lambda: layers.LayerNormalization(rms_scaling=True),
    dense(2),
)
layer(
    "GroupNormalization of an inner axis",
    (4, 3),
    (2,),
    dense(3),
    lambda: layers.GroupNormalization(2, axis=1),
    *head(),
)
for method in ("bicubic", "lanczos3", "lanczos5"):
    layer(f"UpSampling2D {method}", (4, 5, 2), (2,), dense(2),
          lambda m=method: layers.UpSampling2D((2, 3), interpolation=m), *head(), compile=slow())  # fmt: skip
for method in ("nearest", "bilinear", "bicubic", "lanczos3"):
    layer(f"Resizing {method}", (5, 6, 2), (2,), dense(2), lambda m=method: layers.Resizing(4, 9, interpolation=m),
          *head(), compile=slow())  # fmt: skip
layer("CenterCrop", (5, 6, 2), (2,), dense(2), lambda: layers.CenterCrop(2, 3), *head())
for mode in ("one_hot", "multi_hot", "count"):
    layer(f"Discretization {mode}", (3,), (2,), lambda m=mode: layers.Discretization([-0.4, 0.1, 0.5], output_mode=m),
          *head())  # fmt: skip
layer("Discretization to words", (3,), (2,), lambda: layers.Discretization([-0.4, 0.1, 0.5]),
      lambda: layers.Embedding(4, 3), *head())  # fmt: skip


# --- more of attention
graph("Attention of sums", _attended(lambda x, y: layers.Attention(score_mode="concat", use_scale=True)([x, y])),
      reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip
graph(
    "AdditiveAttention",
    _attended(lambda x, y: layers.AdditiveAttention()([x, y])),
    reals((4, 3), (5, 3)),
    reals((2,)),
)
graph("AdditiveAttention without a scale", _attended(
    lambda x, y: layers.AdditiveAttention(use_scale=False)([x, y, layers.Dense(4)(y)])), reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip
graph("GroupQueryAttention", _attended(lambda x, y: layers.GroupQueryAttention(3, 4, 2)(x, y)),
      reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip
graph("GroupQueryAttention causal", _attended(lambda x, y: layers.GroupQueryAttention(3, 2, 1, use_bias=False)(
    x, x, use_causal_mask=True)), reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip


def _with_shares(make: object) -> object:
    def join(x: object, y: object) -> object:
        out, shares = make(x, y)
        return layers.Concatenate()([layers.Flatten()(out), layers.Flatten()(shares)])

    def build() -> keras.Model:
        a, b = keras.Input((4, 3)), keras.Input((5, 3))
        return keras.Model([a, b], layers.Dense(2)(join(layers.Dense(4)(a), layers.Dense(4)(b))))

    return build


graph("Attention with its shares", _with_shares(lambda x, y: layers.Attention()([x, y], return_attention_scores=True)),
      reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip
graph("MultiHeadAttention with its shares", _with_shares(
    lambda x, y: layers.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True)), reals((4, 3), (5, 3)), reals((2,)))  # fmt: skip


def _two_halves() -> keras.Model:
    x = keras.Input((5, 3))
    ahead, back = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=None)(x)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(layers.Subtract()([ahead, back]))))


graph("Bidirectional in two halves", _two_halves, reals((5, 3)), reals((2,)))
layer(
    "Bidirectional product",
    (5, 3),
    (2,),
    lambda: layers.Bidirectional(layers.SimpleRNN(3), merge_mode="mul"),
    dense(2),
)

# --- recurrent layers: dropout by gate, states that stay, cells, images
for cell, gates in [("LSTM", 4), ("GRU", 3)]:
    make = getattr(layers, cell)
    calls = list(range(2 * gates))
    layer(f"{cell} with dropout of each gate", (5, 3), (2,),
          lambda m=make: m(4, dropout=0.3, recurrent_dropout=0.4, name="noise"), dense(2), noisy=True,
          noise_shapes={"noise": ["dropout", [3], 0.3, 1, calls[:gates]],
                        "noise/recurrent": ["dropout", [4], 0.4, 1, calls[gates:]]})  # fmt: skip
layer("GRU reset before with recurrent dropout", (5, 3), (2,), lambda: layers.GRU(
    4, reset_after=False, recurrent_dropout=0.4, name="noise"), dense(2), noisy=True,
      noise_shapes={"noise/recurrent": ["dropout", [4], 0.4, 1, [0, 1, 2]]})  # fmt: skip
layer("SimpleRNN with dropout", (5, 3), (2,), lambda: layers.SimpleRNN(
    4, dropout=0.3, recurrent_dropout=0.4, name="noise"), dense(2), noisy=True,
      noise_shapes={"noise": ["dropout", [3], 0.3, 5],
                    "noise/recurrent": ["dropout", [4], 0.4, 1, [1]]})  # fmt: skip


def _stateful(*rest: object) -> object:
    return lambda: keras.Sequential(
        [keras.Input((4, 3), batch_size=8), *[layer() for layer in rest], layers.Dense(2)]
    )


for cell in ("SimpleRNN", "LSTM", "GRU"):
    make = getattr(layers, cell)
    graph(f"{cell} stateful", _stateful(lambda m=make: m(4, stateful=True)), reals((4, 3)), reals((2,)))
graph("stateful layers in a row", _stateful(lambda: layers.LSTM(4, stateful=True, return_sequences=True),
                                            lambda: layers.GRU(3, stateful=True, go_backwards=True)),
      reals((4, 3)), reals((2,)))  # fmt: skip
graph("Bidirectional stateful", _stateful(lambda: layers.Bidirectional(layers.LSTM(3, stateful=True))),
      reals((4, 3)), reals((2,)))  # fmt: skip
layer("RNN of a cell", (5, 3), (5, 2), lambda: layers.RNN(
    layers.GRUCell(4, kernel_regularizer="l2"), return_sequences=True, go_backwards=True), dense(2))  # fmt: skip
layer(
    "RNN of several cells",
    (5, 3),
    (2,),
    lambda: layers.RNN([layers.LSTMCell(4), layers.SimpleRNNCell(3)]),
    dense(2),
)
layer(
    "RNN of a cell with mask",
    (6,),
    (2,),
    ids(True),
    lambda: layers.RNN(layers.LSTMCell(3)),
    dense(2),
    inputs=PADDED,
)
layer("ConvLSTM1D", (3, 6, 2), (2,), lambda: layers.ConvLSTM1D(3, 3, strides=2, padding="same"), *head())
layer("ConvLSTM2D", (3, 5, 4, 2), (2,), lambda: layers.ConvLSTM2D(3, (3, 2), return_sequences=True),
      lambda: layers.ConvLSTM2D(2, 2, go_backwards=True, use_bias=False, recurrent_activation="hard_sigmoid"), *head())  # fmt: skip
layer("ConvLSTM3D", (2, 3, 3, 3, 1), (2,), lambda: layers.ConvLSTM3D(2, 2, activation="relu"), *head())

# --- channels first, never as many as the image is wide: Keras on TensorFlow would add biases along the width
FIRST = {"data_format": "channels_first"}
layer("channels first, one axis", (3, 8), (2,), lambda: layers.Conv1D(4, 2, activation="tanh", **FIRST),
      lambda: layers.MaxPooling1D(2, **FIRST), lambda: layers.UpSampling1D(2), *head(), compile=slow())  # fmt: skip
layer("channels first, two axes", (3, 8, 7), (2,), lambda: layers.Conv2D(5, 2, activation="relu", **FIRST),
      lambda: layers.AveragePooling2D(2, **FIRST), lambda: layers.ZeroPadding2D(1, **FIRST),
      lambda: layers.DepthwiseConv2D(2, **FIRST), lambda: layers.UpSampling2D(2, **FIRST),
      lambda: layers.BatchNormalization(axis=1), lambda: layers.SeparableConv2D(3, 2, **FIRST), *head(), compile=slow())  # fmt: skip
layer("channels first, transposed", (3, 4, 3), (3,), lambda: layers.Conv2DTranspose(4, 2, strides=2, **FIRST),
      lambda: layers.Cropping2D(1, **FIRST), lambda: layers.PReLU(), lambda: layers.GlobalAveragePooling2D(**FIRST), dense(), compile=slow())  # fmt: skip
layer("channels first, three axes", (2, 4, 4, 3), (2,), lambda: layers.Conv3D(3, 2, **FIRST),
      lambda: layers.GlobalMaxPooling3D(keepdims=True, **FIRST), lambda: layers.Flatten(**FIRST), dense(2), compile=slow())  # fmt: skip
layer("channels first, sequence of images", (3, 2, 4, 5), (2,), lambda: layers.ConvLSTM2D(
    3, 2, return_sequences=True, **FIRST), *head(), compile=slow())  # fmt: skip

# --- functions between layers
ops = keras.ops
graph("functions of one argument", _merged(lambda x, y: ops.exp(-ops.abs(x)) + ops.sqrt(ops.square(y) + 0.5) * ops.sin(x)
      + ops.log(ops.sigmoid(y)) * ops.cos(x) - ops.reciprocal(2.0 + ops.tanh(x)) + ops.rsqrt(1.0 + x**2)
      + ops.log1p(ops.relu(y)) + ops.clip(x, -0.5, 0.4)), reals((4,), (3,)), reals((2,)), compile=slow())  # fmt: skip
graph("activations as functions", _merged(lambda x, y: ops.softmax(x) * ops.silu(y) + ops.softplus(x)
      + ops.leaky_relu(y, 0.1) - ops.gelu(x) + ops.gelu(y, approximate=False)), reals((4,), (3,)), reals((2,)), compile=slow())  # fmt: skip


def _cut(make: object) -> object:
    def build() -> keras.Model:
        x = keras.Input((6, 4))
        return keras.Model(x, layers.Dense(2)(layers.Flatten()(make(layers.Dense(4)(x)))))

    return build


for name, cut in {
    "the last step": lambda x: x[:, -1],
    "every other step backwards": lambda x: x[:, 4:0:-2, 1:],
    "one feature": lambda x: x[..., 2],
    "other shapes": lambda x: ops.transpose(ops.reshape(x, (-1, 3, 8)), (0, 2, 1)),
    "means kept": lambda x: x - ops.mean(x, axis=-1, keepdims=True),
    "sums and extremes": lambda x: ops.sum(x, axis=1) * ops.max(x, axis=1) + ops.min(x, axis=(1,)),
    "axes of size 1": lambda x: ops.squeeze(ops.expand_dims(ops.mean(x, axis=1), 1), 1),
    "stacked": lambda x: ops.stack([x[:, 0], ops.flip(x, axis=1)[:, 0]], axis=-1),
    "repeated and swapped": lambda x: ops.swapaxes(ops.repeat(x, 2, axis=2), 1, 2),
    "products of matrices": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
}.items():  # fmt: skip
    graph(f"functions: {name}", _cut(cut), reals((6, 4)), reals((2,)), compile=slow())
