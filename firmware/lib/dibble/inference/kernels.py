"""Which kernels this interpreter runs: viper where there is one, bytecode everywhere else.

A VM without native emitters refuses a whole viper module with a SyntaxError; a computer with
Adafruit-Blinka, which has a package micropython, with a NameError. Both sets have the same results,
bit for bit. Viper's take the inputs as they are, and tell by -1 that one isn't within its range; bytecode's
take what lies above each input's low, after `offsets`.
"""

try:
    from dibble.inference import kernels_viper

    KIND = "viper"
except (ImportError, SyntaxError, NameError, NotImplementedError):
    KIND = "bytecode"
