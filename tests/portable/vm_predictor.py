"""A predictor of whatever kernels the VM runs, for several portable tests."""

from array import array

from dibble.inference.kernels.choice import KIND


def predictor(low, high, features, interval_ms, score, unsure_below, hysteresis, novelty=None):
    """Return a Predictor of this VM's kernels.

    Args:
        features: list of (channel, kind, size); none where each channel is a feature.
        score: what forest() or additive() makes.
        novelty: (what scores how usual a row is, the least lead of its class 1).
    """
    low, high = array("i", low), array("i", high)
    spans = [high[i] - low[i] for i in range(len(low))]
    if KIND == "bytecode":
        from dibble.inference.kernels.features_bytecode import Windows
        from dibble.inference.novelty import watched
        from dibble.inference.predictor import Predictor

        windows = Windows(features, spans, interval_ms) if features else None
        score = watched(score, novelty[0], novelty[1]) if novelty else score
        return Predictor(low, high, windows, score, unsure_below, hysteresis)
    from dibble.inference.kernels.features_plan import WindowsPlan
    from dibble.inference.machine_code import Predictor

    windows = WindowsPlan(features, spans, interval_ms, low) if features else None
    node = Predictor(low, high, windows, score, unsure_below, hysteresis)
    if novelty:
        node.watch(novelty[0], novelty[1])
    return node
