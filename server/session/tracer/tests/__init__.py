"""Tests of the tracer.

Run with ``python -m unittest discover -s server/session/tracer/tests -t server/session/tracer``.

The interpreter must have Keras 3 and TensorFlow.
"""
