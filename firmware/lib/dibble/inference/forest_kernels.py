"""The forest family's kernels that this interpreter runs fastest: see kernels.py."""

try:
    from dibble.inference.forest_viper import encode, forest_scores, prepare_coders
except (ImportError, SyntaxError, NameError, NotImplementedError):
    from dibble.inference.forest_bytecode import encode, forest_scores, prepare_coders
