"""The imperative mechanism: Keras on NumPy builds the model, the native engine trains it.

Keras is imported on its NumPy back end, `tensorflow` is a stand-in for the few functions that training
scripts use beside Keras, and `fit` hands the model, its weights and its batches to the engine. Whatever is
not covered ends the script with a message that says what it was; the tool then runs it again under Keras'
real back end. See docs/hand-over.md.
"""

# Whether the script is run by this mechanism.
active = False
