//! Programs that are right as they are: no rule says a word.

use std::path::Path;

use finding::Severity;
use program::Program;

const HEALTHY: &[(&str, &str)] = &[
    ("multi-class classifier", "
import keras
from keras import layers
model = keras.Sequential([layers.Input((784,)), layers.Dense(64, activation='relu'), layers.Dense(10, activation='softmax')])
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, epochs=5, batch_size=32, validation_split=0.1)
"),
    ("regressor", "
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense
model = Sequential()
model.add(Dense(13, input_dim=13, kernel_initializer='normal', activation='relu'))
model.add(Dense(1, kernel_initializer='normal'))
model.compile(loss='mean_squared_error', optimizer='adam')
model.fit(X, Y, epochs=100, batch_size=5, verbose=0)
"),
    ("binary classifier", "
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(16, activation=tf.nn.relu), tf.keras.layers.Dense(1, activation=tf.nn.sigmoid)])
model.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss=tf.keras.losses.BinaryCrossentropy(), metrics=['accuracy'])
model.fit(x, y)
"),
    ("multi-label classifier", "
import keras
model = keras.Sequential([keras.layers.Dense(64, 'relu'), keras.layers.Dense(20, 'sigmoid')])
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['binary_accuracy'])
"),
    ("logits, several classes", "
import tensorflow as tf
from tensorflow.keras import layers, models
model = models.Sequential()
model.add(layers.Conv2D(32, (3, 3), activation='relu', input_shape=(32, 32, 3)))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Flatten())
model.add(layers.Dense(64, activation='relu'))
model.add(layers.Dense(10))
model.compile(optimizer='adam', loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=['accuracy'])
history = model.fit(train_images, train_labels, epochs=10, validation_data=(test_images, test_labels))
probability_model = tf.keras.Sequential([model, tf.keras.layers.Softmax()])
"),
    ("logits, two classes", "
import keras
loss = keras.losses.BinaryCrossentropy(from_logits=True)
model = keras.Sequential([keras.layers.Dense(8, activation='relu'), keras.layers.Dense(1)])
model.compile('adam', loss)
"),
    ("autoencoder with squared error", "
import keras
from keras.layers import Dense
auto = keras.Sequential([Dense(32, activation='relu'), Dense(784, activation='sigmoid')])
auto.compile(optimizer='adam', loss='mse')
auto.fit(x, x, epochs=3)
"),
    ("autoencoder with cross-entropy", "
import keras
from keras.layers import Dense
auto = keras.Sequential([Dense(32, activation='relu'), Dense(784, activation='sigmoid')])
auto.compile(optimizer='adadelta', loss='binary_crossentropy')
auto.fit(x, x, epochs=3)
"),
    ("loss of one's own", "
import keras
from keras import ops
def pinball(y, p):
    return ops.mean(ops.maximum(0.9 * (y - p), -0.1 * (y - p)))
model = keras.Sequential([keras.layers.Dense(8, 'relu'), keras.layers.Dense(1)])
model.compile(loss=pinball, optimizer='sgd')
"),
    ("activations as callables", "
import keras
from keras import activations
model = keras.Sequential([keras.layers.Dense(8, activation=activations.gelu), keras.layers.Dense(3, activation=activations.softmax)])
model.compile(loss=keras.losses.categorical_crossentropy, optimizer=keras.optimizers.SGD(0.1))
"),
    ("activation of one's own", "
import keras
model = keras.Sequential([keras.layers.Dense(1, activation=lambda x: x * 2)])
model.compile(loss='binary_crossentropy', optimizer='sgd')
"),
    ("unknown last layer", "
import keras, tensorflow_hub as hub
model = keras.Sequential([keras.layers.Dense(8), hub.KerasLayer(url)])
model.compile(loss='categorical_crossentropy', optimizer='sgd')
"),
    ("layers in a loop", "
from keras.models import Sequential
from keras.layers import Dense, Dropout
model = Sequential()
for units in [64, 32]:
    model.add(Dense(units, activation='relu'))
    model.add(Dropout(0.5))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
"),
    ("output chosen by a condition", "
from keras.models import Sequential
from keras.layers import Dense
model = Sequential([Dense(8, activation='relu')])
if binary:
    model.add(Dense(1, activation='sigmoid'))
    model.compile(loss='binary_crossentropy', optimizer='adam')
else:
    model.add(Dense(n, activation='softmax'))
    model.compile(loss='categorical_crossentropy', optimizer='adam')
"),
    ("activation layers", "
from keras.models import Sequential
from keras.layers import Dense, Activation
model = Sequential()
model.add(Dense(64))
model.add(Activation('relu'))
model.add(Dense(10))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
"),
    ("softmax layer behind dropout", "
from keras import layers, Sequential
model = Sequential([layers.Dense(10), layers.Dropout(0.2), layers.Softmax()])
model.compile(loss='categorical_crossentropy', optimizer='adam')
"),
    ("global average pooling", "
from keras import layers, Sequential
model = Sequential([layers.Conv2D(10, 1), layers.GlobalAveragePooling2D(), layers.Activation('softmax')])
model.compile(loss='categorical_crossentropy', optimizer='adam')
"),
    ("schedule as learning rate", "
import tensorflow as tf
schedule = tf.keras.optimizers.schedules.ExponentialDecay(1e-2, decay_steps=10000, decay_rate=0.9)
optimizer = tf.keras.optimizers.SGD(learning_rate=schedule, momentum=0.9)
"),
    ("scheduler sets the rate", "
import keras
def step(epoch):
    return 0.1 * 0.5 ** (epoch // 10)
optimizer = keras.optimizers.SGD(learning_rate=0.0, momentum=0.9)
callback = keras.callbacks.LearningRateScheduler(step)
"),
    ("functional model", "
import keras
from keras import layers
inputs = keras.Input((28, 28, 1))
x = layers.Conv2D(32, 3, activation='relu')(inputs)
x = layers.Flatten()(x)
outputs = layers.Dense(10)(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer='adam', loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x_train, y_train, epochs=3)
"),
    ("subclassed model", "
import tensorflow as tf
class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(8, activation='relu')
        self.out = tf.keras.layers.Dense(1)
    def call(self, x):
        return tf.sigmoid(self.out(self.hidden(x)))
model = Net()
model.compile(optimizer='adam', loss='binary_crossentropy')
model.fit(x, y, epochs=3)
"),
    ("Keras 2 on purpose", "
import tf_keras as keras
model = keras.Sequential([keras.layers.Dense(1, activation='sigmoid')])
model.compile(loss='binary_crossentropy', optimizer=keras.optimizers.SGD(lr=0.01, decay=1e-6))
model.fit(x, y, epochs=2, workers=2)
"),
    ("recurrent regression", "
from keras.models import Sequential
from keras.layers import LSTM, Dense
model = Sequential([LSTM(50, return_sequences=True, input_shape=(10, 1)), LSTM(50), Dense(1)])
model.compile(optimizer='adam', loss='mean_absolute_error')
"),
    ("recurrent output in (-1, 1)", "
from keras.models import Sequential
from keras.layers import LSTM
model = Sequential([LSTM(1, input_shape=(10, 1))])
model.compile(optimizer='adam', loss='mse')
"),
    ("tagging every time step", "
from keras.models import Sequential
from keras.layers import LSTM, Dense, TimeDistributed, Embedding, Bidirectional
model = Sequential()
model.add(Embedding(5000, 64))
model.add(Bidirectional(LSTM(32, return_sequences=True)))
model.add(TimeDistributed(Dense(12, activation='softmax')))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
"),
    ("model of a function with arguments", "
import keras
def build(activation='sigmoid', units=1, loss='binary_crossentropy', rate=1e-3):
    model = keras.Sequential()
    model.add(keras.layers.Dense(8, activation='relu'))
    model.add(keras.layers.Dense(units, activation=activation))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=rate), loss=loss)
    return model
model = build('softmax', 3, 'categorical_crossentropy')
"),
    ("two models under one name", "
from keras import Sequential
from keras.layers import Dense
model = Sequential([Dense(1, activation='sigmoid')])
model.compile('adam', 'binary_crossentropy')
model.fit(x, y)
model = Sequential([Dense(3, activation='softmax')])
model.compile('adam', 'categorical_crossentropy')
model.fit(x, y)
"),
    ("head exchanged", "
from keras import Sequential
from keras.layers import Dense
model = Sequential([Dense(4, 'relu'), Dense(1)])
model.pop()
model.add(Dense(3, activation='softmax'))
model.compile('adam', 'categorical_crossentropy')
"),
    ("head added by a helper", "
from keras import Sequential
from keras.layers import Dense
def finish(m):
    m.add(Dense(3, activation='softmax'))
model = Sequential([Dense(4, activation='relu')])
finish(model)
model.compile('adam', 'categorical_crossentropy')
"),
    ("several learning rates", "
from keras.optimizers import SGD
rate = 5.0
rate = 0.01
optimizer = SGD(learning_rate=rate)
for lr in (10.0, 0.1):
    SGD(learning_rate=lr)
"),
    ("hinge loss", "
import keras
model = keras.Sequential([keras.layers.Dense(1, activation='tanh')])
model.compile(optimizer='sgd', loss='hinge', metrics=['accuracy'])
"),
    ("two-class softmax", "
import keras
model = keras.Sequential([keras.layers.Dense(2, activation='softmax')])
model.compile(optimizer='sgd', loss='binary_crossentropy', metrics=['accuracy'])
"),
    ("generator of a GAN", "
import keras
from keras.layers import Dense, LeakyReLU, BatchNormalization
generator = keras.Sequential([Dense(128), LeakyReLU(0.2), BatchNormalization(), Dense(784, activation='tanh')])
discriminator = keras.Sequential([Dense(128), LeakyReLU(0.2), Dense(1, activation='sigmoid')])
discriminator.compile(loss='binary_crossentropy', optimizer=keras.optimizers.Adam(0.0002, beta_1=0.5))
discriminator.trainable = False
gan = keras.Sequential([generator, discriminator])
gan.compile(loss='binary_crossentropy', optimizer=keras.optimizers.Adam(0.0002, beta_1=0.5))
discriminator.trainable = True
discriminator.train_on_batch(x, y)
"),
    ("transfer learning", "
import tensorflow as tf
base = tf.keras.applications.MobileNetV2(include_top=False, weights='imagenet')
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.GlobalAveragePooling2D(), tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.RMSprop(learning_rate=0.0001), loss=tf.keras.losses.BinaryCrossentropy(from_logits=True))
"),
    ("several outputs", "
import keras
model = keras.Model(inputs, [a, b])
model.compile(optimizer='adam', loss={'a': 'mse', 'b': 'binary_crossentropy'}, metrics={'b': 'accuracy'})
model.fit(x, {'a': ya, 'b': yb}, epochs=3)
"),
    ("not Keras at all", "
from sklearn.neural_network import MLPClassifier
import re
pattern = re.compile('a+', re.M)
clf = MLPClassifier(learning_rate_init=3.0)
clf.fit(x, y)
"),
];

#[test]
fn healthy_programs_are_left_alone() {
    assert!(HEALTHY.len() >= 25);
    for (name, text) in HEALTHY {
        let program = Program::parse(text);
        assert!(
            program.syntax_errors.is_empty(),
            "{name}: {:?}",
            program.syntax_errors
        );
        let findings = rules::check(&program, text, Path::new("train.py"));
        assert!(findings.is_empty(), "{name}: {findings:#?}");
    }
}

#[test]
fn half_typed_programs_do_not_cry_wolf() {
    for (name, text) in HEALTHY {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let prefix = &text[..end];
            let wrong: Vec<_> = rules::check(&Program::parse(prefix), prefix, Path::new("train.py"))
                .into_iter()
                .filter(|finding| finding.severity >= Severity::Warning)
                // A rate of 0 is wrong until the callback that sets it is written.
                .filter(|finding| finding.code != "DL301")
                .map(|finding| (finding.code, prefix.rsplit('\n').next()))
                .collect();
            assert!(wrong.is_empty(), "{name}, first {end} bytes: {wrong:?}");
        }
    }
}
