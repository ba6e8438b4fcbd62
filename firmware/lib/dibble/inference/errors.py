"""What is wrong with bytes that aren't a whole model of this firmware's format, or with a row of readings."""

from dibble import ModelError
from dibble.inference.crc32 import crc32
from dibble.inference.format import CRC_BYTES, FOREST, FORMATS, HEADER_BYTES, MAGIC, WHOLE

NEWEST = 5  # of the families that this firmware runs: maps


def reason(blob, error):
    """Return the ModelError of bytes that model.Model couldn't read; error is what happened then."""
    if isinstance(error, ModelError):
        return error
    if isinstance(error, MemoryError):
        return ModelError("the model takes more memory than there is")
    if isinstance(error, ImportError):
        return ModelError(
            "expected a family that was deployed: deploy with a configuration whose sensors feed this model"
        )
    size = len(blob)
    if size < HEADER_BYTES + CRC_BYTES:
        return ModelError("expected a model file, got %d bytes" % size)
    if bytes(blob[:4]) != MAGIC:
        return ModelError("expected a model file that starts with %r, got %r" % (MAGIC, bytes(blob[:4])))
    if blob[4] not in FORMATS:
        return ModelError(
            "expected model format %d or %d, got %d: update the firmware or export again" % (FORMATS + (blob[4],))
        )
    if not FOREST <= blob[5] & 127 <= NEWEST:
        told = FOREST, NEWEST, blob[5] & 127
        return ModelError("expected a family from %d to %d, got %d: update the firmware" % told)
    # Halves, so that no byte of a damaged length makes a long int.
    if blob[8] | blob[9] << 8 != size >> 16 or blob[6] | blob[7] << 8 != size & 0xFFFF:
        return ModelError("got %d bytes, but the file's header tells another length: cut short, copy it again" % size)
    if crc32(blob, size) != WHOLE:
        return ModelError("the model file's CRC-32 doesn't match its bytes: damaged, copy it again")
    return ModelError("the model file contradicts itself: %s" % (error if error.args else type(error).__name__))


def no_row(row, channels):
    """Return the error of a row that isn't an int for each of the channels."""
    if len(row) != channels:
        return ModelError("expected %d readings, got %d" % (channels, len(row)))
    return TypeError("expected readings that are ints, got %r" % (row,))
