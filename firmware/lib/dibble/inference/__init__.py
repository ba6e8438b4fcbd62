"""Models on the board: `load(path)` returns one, which tests itself and decides on rows of integers.

What a model doesn't need is imported when it is asked for: importing this package imports nothing.
"""


def load(path, code=None):
    """Return the model in the file at `path`; raise ModelError with the reason if it isn't whole.

    From a ROMFS it is used in place, and takes no RAM for its tables; see `contents`. What a file says is checked the
    first time: that it passed is kept beside it, in PATH.ok, where the file system can be written.

    Args:
        code: see model_of.
    """
    blob = contents(path)
    identity = bytes(blob[-4:])  # its CRC-32
    checked = passed(path, identity)
    model = model_of(blob, code, checked)
    if not checked:
        from dibble.inference.golden import keep_pass

        keep_pass(path, identity)
    return model


def contents(path):
    """Return a file's bytes: in place from a ROMFS, from any other file system read once, into one buffer.

    Of a model of the family maps that is larger than 16 KB the pages.Pages, whose file stays open.
    """
    with open(path, "rb") as file:
        try:
            return memoryview(file)  # only a ROMFS's file is a buffer: a piece of the flash
        except TypeError:
            size = file.seek(0, 2)
            file.seek(0)
            if size > 16384:
                from dibble.inference.pages import contents

                return contents(path, file, size)
            return file.read(size)  # without its size, the buffer would grow


def model_of(blob, code=None, checked=False):
    """Return the Model of a file's bytes.

    Args:
        code: the module that `dibble unroll` made of this file, to be run in its tables' place: fastest
            where there is no viper, for some 10 bytes of bytecode a split; None runs the tables.
        checked: this file passed all checks before.
    """
    if blob[5:6] == b"\x05":  # the family maps
        try:
            from dibble.inference.image import ImageModel as Kind
        except ImportError as error:
            from dibble.inference.errors import reason

            raise reason(blob, error)
    else:
        from dibble.inference.model import Model as Kind
    if code:
        from dibble.inference.unrolled import Unrolled

        if not checked:
            Kind(blob)
        return Unrolled(blob, code)
    return Kind(blob, checked)


def passed(path, identity):
    """Tell whether it is kept beside `path` that the model file which ends in `identity` passed all checks."""
    from dibble.inference.format import CRC_BYTES, PASSES

    try:
        with open(path + PASSES, "rb") as file:
            return identity in (file.read(CRC_BYTES), file.read(CRC_BYTES))
    except OSError:
        return False
