"""The kernels this interpreter runs fastest: viper where there is one, bytecode everywhere else.

A VM without native emitters refuses the whole viper module with a SyntaxError; a computer with
Adafruit-Blinka, which has a package micropython, with a NameError. Both sets have the
same functions with the same results, bit for bit; `KIND` tells which was picked.
"""

try:
    from dibble.inference.kernels_viper import offsets, prepare_scalers, scale, top_two

    KIND = "viper"
except (ImportError, SyntaxError, NameError, NotImplementedError):
    from dibble.inference.kernels_bytecode import offsets, prepare_scalers, scale, top_two

    KIND = "bytecode"
