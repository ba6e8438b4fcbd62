"""Frames from folders of pictures, arrays and tables: what is read, and what is refused in words."""

from pathlib import Path

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.labelled_frames import read_labelled
from PIL import Image


def picture(path: Path, size: tuple[int, int] = (8, 6), mode: str = "L", level: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level, 0, 0)).save(path)


def test_folders_are_classes_and_names_tell_the_recording(tmp_path):
    for kind in ("deer", "nobody"):
        for name in ("gate_001", "gate_002", "barn_001"):
            picture(tmp_path / kind / f"{name}.png", level=90 if kind == "deer" else 10)
    picture(tmp_path / "deer" / "monday" / "1.jpg")
    found = read_labelled(tmp_path)
    assert found.frames.shape == (7, 6, 8, 1) and found.frames[1, 0, 0, 0] == 90
    assert found.labels == ["deer"] * 4 + ["nobody"] * 3
    assert found.groups[:4] == ["deer/barn", "deer/gate", "deer/gate", "deer/monday"]


def test_pictures_of_other_sizes_or_colours_are_told(tmp_path):
    picture(tmp_path / "a" / "1.png")
    picture(tmp_path / "b" / "2.png", size=(9, 6))
    with pytest.raises(InputError, match=r"2\.png: expected 6 x 8 pixels, as 1\.png has, got 6 x 9: add --size"):
        read_labelled(tmp_path)
    assert read_labelled(tmp_path, size=(4, 4)).frames.shape == (2, 4, 4, 1)
    picture(tmp_path / "b" / "2.png", mode="RGB")
    with pytest.raises(InputError, match=r"expected a grey picture, as 1\.png is, got a colour one: add --grey"):
        read_labelled(tmp_path)
    assert read_labelled(tmp_path, grey=True).frames.shape == (2, 6, 8, 1)


def test_what_is_no_picture_is_told(tmp_path):
    with pytest.raises(InputError, match=r"expected pictures .* in a folder for each class, got none"):
        read_labelled(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(InputError, match=r"x\.png: expected a picture, got one that can't be read"):
        read_labelled(tmp_path)


def test_arrays_have_labels_and_groups(tmp_path):
    frames = np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4) - 5
    np.savez(tmp_path / "f.npz", frames=frames, labels=["a", "b"], groups=[1, 2])
    found = read_labelled(tmp_path / "f.npz")
    assert found.frames[..., 0].tolist() == frames.tolist() and found.scaled and found.groups == ["1", "2"]
    np.savez(tmp_path / "f.npz", frames=frames, labels=["a"])
    with pytest.raises(InputError, match="expected a label and a group for each of 2 frames"):
        read_labelled(tmp_path / "f.npz")
    (tmp_path / "f.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match=r"f\.npz: expected arrays of NumPy"):
        read_labelled(tmp_path / "f.npz")


def test_a_broken_row_of_a_table_is_told_by_its_line(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("p0,p1,p2,p3,label\n1,2,3,4,a\n1,2,x,4,b\n")
    with pytest.raises(InputError, match=r"line 3, column p2: expected a whole number, got 'x'"):
        read_labelled(path, size=(2, 2))
    path.write_text("soil,air,label\n1,2,a\n")
    with pytest.raises(InputError, match=r"expected a frame's readings in numbered columns, .* train without --images"):
        read_labelled(path, size=(1, 2))
    path.write_text("p0,p1,p2,p3,label\n1,2,3,4,a\n1,2,3,4,b\n")
    assert read_labelled(path, size=(2, 2)).frames.shape == (2, 2, 2, 1)
    with pytest.raises(InputError, match="expected --size HEIGHTxWIDTH of its 4 numbered columns, got 3 x 2"):
        read_labelled(path, size=(3, 2))
    path.write_text("p0,p1,p2,p3,label\n1,2,3,4,a\n1,,3,4,b\n")
    with pytest.raises(InputError, match="line 3, column p1: expected a whole number, got nothing"):
        read_labelled(path, size=(2, 2))
    path.write_text("p0,p1,p2,p3,label\n1,2,3,4,a\n1,2,-32768,4,b\n")
    with pytest.raises(InputError, match=r"expected readings of 16 bits, within \+-32,767, got -32,768\.\.4"):
        read_labelled(path, size=(2, 2))
