"""The windows of a model file, over the kernels of this VM."""

from dibble.inference.features import feature_limit
from dibble.inference.kernels.choice import KIND


def read(cursor, count, spans, interval_ms, low, ratios, kind=None):
    """Return (windows, the largest value of each feature) of the next `count` features of a model file.

    Args:
        spans: of each channel; low: of each that isn't made of others; ratios: those that are, see ratios.read.
        kind: the features.Past to make, in bytecode; None: that of this VM's kernels.
    """
    features = [(cursor.byte(), cursor.byte(), cursor.byte()) for _ in range(count)]
    limits = [feature_limit(feature[1], spans[feature[0]]) for feature in features]
    if not kind and KIND != "bytecode":
        from dibble.inference.kernels.features_plan import WindowsPlan

        return WindowsPlan(features, spans, interval_ms, low, ratios), limits
    if not kind:
        from dibble.inference.kernels.features_bytecode import Windows as kind
    windows = kind(features, spans, interval_ms)
    if ratios:
        from dibble.inference.ratios import before

        windows.push = before(ratios, low, windows.push)
    return windows, limits
