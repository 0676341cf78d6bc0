"""Asks the installed Keras for the shapes and parameter counts that server/program must find by reading.

python grammars/shapes.py > server/program/tests/shapes.toml
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers

IMAGE = "(28, 28, 3)"
TEXT = "(20, 8)"

# Shapes of the inputs, without the batch, and the layers called on them.
CASES: list[tuple[list[str], list[str]]] = [
    (
        ["(5,)"],
        [
            "Dense(7)",
            "Dense(7, use_bias=False)",
            "Dense(units=3, activation='softmax')",
            "Flatten()",
            "RepeatVector(4)",
            "BatchNormalization()",
            "BatchNormalization(scale=False)",
            "LayerNormalization()",
            "Dropout(0.3)",
            "Activation('relu')",
            "PReLU()",
            "GaussianNoise(0.1)",
            "Reshape((5, 1))",
            "Reshape((-1, 5))",
            "Reshape((2, 3))",
            "Reshape((-1, 2))",
            "LSTM(3)",
            "Conv1D(3, 2)",
            "MaxPooling2D()",
            "TimeDistributed(Dense(3))",
            "Embedding(10, 4)",
            "SpatialDropout1D(0.1)",
            "Permute((1, 2))",
        ],
    ),
    (
        [TEXT],
        [
            "Dense(7)",
            "Flatten()",
            "Conv1D(4, 3)",
            "Conv1D(4, 3, padding='same')",
            "Conv1D(4, 3, padding='causal', dilation_rate=2)",
            "Conv1D(4, 3, strides=2)",
            "Conv1D(4, 3, dilation_rate=4)",
            "Conv1D(4, 21)",
            "Conv1D(4, 20)",
            "Conv1D(4, 3, groups=4)",
            "Conv1D(4, 3, data_format='channels_first')",
            "Conv1DTranspose(4, 3, strides=2)",
            "Conv1DTranspose(4, 3, strides=2, padding='same')",
            "SeparableConv1D(4, 3)",
            "DepthwiseConv1D(3)",
            "MaxPooling1D()",
            "MaxPooling1D(3)",
            "MaxPooling1D(3, padding='same')",
            "AveragePooling1D(21)",
            "GlobalMaxPooling1D()",
            "GlobalAveragePooling1D(keepdims=True)",
            "SimpleRNN(6)",
            "SimpleRNN(6, use_bias=False)",
            "LSTM(6)",
            "LSTM(6, return_sequences=True)",
            "GRU(6)",
            "GRU(6, reset_after=False)",
            "GRU(6, use_bias=False)",
            "Bidirectional(LSTM(6))",
            "Bidirectional(LSTM(6, return_sequences=True))",
            "Bidirectional(GRU(6), merge_mode='sum')",
            "TimeDistributed(Dense(3))",
            "TimeDistributed(Conv1D(3, 2))",
            "TimeDistributed(Flatten())",
            "Permute((2, 1))",
            "Permute((1,))",
            "UpSampling1D(3)",
            "ZeroPadding1D(2)",
            "ZeroPadding1D((1, 2))",
            "Cropping1D(2)",
            "Cropping1D((10, 10))",
            "SpatialDropout1D(0.1)",
            "BatchNormalization(axis=1)",
            "LayerNormalization(center=False)",
            "LayerNormalization(axis=3)",
            "RMSNormalization()",
            "Masking()",
            "RepeatVector(2)",
            "GlobalMaxPooling2D()",
            "Conv2D(3, 3)",
        ],
    ),
    (
        [IMAGE],
        [
            "Conv2D(8, 3)",
            "Conv2D(8, (3, 5), padding='same')",
            "Conv2D(8, 3, strides=2)",
            "Conv2D(8, 3, strides=(2, 3), padding='same')",
            "Conv2D(8, 3, dilation_rate=2)",
            "Conv2D(8, 29)",
            "Conv2D(8, (28, 28))",
            "Conv2D(9, 1, groups=3)",
            "Conv2D(8, 1, groups=2)",
            "Conv2D(8, 3, data_format='channels_first')",
            "Conv2D(8, 4, data_format='channels_first')",
            "Conv2D(8, 3, use_bias=False)",
            "Conv2DTranspose(8, 3)",
            "Conv2DTranspose(8, 3, strides=2)",
            "Conv2DTranspose(8, 2, strides=3)",
            "Conv2DTranspose(8, 3, strides=2, padding='same')",
            "Conv2DTranspose(8, 3, strides=2, padding='same', output_padding=1)",
            "Conv2DTranspose(8, 3, strides=2, output_padding=1)",
            "DepthwiseConv2D(3)",
            "DepthwiseConv2D(3, depth_multiplier=2, padding='same')",
            "SeparableConv2D(8, 3)",
            "SeparableConv2D(8, 3, depth_multiplier=2, use_bias=False)",
            "MaxPooling2D()",
            "MaxPooling2D(3)",
            "MaxPooling2D((2, 3), padding='same')",
            "MaxPooling2D(3, strides=2)",
            "AveragePooling2D(4, 3, 'same')",
            "AveragePooling2D(29)",
            "GlobalAveragePooling2D()",
            "GlobalMaxPooling2D(data_format='channels_first')",
            "Flatten()",
            "Reshape((784, 3))",
            "Reshape((-1, 84))",
            "Reshape((28, 28))",
            "Permute((3, 1, 2))",
            "UpSampling2D()",
            "UpSampling2D((2, 3))",
            "ZeroPadding2D()",
            "ZeroPadding2D((1, 2))",
            "ZeroPadding2D(((1, 2), (3, 4)))",
            "Cropping2D(2)",
            "Cropping2D(((1, 2), (3, 4)))",
            "Cropping2D()",
            "Cropping2D(14)",
            "Resizing(10, 12)",
            "CenterCrop(10, 12)",
            "Rescaling(1 / 255)",
            "RandomFlip('horizontal')",
            "RandomRotation(0.1)",
            "RandomZoom(0.1)",
            "SpatialDropout2D(0.2)",
            "BatchNormalization()",
            "GroupNormalization(groups=3)",
            "LeakyReLU()",
            "PReLU()",
            "Softmax()",
            "Dense(4)",
            "LSTM(4)",
            "Conv1D(4, 3)",
            "TimeDistributed(LSTM(4))",
            "TimeDistributed(GlobalAveragePooling1D())",
        ],
    ),
    (
        ["(8, 9, 10, 2)"],
        [
            "Conv3D(4, 3)",
            "Conv3D(4, (1, 2, 3), padding='same', strides=2)",
            "Conv3DTranspose(4, 3, strides=2, padding='same')",
            "MaxPooling3D()",
            "AveragePooling3D(3, padding='same')",
            "GlobalAveragePooling3D()",
            "UpSampling3D(2)",
            "ZeroPadding3D(1)",
            "Cropping3D(1)",
            "Cropping3D(((1, 1), (2, 2), (3, 3)))",
            "TimeDistributed(Conv2D(4, 3))",
            "Conv2D(4, 3)",
        ],
    ),
    (
        ["(None, None, 3)"],
        [
            "Conv2D(8, 3)",
            "MaxPooling2D()",
            "Flatten()",
            "GlobalAveragePooling2D()",
            "UpSampling2D()",
            "Conv2DTranspose(8, 3, strides=2)",
            "ZeroPadding2D(2)",
            "Reshape((-1, 3))",
        ],
    ),
    (["(None,)"], ["Embedding(10, 4)", "Embedding(100, 8, mask_zero=True)"]),
    (["(None, 4)"], ["LSTM(5, return_sequences=True)", "Dense(3)", "Flatten()"]),
    (
        ["(5,)", "(5,)"],
        ["Add()", "Subtract()", "Concatenate()", "Average()", "Multiply()"],
    ),
    (["(5,)", "(3,)"], ["Add()", "Concatenate()", "Maximum()"]),
    (["(1,)", "(3,)"], ["Add()", "Concatenate()"]),
    (
        ["(4, 5)", "(6, 5)"],
        ["Concatenate()", "Concatenate(axis=1)", "Minimum()"],
    ),
    (["(4, 5)", "(4, 3)"], ["Concatenate()", "Concatenate(axis=1)"]),
    (["(4, 5)", "(5,)"], ["Concatenate()"]),
    (["(8, 8, 2)", "(8, 8, 3)", "(8, 8, 4)"], ["Concatenate()", "Concatenate(axis=-2)"]),
]

# Layers that are not called on a list.
CALLS = [
    (["(6, 8)"], "MultiHeadAttention(2, 4)", "(a, a)"),
    (["(6, 8)", "(7, 9)"], "MultiHeadAttention(2, 4)", "(a, b)"),
    (["(6, 8)", "(7, 9)"], "MultiHeadAttention(3, 4, value_dim=5)", "(a, b)"),
    (
        ["(6, 8)", "(7, 9)"],
        "MultiHeadAttention(num_heads=2, key_dim=4, use_bias=False)",
        "(query=a, value=b)",
    ),
]


def ask(shapes: list[str], layer: str, call: str) -> None:
    """Prints one case."""
    inputs = [keras.Input(eval(shape)) for shape in shapes]
    names = dict(zip("abc", inputs))
    print("\n[[case]]")
    print(f"inputs = [{', '.join(chr(34) + shape + chr(34) for shape in shapes)}]")
    print(f'layer = "{layer}"')
    print(f'call = "{call}"')
    try:
        made = eval(f"layers.{layer}", {"layers": layers, **vars(layers)})
        output = eval(f"made{call}", {"made": made, **names})
        print(f'output = "{tuple(output.shape)}"')
        print(f"params = {made.count_params()}")
    except (ValueError, IndexError):
        print("refused = true")


def main() -> None:
    """Prints the table."""
    print(f"# What Keras {keras.__version__} says, by `python grammars/shapes.py`.")
    for shapes, made in CASES:
        names = "abc"[: len(shapes)]
        call = f"({names})" if len(names) == 1 else f"([{', '.join(names)}])"
        for layer in made:
            ask(shapes, layer, call)
    for shapes, layer, call in CALLS:
        ask(shapes, layer, call)


if __name__ == "__main__":
    main()
