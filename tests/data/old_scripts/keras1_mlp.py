# A classifier of rows as it was written for Keras 1.
import numpy as np
from keras.layers.core import Activation, Dense, Dropout
from keras.models import Sequential
from keras.optimizers import SGD
from keras.regularizers import l2
from keras.utils import np_utils

generator = np.random.RandomState(7)
features = generator.normal(size=(240, 20))
classes = (features[:, 0] > 0).astype(int) + (features[:, 1] > 0).astype(int)
labels = np_utils.to_categorical(classes, nb_classes=3)

model = Sequential()
model.add(Dense(output_dim=32, input_dim=20, init="uniform", W_regularizer=l2(0.001)))
model.add(Activation("relu"))
model.add(Dropout(p=0.25))
model.add(Dense(output_dim=3, init="glorot_uniform", bias=True))
model.add(Activation("softmax"))

sgd = SGD(lr=0.05, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
model.fit(features, labels, nb_epoch=3, batch_size=32, validation_split=0.1, verbose=0)
print(model.predict_proba(features).shape)
