"""A model file as a deploy needs it: its bytes and the firmware's own Model, without the libraries that train."""

from dataclasses import dataclass
from pathlib import Path

from dibble import ModelError
from dibble.inference.model import Model

from dibble_tools.common.errors import InputError

MODEL = "model.dib"


@dataclass(frozen=True)
class ModelFile:
    """A model that is whole, and computes what its golden vectors say."""

    blob: bytes
    model: Model

    @classmethod
    def open(cls, path: Path) -> "ModelFile":
        """Read a model file, or the model.dib of a model's folder.

        Raises:
            InputError: it isn't there, is damaged, or computes something else than its golden vectors.
        """
        file = path / MODEL if path.is_dir() else path
        try:
            return cls.of(file.read_bytes())
        except OSError as error:
            raise InputError(f"{file}: expected a model file, as `dibble train` writes: {error.strerror}") from None
        except ModelError as error:
            raise InputError(f"{file}: {error}") from None

    @classmethod
    def of(cls, blob: bytes) -> "ModelFile":
        """Return the model of a file's bytes; raise ModelError as the firmware does."""
        model = Model(blob)
        model.self_test()
        return cls(blob, model)
