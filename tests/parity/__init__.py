"""Every public operation against Keras on its JAX backend and against ``jax.lax`` and PyTorch."""
