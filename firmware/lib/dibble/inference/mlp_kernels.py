"""The mlp family's kernels that this interpreter runs fastest: see kernels.py."""

try:
    from dibble.inference.mlp_viper import codebook, dense, sparse
except (ImportError, SyntaxError, NameError, NotImplementedError):
    from dibble.inference.mlp_bytecode import codebook, dense, sparse
