# A functional network for sequences as it was written for Keras 2 with the fast layers of its day.
import numpy as np
from keras.layers import CuDNNLSTM, Input
from keras.layers.core import Dense
from keras.layers.embeddings import Embedding
from keras.layers.merge import concatenate
from keras.layers.normalization import BatchNormalization
from keras.models import Model
from keras.optimizers import RMSprop

generator = np.random.RandomState(5)
words = generator.randint(1, 50, size=(96, 10))
numbers = generator.normal(size=(96, 4))
answers = (numbers[:, 0] > 0).astype("float32")

text = Input(shape=(10,))
extra = Input(shape=(4,))
read = CuDNNLSTM(8)(Embedding(50, 6)(text))
joined = concatenate([read, BatchNormalization()(extra)])
model = Model(inputs=[text, extra], outputs=Dense(1, activation="sigmoid")(joined))
model.compile(optimizer=RMSprop(lr=0.001), loss="binary_crossentropy", metrics=["accuracy"])
model.fit([words, numbers], answers, epochs=2, batch_size=32, verbose=0)
print(model.predict([words, numbers]).shape)
