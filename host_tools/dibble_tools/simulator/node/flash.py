"""A NOR flash chip, which counts what is written to it and can lose its power meanwhile.

Its content is a file's, so that a VM reads it without asking, as a processor reads its flash.
"""

import mmap
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

BLOCK_BYTES = 4096  # erased as a whole
ERASED = 0xFF


class PowerCut(Exception):
    """The supply failed: whoever runs the VM ends it at once."""


class Flash:
    """Programs clear bits, erasing sets a block's bits: the image outlives the VM that wrote it.

    Args:
        blocks: number of blocks.
        file: open for reading and writing, as long as the blocks; None: a new one without a name, erased.
    Attributes:
        image: the chip's content, mapped: a bytearray of fixed length.
        file: where a VM finds it.
        operations: programs and erases so far; the cuts count them.
        cuts: numbers of the operations (from 1) at which the power fails.
        torn: share of such an operation that still happens: 0 none, 1 all of it.
        erases: erases of each block.
    """

    def __init__(self, blocks: int = 64, file: IO[bytes] | None = None) -> None:
        if file is None:
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (it lives as long as the chip)
            file.write(bytes([ERASED]) * (blocks * BLOCK_BYTES))
        self.file = file
        self.image: Any = mmap.mmap(file.fileno(), blocks * BLOCK_BYTES)
        self.blocks = blocks
        self.operations = 0
        self.programmed_bytes = 0
        self.erases = [0] * blocks
        self.cuts: frozenset[int] = frozenset()
        self.torn = 0.0

    def cut_at(self, operations: Iterable[int], *, torn: float = 0.0) -> None:
        """Let the power fail at these operations, counted from now (1: the next one)."""
        self.operations = 0
        self.cuts = frozenset(operations)
        self.torn = torn

    def read(self, block: int, offset: int, size: int) -> bytes:
        at = self._at(block, offset, size)
        content: bytes = self.image[at : at + size]
        return content

    def program(self, block: int, offset: int, data: bytes) -> None:
        at = self._at(block, offset, len(data))
        done = self._done(len(data))
        old = self.image[at : at + done]
        self.image[at : at + done] = bytes(o & n for o, n in zip(old, data[:done], strict=True))
        self.programmed_bytes += done
        self._fail_here()

    def erase(self, block: int) -> None:
        at = self._at(block, 0, BLOCK_BYTES)
        done = self._done(BLOCK_BYTES)
        self.image[at : at + done] = bytes([ERASED]) * done
        self.erases[block] += 1
        self._fail_here()

    def save(self, path: Path) -> None:
        path.write_bytes(self.image[:])

    def _at(self, block: int, offset: int, size: int) -> int:
        if not 0 <= block < self.blocks or offset < 0 or offset + size > BLOCK_BYTES:
            raise ValueError(
                f"expected a place on a chip of {self.blocks} blocks, got block {block} + {offset}, {size}"
            )
        return block * BLOCK_BYTES + offset

    def _done(self, size: int) -> int:
        """Count an operation; return how many of its bytes come about."""
        self.operations += 1
        return int(size * self.torn) if self.operations in self.cuts else size

    def _fail_here(self) -> None:
        if self.operations in self.cuts:
            raise PowerCut
