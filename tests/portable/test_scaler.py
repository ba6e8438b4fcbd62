"""Scalers as a model file holds them."""

from dibble.inference.format import Cursor
from dibble.inference.scale import scaler


def test_linear_scaler():
    cursor = Cursor(b"\x0c\x7f\x80\x02\x99", 0)
    assert scaler(cursor, 1000) == (0, 0, 256, 127, 12)
    assert cursor.at == 4
    assert scaler(Cursor(b"\x1d\x01\x05\x07", 0), 1000) == (0, 0, 5, 1, 29)


def test_logarithmic_scaler():
    cursor = Cursor(b"\x3d\x01\x05\x90\x4e", 0)
    assert scaler(cursor, 1000) == (0, 10000, 5, 1, 29)
    assert cursor.at == 5
    assert scaler(Cursor(b"\x20\x01\x05\x07", 0), 1000) == (0, 7, 5, 1, 0)


def test_scaler_drops_what_exceeds_15_bits():
    for limit, drop in ((32767, 0), (32768, 1), (65535, 1), (65536, 2), (0x3FFFFFFF, 15)):
        assert scaler(Cursor(b"\x00\x01\x00", 0), limit)[0] == drop
