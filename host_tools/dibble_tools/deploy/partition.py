"""A board's ROMFS partition: its image, and writing that so that no half of it is ever mounted."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

from dibble_tools.common.errors import InputError
from dibble_tools.deploy.board_state import numbers_in
from dibble_tools.deploy.kernel import CODE_COMPILED
from dibble_tools.link.session import LinkError, RemoteError, Session
from dibble_tools.model.host_model import MODEL_FILE

PIECE_BYTES = 2048  # that are written at once; more where the board's flash asks for it
MOST_PIECE_BYTES = 16384
SHOWN = 5  # of other people's files
OWN = (MODEL_FILE, CODE_COMPILED)


@dataclass(frozen=True)
class Partition:
    """A partition.

    Attributes:
        size: bytes.
        names: of the files and folders in its root.
        holds: it begins with the image that it was asked about.
    """

    size: int
    names: tuple[str, ...]
    holds: bool


def look_at(session: Session, image: bytes) -> Partition:
    """Ask a board for its partition, and whether it begins with an image.

    Raises:
        LinkError: it answers otherwise than link/guest/partition.py does.
    """
    first, *names = session.run("partition.partition_look", len(image), timeout_s=20).splitlines() or [""]
    size, _, digest = first.partition(" ")
    return Partition(numbers_in(size, 1)[0], tuple(names), digest == hashlib.sha256(image).hexdigest())


def check_partition(partition: Partition, image: bytes, overwrite: bool) -> None:
    """Refuse an image that has no place there.

    Raises:
        InputError: it's too large; or the partition holds what a deploy didn't write, and that isn't given up.
    """
    if len(image) > partition.size:
        raise InputError(
            f"--romfs: expected at most {partition.size} bytes, the board's partition, got an image of {len(image)}: "
            "give a smaller model, or deploy without --romfs"
        )
    strangers = [name for name in partition.names if name not in OWN]
    if strangers and not overwrite:
        shown = ", ".join(map(repr, strangers[:SHOWN]))
        raise InputError(
            f"--romfs: expected an empty partition, or dibble's own, got one with {shown}: keep what it holds "
            "elsewhere and give --overwrite-romfs"
        )


def write_partition(session: Session, image: bytes, progress: Callable[[int], None]) -> None:
    """Write an image and read it back, its beginning last: until then there is nothing that a board would mount.

    Raises:
        InputError: it can't be written; a node runs from its slot then.
    """
    try:
        least, most = numbers_in(session.run("partition.partition_erase", len(image), timeout_s=120), 2)
        piece = min(max(PIECE_BYTES, least), most)
        if not 0 < piece <= MOST_PIECE_BYTES:
            raise LinkError(f"expected a partition that is written in 1 to {MOST_PIECE_BYTES} bytes, got {piece}")
        for at in reversed(range(0, len(image), piece)):
            content = image[at : at + piece]
            session.run("partition.partition_write", at, content.ljust(piece, b"\xff"), timeout_s=20)
            progress(len(content))
        session.run("partition.partition_end", timeout_s=20)
        whole = look_at(session, image).holds
    except RemoteError as error:
        raise InputError(f"the board's ROMFS partition: {error}: its node runs without; deploy again") from None
    if not whole:
        raise LinkError("expected the ROMFS partition to read back as it was written, it doesn't: a failing flash?")


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
