"""Why a file couldn't be read, in words for people."""

import json
from pathlib import Path

import pytest
from dibble_tools.common.errors import InputError, reason_of
from dibble_tools.data.feature_spec import read_features
from dibble_tools.node.config import parsed


def test_a_reason_has_no_number_and_names_the_place_in_a_text(tmp_path):
    with pytest.raises(OSError) as missing:
        Path(tmp_path / "none").read_bytes()
    assert reason_of(missing.value) == "No such file or directory"
    with pytest.raises(json.JSONDecodeError) as torn:
        json.loads('{"a": 1,\n "b" 2}')
    assert reason_of(torn.value) == "line 2, column 6: Expecting ':' delimiter"
    assert reason_of(ValueError("odd")) == "odd"
    assert reason_of(EOFError()) == "EOFError"


def test_files_that_are_not_there_or_torn_are_told_so(tmp_path):
    with pytest.raises(InputError, match=r"expected a readable features.toml: No such file or directory$"):
        read_features(tmp_path / "features.toml", [])
    with pytest.raises(Exception, match=r"^config: expected JSON, got text that isn't: line 1, column 2: "):
        parsed(b"{a}")
