"""HostModel.predict: rows by the channels' names, and complaints that name row and column."""

import numpy as np
import pandas as pd
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.model.host_model import HostModel
from node_helpers import soil_model

SOIL, AIR = "soil_moisture_permille", "air_temperature_centi_c"


@pytest.fixture(scope="module")
def model():
    return HostModel(soil_model(400))


def test_a_frames_columns_are_taken_by_name(model):
    frame = pd.DataFrame({AIR: [2000.0, 500.0], "other": ["a", "b"], SOIL: [300, 700]})
    assert model.predict(frame).tolist() == ["irrigate", "ok"]
    assert model.predict(frame[[SOIL, AIR]].to_numpy()).tolist() == ["irrigate", "ok"]
    assert model.predict(pd.DataFrame([[300, 2000]])).tolist() == ["irrigate"]  # its columns have no names


def test_none_and_nan_are_missing(model):
    assert model.predict([[None, 500], [300, np.nan], [300, 500]]).tolist() == ["", "", "irrigate"]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[300, 5], [300, "warm"]], f"row 1, column '{AIR}': expected a number, got 'warm'"),
        ([[300, 5], [300]], f"row 1: expected 2 values ({SOIL}, {AIR}), got 1 values"),
        ([[300, 5], 300], f"row 1: expected 2 values ({SOIL}, {AIR}), got 300"),
        ([[1j, 5]], f"row 0, column '{SOIL}': expected a number, got 1j"),
        ([300, 5], f"expected rows of 2 values ({SOIL}, {AIR}), got an array of shape (2,)"),
        ("soil", f"expected rows of 2 numbers ({SOIL}, {AIR}), got 'soil'"),
        (pd.DataFrame({"soil_moisture": [3], AIR: [4]}), f"expected a column '{SOIL}'; there are: soil_moisture"),
        (pd.DataFrame({SOIL: ["3", "x"], AIR: [4, 5]}), f"row 1, column '{SOIL}': expected a number, got 'x'"),
    ],
)
def test_what_is_no_row_is_told_with_its_place(model, x, message):
    with pytest.raises(InputError) as found:
        model.predict(x)
    assert message in str(found.value)
