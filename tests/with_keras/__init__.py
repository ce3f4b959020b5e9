"""Keras on its NumPy backend, computing with fastconv.

These want an environment with Keras and without JAX. Where ``FASTCONV_REQUIRE_KERAS=1`` is set, one that
is otherwise is a failure; else they run with JAX too, and without Keras skip and say so. Every test has
processes of its own, since Keras has one backend in each.
"""
