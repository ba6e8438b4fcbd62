"""Which kernels this interpreter runs: assembler where there is one for Cortex-M, viper, or bytecode everywhere else.

A VM without assembler or native emitters refuses a whole module in these with a SyntaxError, after it has parsed
all of it: so it is a small one that is tried. A computer with Adafruit-Blinka, which has a package micropython, refuses
it with a NameError. All kernels have the same results, bit for bit. Machine code takes the inputs as they are, and
tells by -1 that one isn't within its range; bytecode takes what lies above each input's low, after
`predictor.check_and_score`.
"""

_REFUSED = (ImportError, SyntaxError, NameError, NotImplementedError)

KIND = "thumb"
try:
    from dibble.inference.kernels.thumb_probe import address
except _REFUSED:
    KIND = "viper"
    try:
        from dibble.inference.kernels.viper_probe import address
    except _REFUSED:
        KIND = "bytecode"
