"""Convolutions of maps in float32 by NumPy, and their gradients.

A map (channels, rows, height, width) is padded and taken apart into stride x stride planes, so that what a kernel's
weight sees of all outputs is one slice of a plane laid flat: long runs of memory, which NumPy is quick at. Behind each
row of pixels such a slice sees the next row's beginning; these outputs are cut away.
"""

import numpy as np

AT_ONCE = 32768  # numbers of a piece that stays in the cache


class Planes:
    """A padded map taken apart.

    Attributes:
        values: (stride * stride, channels, length).
        offsets: plane and first number of what each of the kernel's weights sees.
        span: how many numbers each sees.
    """

    def __init__(self, x: np.ndarray, kernel: tuple[int, int], stride: int, pad: int) -> None:
        height, width = x.shape[2:]
        self.shape, self.stride, self.pad = x.shape, stride, pad
        self.out = ((height + 2 * pad - kernel[0]) // stride + 1, (width + 2 * pad - kernel[1]) // stride + 1)
        self.sides = (-(-(height + 2 * pad) // stride), -(-(width + 2 * pad) // stride))
        self.values = self._apart(x).reshape(stride * stride, len(x), -1)
        self.offsets = [
            (r % stride * stride + c % stride, r // stride * self.sides[1] + c // stride)
            for r in range(kernel[0])
            for c in range(kernel[1])
        ]
        self.span = self.values.shape[2] - max(offset for _, offset in self.offsets)

    def _apart(self, x: np.ndarray) -> np.ndarray:
        channels, rows, height, width = x.shape
        s, (high, wide) = self.stride, self.sides
        padded = np.zeros((channels, rows, high * s, wide * s), x.dtype)
        padded[:, :, self.pad : self.pad + height, self.pad : self.pad + width] = x
        if s == 1:
            return padded
        apart = padded.reshape(channels, rows, high, s, wide, s).transpose(3, 5, 0, 1, 2, 4)
        return np.ascontiguousarray(apart)

    def together(self, planes: np.ndarray) -> np.ndarray:
        """Return planes (stride * stride, channels, length) as a map without its padding."""
        channels, rows, height, width = self.shape
        s, (high, wide) = self.stride, self.sides
        apart = planes.reshape(s, s, channels, rows, high, wide).transpose(2, 3, 4, 0, 5, 1)
        whole = apart.reshape(channels, rows, high * s, wide * s)
        return np.ascontiguousarray(whole[:, :, self.pad : self.pad + height, self.pad : self.pad + width])

    def cut(self, flat: np.ndarray) -> np.ndarray:
        """Return outputs (units, length) as a map, those cut away that see two rows at once."""
        whole = flat.reshape(len(flat), self.shape[1], *self.sides)
        return np.ascontiguousarray(whole[:, :, : self.out[0], : self.out[1]])

    def spread(self, gradient: np.ndarray) -> np.ndarray:
        """Return a map of outputs as (units, length), with 0 where outputs were cut away."""
        whole = np.zeros((len(gradient), self.shape[1], *self.sides), gradient.dtype)
        whole[:, :, : self.out[0], : self.out[1]] = gradient
        return whole.reshape(len(gradient), -1)


class Convolution:
    """A full convolution of one batch; weights (units, rows, columns, depth)."""

    def __init__(self, x: np.ndarray, weights: np.ndarray, stride: int, pad: int) -> None:
        self.weights = weights
        self.flat = weights.reshape(len(weights), -1)
        self.plain = weights.shape[1:3] == (1, 1) and stride == 1 and not pad
        if self.plain:
            self.shape = x.shape
            self.seen = x.reshape(len(x), -1)
            return
        self.planes = Planes(x, (weights.shape[1], weights.shape[2]), stride, pad)
        length = self.planes.values.shape[2]
        seen = np.zeros((len(self.planes.offsets), len(x), length), x.dtype)
        for part, (plane, offset) in zip(seen, self.planes.offsets, strict=True):
            part[:, : length - offset] = self.planes.values[plane, :, offset:]
        self.seen = seen.reshape(-1, length)

    def outputs(self) -> np.ndarray:
        """Return the sums (units, rows, height, width)."""
        sums = self.flat @ self.seen
        return sums.reshape(-1, *self.shape[1:]) if self.plain else self.planes.cut(sums)

    def to_weights(self, gradient: np.ndarray) -> np.ndarray:
        """Return the weights' gradient, from that of the sums."""
        return (self._flat(gradient) @ self.seen.T).reshape(self.weights.shape)

    def to_inputs(self, gradient: np.ndarray) -> np.ndarray:
        """Return the inputs' gradient, from that of the sums."""
        back = self.flat.T @ self._flat(gradient)
        if self.plain:
            return back.reshape(self.shape)
        found = np.zeros_like(self.planes.values)
        parts = back.reshape(len(self.planes.offsets), -1, back.shape[1])
        for part, (plane, offset) in zip(parts, self.planes.offsets, strict=True):
            found[plane, :, offset:] += part[:, : part.shape[1] - offset]
        return self.planes.together(found)

    def _flat(self, gradient: np.ndarray) -> np.ndarray:
        return gradient.reshape(len(gradient), -1) if self.plain else self.planes.spread(gradient)


class Depthwise:
    """A convolution of each channel by itself, of one batch; weights (channels, rows, columns)."""

    def __init__(self, x: np.ndarray, weights: np.ndarray, stride: int, pad: int) -> None:
        self.weights = weights
        self.taps = weights.reshape(len(weights), -1)
        self.planes = Planes(x, (weights.shape[1], weights.shape[2]), stride, pad)
        length = self.planes.values.shape[2]
        some = max(1, AT_ONCE // length)
        self.pieces = [slice(at, min(at + some, len(weights))) for at in range(0, len(weights), some)]

    def outputs(self) -> np.ndarray:
        """Return the sums (channels, rows, height, width)."""
        span, values = self.planes.span, self.planes.values
        sums = np.zeros(values.shape[1:], values.dtype)
        for piece in self.pieces:
            own = sums[piece, :span]
            room = np.empty_like(own)
            for k, (plane, offset) in enumerate(self.planes.offsets):
                np.multiply(values[plane, piece, offset : offset + span], self.taps[piece, k, None], out=room)
                own += room
        return self.planes.cut(sums)

    def to_weights(self, gradient: np.ndarray) -> np.ndarray:
        """Return the weights' gradient, from that of the sums."""
        span, values = self.planes.span, self.planes.values
        own = self.planes.spread(gradient)[:, :span]
        found = np.empty_like(self.taps)
        for k, (plane, offset) in enumerate(self.planes.offsets):
            found[:, k] = np.einsum("cl,cl->c", values[plane, :, offset : offset + span], own)
        return found.reshape(self.weights.shape)

    def to_inputs(self, gradient: np.ndarray) -> np.ndarray:
        """Return the inputs' gradient, from that of the sums."""
        span = self.planes.span
        own = self.planes.spread(gradient)[:, :span]
        found = np.zeros_like(self.planes.values)
        for piece in self.pieces:
            room = np.empty_like(own[piece])
            for k, (plane, offset) in enumerate(self.planes.offsets):
                np.multiply(own[piece], self.taps[piece, k, None], out=room)
                found[plane, piece, offset : offset + span] += room
        return self.planes.together(found)
