import importlib.util

# Its examples can only be collected where Triton is, which torch brings on Linux alone.
collect_ignore = (
    [] if importlib.util.find_spec("triton") else ["src/maxsup/losses/numbers/triton.py"]
)
