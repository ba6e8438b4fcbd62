"""dibble on the board: integers only, one model file. Version and error classes, nothing else."""

__version__ = "0.1.0"


class ModelError(Exception):
    """A model file is damaged, of another version, or doesn't fit the readings it is given."""


class SensorError(Exception):
    """A sensor doesn't answer, isn't what was expected, or says what can't be."""


class RecordError(Exception):
    """A record or a slot can't be written or isn't whole."""


class ConfigError(Exception):
    """The configuration holds what its schema doesn't allow."""
