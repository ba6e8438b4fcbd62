"""Kernels that every family needs, in plain bytecode, for every interpreter.

A bytecode costs about the same whatever it does, so these hoist, iterate and don't call. Nothing
here but `prepare_scalers` allocates, and nothing leaves the small ints of a 32-bit VM: readings are
within +-READING_LIMIT, offsets within 0..high - low, codes are bytes, scores are below 2**16.
"""

from dibble.inference.fixed_point import MISSING


def offsets(readings, low, high, out):
    """Write each reading's offset above its channel's low to `out`, clamped to the channel's range.

    Args:
        readings: array("i"), one a channel; MISSING where there is none.
        low, high: array("i"), the range each channel was trained on, inclusive.
        out: array("i"); -1 where the reading is missing.
    Returns:
        (first missing channel + 1) | (first channel out of range + 1) << 8; 0 when all is well.
    """
    missing = beyond = i = 0
    for reading in readings:
        least = low[i]
        if reading < least:
            if reading == MISSING:
                out[i] = -1
                if not missing:
                    missing = i + 1
            else:
                out[i] = 0
                if not beyond:
                    beyond = i + 1
        elif reading > high[i]:
            out[i] = high[i] - least
            if not beyond:
                beyond = i + 1
        else:
            out[i] = reading - least
        i += 1
    return missing | beyond << 8


def prepare_scalers(scalers, limits):
    """Return what `scale` wants from (feature, drop, bias, zero_point, multiplier, shift, top) of each code.

    Args:
        limits: largest value of each feature: where no value can leave 0..top, nothing needs clamping.
    """
    free = []
    linear = []
    log = []
    k = 0
    for i, drop, bias, zero_point, multiplier, shift, top in scalers:
        if bias:
            log.append((k, i, bias, (7 << 8) - zero_point, multiplier, shift, top))
        elif drop or zero_point or limits[i] * multiplier >> shift > top:
            linear.append((k, i, drop, zero_point, multiplier, shift, top))
        else:
            free.append((k, i, multiplier, shift))
        k += 1
    return free, linear, log


def scale(values, scalers, codes):
    """Squeeze feature values to 8-bit codes: clamp((u - zero_point) * multiplier >> shift, 0, top).

    Where a scaler has a bias, u is log2(value + bias) in 1/256, straight between powers of two;
    else it is value >> drop. Either is below 2**15 and the multiplier below 2**7.

    Args:
        values: array("i"), one value >= 0 a feature; value + bias stays below 2**30.
        scalers: from `prepare_scalers`.
        codes: bytearray, one code a scaler.
    """
    free, linear, log = scalers
    for k, i, multiplier, shift in free:
        codes[k] = values[i] * multiplier >> shift
    for k, i, drop, zero_point, multiplier, shift, top in linear:
        code = ((values[i] >> drop) - zero_point) * multiplier >> shift
        codes[k] = 0 if code < 0 else top if code > top else code
    for k, i, bias, start, multiplier, shift, top in log:
        # 256 .. 511 is what lies between two powers of two, and 1 << 8 of it the power itself.
        value = values[i] + bias
        while value >= 8192:
            value >>= 4
            start += 4 << 8
        while value >= 512:
            value >>= 1
            start += 1 << 8
        while value < 256:
            value <<= 1
            start -= 1 << 8
        code = (value + start) * multiplier >> shift
        codes[k] = 0 if code < 0 else top if code > top else code


def top_two(scores):
    """Return winner | margin << 8: the first of the highest scores, and its lead over the runner-up."""
    best = second = -1
    winner = i = 0
    for score in scores:
        if score > best:
            second = best
            best = score
            winner = i
        elif score > second:
            second = score
        i += 1
    return winner | (best - second) << 8
