"""dibble on the board: integers only, one model file. Version and error classes, nothing else."""

__version__ = "0.1.0"


class ModelError(Exception):
    """A model file is damaged, of another version, or doesn't fit the readings it is given."""
