"""The image of a ROMFS partition: files that a board uses in place, straight from its flash."""

from collections.abc import Mapping
from itertools import product

ALIGNMENT = 4  # of what machine code reads as words
FIRST_BYTES = 4096  # of a partition, which are written last


def romfs_image(first: str, files: Mapping[str, bytes]) -> bytes:
    """Return an image with a model's file, aligned so that no kernel needs a copy, and the other files behind it.

    The others begin beyond the first FIRST_BYTES: who writes that piece last has them whole before the image is
    one, so a board can't import half of a file.
    """
    for before, after in product(range(ALIGNMENT), range(2)):  # the image's own length is even
        image = _image(first, files, bytes(before), bytes(after))
        if image.index(files[first]) % ALIGNMENT == 0:
            return image
    raise AssertionError("expected a padding that aligns the model")


def _image(first: str, files: Mapping[str, bytes], before: bytes, after: bytes) -> bytes:
    from mpremote.romfs import VfsRomWriter

    writer = VfsRomWriter()
    writer.mkdata(before)  # data that no file refers to is passed over
    writer.mkfile(first, files[first])
    others = {name: content for name, content in files.items() if name != first}
    if others:
        writer.mkdata(bytes(max(0, FIRST_BYTES - len(files[first]))))
    for name, content in others.items():
        writer.mkfile(name, content)
    writer.mkdata(after)
    return bytes(writer.finalise())
