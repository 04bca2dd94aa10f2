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

collect_ignore = [*_TWINS, *_TRITON]
