"""The windows of a model file, over the kernels of this VM."""

from dibble.inference.features import feature_limit
from dibble.inference.kernels.choice import KIND

if KIND == "bytecode":
    from dibble.inference.kernels.features_bytecode import Windows
else:
    from dibble.inference.kernels.features_plan import WindowsPlan as Windows


def read(cursor, count, low, spans, interval_ms, kind=Windows):
    """Return (windows, the largest value of each feature) of the next `count` features of a model file.

    Args:
        low, spans: of each channel.
        kind: the features.Past to make.
    """
    features = [(cursor.byte(), cursor.byte(), cursor.byte()) for _ in range(count)]
    return kind(features, low, spans, interval_ms), [feature_limit(kind, spans[of]) for of, kind, _ in features]
