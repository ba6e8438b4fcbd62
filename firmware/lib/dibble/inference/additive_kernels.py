"""The additive family's kernels that this interpreter runs fastest: see kernels.py."""

try:
    from dibble.inference.additive_viper import additive_scores
except (ImportError, SyntaxError, NameError, NotImplementedError):
    from dibble.inference.additive_bytecode import additive_scores
