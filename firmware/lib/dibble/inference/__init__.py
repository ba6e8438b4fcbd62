"""Models on the board: `load(path)` returns one, which tests itself and decides on rows of integers.

What a model doesn't need is imported when it is asked for: importing this package imports nothing.
"""


def load(path, code=None):
    """Return the model in the file at `path`; raise ModelError with the reason if it isn't whole.

    From a ROMFS it is used in place, and takes no RAM for its tables; see `contents`.

    Args:
        code: see model_of.
    """
    return model_of(contents(path), code)


def contents(path):
    """Return a file's bytes: in place from a ROMFS, from any other file system read once, into one buffer."""
    with open(path, "rb") as file:
        try:
            return memoryview(file)  # only a ROMFS's file is a buffer: a piece of the flash
        except TypeError:
            size = file.seek(0, 2)
            file.seek(0)
            return file.read(size)  # without its size, the buffer would grow


def model_of(blob, code=None):
    """Return the Model of a file's bytes.

    Args:
        code: the module that `dibble unroll` made of this file, to be run in its tables' place: fastest
            where there is no viper, for some 10 bytes of bytecode a split; None runs the tables.
    """
    if code:
        from dibble.inference import unrolled

        return unrolled.Unrolled(blob, code)
    from dibble.inference.model import Model

    return Model(blob)
