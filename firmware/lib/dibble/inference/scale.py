"""Feature values -> 8-bit codes, by multiplier, shift and logarithm."""

from dibble.inference.kernels.generator import started


def scaler(cursor, limit):
    """Return (drop, bias, zero_point, multiplier, shift), read from a model file, of a feature of at most `limit`."""
    shift = cursor.byte()
    multiplier = cursor.byte()
    zero_point = cursor.number()
    bias = cursor.number() if shift & 32 else 0
    drop = 0
    while limit >> drop > 32767:
        drop += 1
    return drop, bias, zero_point, multiplier, shift & 31


def scale(scalers, limits, codes):
    """Return f(values): squeeze feature values to 8-bit codes: clamp((u - zero_point) * multiplier >> shift, 0, top).

    Where a scaler has a bias, u is log2(value + bias) in 1/256, straight between powers of two;
    else it is value >> drop. Either is below 2**15 and the multiplier below 2**7.

    Args:
        scalers: (feature, drop, bias, zero_point, multiplier, shift, top) of each code.
        limits: largest value of each feature: where no value can leave 0..top, nothing needs clamping.
        codes: bytearray, one code a scaler.
        values: one value >= 0 a feature; value + bias stays below 2**30.
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
    return started(_scale(free, linear, log, codes))


def _scale(free, linear, log, codes):
    while True:
        values = yield
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
