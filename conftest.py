import importlib.util

# In processes of their own, which test_twins.py starts: JAX does not go with forks.
_TWINS = [
    "src/maxsup/jax.py",
    "src/maxsup/keras.py",
    "tests/losses/in_jax.py",
    "tests/losses/in_keras.py",
]

# Examples of the kernels can only be collected where Triton is, which torch brings on Linux alone.
_TRITON = [] if importlib.util.find_spec("triton") else ["src/maxsup/losses/numbers/triton.py"]

# Libraries that the tests do not install; their examples run with tests/integrations, by .ci/docs.
_INTEGRATIONS = ["src/maxsup/integrations/transformers.py"]

collect_ignore = [*_TWINS, *_TRITON, *_INTEGRATIONS]
