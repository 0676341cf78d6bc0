# A network for small pictures as it was written for Keras 2, fed by a generator.
import numpy as np
from keras.callbacks import ReduceLROnPlateau
from keras.layers import BatchNormalization, Dense, Flatten
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.convolutional import Conv2D, MaxPooling2D
from keras.models import Sequential
from keras.optimizers import Adam
from keras.utils.np_utils import to_categorical

generator = np.random.RandomState(3)
pictures = generator.uniform(size=(128, 12, 12, 1))
labels = to_categorical(generator.randint(0, 2, size=128), 2)


def batches(size):
    while True:
        chosen = generator.randint(0, len(pictures), size=size)
        yield pictures[chosen], labels[chosen]


model = Sequential(
    [
        Conv2D(8, (3, 3), input_shape=(12, 12, 1)),
        LeakyReLU(alpha=0.1),
        BatchNormalization(),
        MaxPooling2D((2, 2)),
        Flatten(),
        Dense(2, activation="softmax"),
    ]
)
model.compile(optimizer=Adam(lr=1e-3), loss="categorical_crossentropy", metrics=["acc"])
callbacks = [ReduceLROnPlateau(monitor="loss", factor=0.5, epsilon=1e-4)]
model.fit_generator(batches(16), steps_per_epoch=4, epochs=2, callbacks=callbacks, verbose=0)
print(model.evaluate_generator(batches(16), steps=2, verbose=0))
