"""Times as loggers write them become milliseconds since 1970, or of the logger's own clock."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dibble_tools.common.errors import InputError
from dibble_tools.data.csv_table import NUMBER, Table

ZONE = r"[T ]\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"
DATE = r"\d{4}(?:[-/]?\d\d[-/]?\d\d|\.\d\d\.\d\d)"
LOCAL = re.compile(
    r"(?P<a>\d{1,4})[./-](?P<b>\d{1,2})[./-](?P<c>\d{2,4})\.?"
    r"(?:[T, ]+(?P<h>\d{1,2})[:.](?P<m>\d\d)(?:[:.](?P<s>\d\d(?:[.,]\d+)?))?\s*(?P<half>[AaPp](?:\.?[Mm]\.?)?)?)?"
)
COMPACT = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])([01]\d|2[0-3])([0-5]\d){0,2}")  # 202303010010
COMPACT_FORMS = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
FINER = ((1e17, 10**9), (1e14, 10**6))  # numbers from here on count so many a second: InfluxDB's nanoseconds
LONGEST_S = 86400  # the longest interval of a node
DAY_MS = 86_400_000
EXCEL_EPOCH_MS = -25569 * DAY_MS  # 1899-12-30, of which spreadsheets count days
UNSET = (1970, 1980, 2000, 2021)  # years in which a clock that nobody set begins


@dataclass(frozen=True)
class TimeOptions:
    """How the times of a file are written, where that can't be seen from them.

    Attributes:
        format: of strptime, such as "%d/%m/%Y %H:%M"; "" finds it.
        zone: such as Europe/Berlin, of times without one; "" takes them as UTC.
    """

    format: str = ""
    zone: str = ""


def parse_times(texts: np.ndarray, options: TimeOptions = TimeOptions()) -> tuple[np.ndarray, np.ndarray]:
    """Return times in ms, and which texts are no time; all are of the kind of the first.

    Args:
        texts: str array: numbers of seconds, ISO timestamps, or dates such as 31.01.2013 or 1/31/13 with a time of day.
    Raises:
        InputError: it can't be told which number is the day; an unknown zone or format.
    """
    series = pd.Series(texts, dtype=object).str.replace(r"\s*(UTC|GMT)$", "Z", regex=True)
    if options.format:
        return _by_format(series.str.removesuffix("Z"), options)
    series = series.str.replace(r"(\d),(\d)", r"\1.\2", regex=True)
    series = series.str.replace(r"^(\d{4})\.(\d\d)\.(\d\d)\b", r"\1-\2-\3", regex=True)
    if len(texts) and series.str.fullmatch(COMPACT).all() and series.str.len().nunique() == 1:
        return _by_format(series, replace(options, format=COMPACT_FORMS[len(series.iloc[0])]))
    if len(texts) and NUMBER.fullmatch(series.iloc[0]):
        numbers = pd.to_numeric(series, errors="coerce").to_numpy(np.float64)
        numbers = numbers / next((a_second for least, a_second in FINER if abs(numbers[0]) >= least), 1)
        bad = ~(np.abs(numbers) < 1e14)
        return np.floor(np.where(bad, 0, numbers) * 1000 + 0.5).astype(np.int64), bad
    if len(texts) and not re.match(DATE, series.iloc[0]) and LOCAL.fullmatch(series.iloc[0].removesuffix("Z")):
        return _local(series.str.removesuffix("Z"), options)
    series = series.where(series.str.match(DATE).astype(bool))
    times, bad = np.zeros(len(series), np.int64), np.ones(len(series), bool)
    zoned = series.str.contains(ZONE, na=False).astype(bool)
    for rows, told in ((zoned, True), (~zoned, False)):  # together, pandas 2.2 gives the zone of one row to the next
        stamps = pd.to_datetime(series[rows], format="ISO8601", utc=told, errors="coerce")
        times[rows], bad[rows] = _in_ms(stamps if told else _zoned(stamps, options)), stamps.isna()
    return times, bad


def is_date(text: str) -> bool:
    """Tell whether a text is a date, with or without a time of day, and no mere number but 202303010010."""
    text = re.sub(r"\s*(UTC|GMT)$", "", text)
    if COMPACT.fullmatch(text) and len(text) > 10:
        return True
    return not NUMBER.fullmatch(text) and bool(re.match(DATE, text) or LOCAL.fullmatch(text))


def _in_ms(stamps: pd.Series) -> np.ndarray:
    return stamps.dt.as_unit("ms").astype(np.int64).to_numpy()


def _zoned(stamps: pd.Series, options: TimeOptions) -> pd.Series:
    """Return times without a zone as those of the one that is named, of UTC where none is."""
    if not options.zone:
        return stamps.dt.tz_localize("UTC")
    try:
        local = stamps.dt.tz_localize(options.zone, ambiguous="infer", nonexistent="shift_forward")
    except (KeyError, LookupError, OSError):
        raise InputError(f"--time-zone: expected a name such as Europe/Berlin, got {options.zone!r}") from None
    except ValueError:  # a double hour of which not all is there: its first half is taken
        local = stamps.dt.tz_localize(options.zone, ambiguous=np.ones(len(stamps), bool), nonexistent="shift_forward")
    return local.dt.tz_convert("UTC")


def _by_format(series: pd.Series, options: TimeOptions) -> tuple[np.ndarray, np.ndarray]:
    try:
        stamps = pd.to_datetime(series, format=options.format, errors="coerce")
    except ValueError as error:
        raise InputError(f"--time-format: expected one of strptime's, such as %d/%m/%Y %H:%M, got: {error}") from None
    bad = stamps.isna().to_numpy()
    if getattr(stamps.dt, "tz", None) is None:
        stamps = _zoned(stamps, options)
    return np.where(bad, 0, _in_ms(stamps)), bad


def _local(series: pd.Series, options: TimeOptions) -> tuple[np.ndarray, np.ndarray]:
    """Return times of dates that don't begin with a year of four digits."""
    parts = series.str.extract("^" + LOCAL.pattern + "$")
    bad = parts["a"].isna().to_numpy(copy=True)
    good = parts[~bad]
    numbers = {name: good[name].fillna("0").str.replace(",", ".").astype(float) for name in "abchms"}
    numbers["c"] = numbers["c"].where(numbers["c"] > 99, numbers["c"] + 2000)
    half = good["half"].fillna("").str.lower().str[:1]
    hours = numbers["h"].where(half == "", numbers["h"] % 12 + 12 * (half == "p"))
    orders = [("a", "b")]
    if "." not in series.iloc[0][:3]:  # with points the day comes first
        orders.append(("b", "a"))
    found = []
    for day, month in orders:
        dates = pd.DataFrame({"year": numbers["c"], "month": numbers[month], "day": numbers[day]})
        stamps = pd.to_datetime(dates, errors="coerce")
        stamps = stamps + pd.to_timedelta(hours * 3600 + numbers["m"] * 60 + numbers["s"], unit="s")
        found.append(stamps)
    order = _likelier(found, series)
    times = np.zeros(len(series), np.int64)
    stamps = found[order]
    times[~bad] = np.where(stamps.isna(), 0, _in_ms(_zoned(stamps, options)))
    bad[~bad] = stamps.isna()
    return times, bad


def _likelier(found: list[pd.Series], series: pd.Series) -> int:
    """Return which reading of the dates is right: the one without impossible ones, then the one in steps alike."""
    if len(found) == 1:
        return 0
    missing = [int(stamps.isna().sum()) for stamps in found]
    if missing[0] != missing[1]:
        return int(missing[1] < missing[0])
    steps = [stamps.diff().dropna() for stamps in found]
    falls = [int((step < pd.Timedelta(0)).sum()) for step in steps]
    if falls[0] != falls[1]:
        return int(falls[1] < falls[0])
    widest = [step.max() for step in steps]
    if len(series) > 1 and widest[0] != widest[1]:
        return int(widest[1] < widest[0])
    if len(series) > 1 and not (found[0] == found[1]).all():
        raise InputError(
            f"expected dates of which it can be told whether the day or the month comes first, got {series.iloc[0]!r}: "
            'say so with --time-format "%d/%m/%Y %H:%M" or "%m/%d/%Y %H:%M"'
        )
    return 0


def time_text(ms: int) -> str:
    """Return a time for people: a timestamp, or seconds where the clock clearly starts near zero."""
    return pd.Timestamp(ms, unit="ms").isoformat(" ") if abs(ms) > 10**11 else f"{ms / 1000:.15g} s"


def times_of(table: Table, time: str, options: TimeOptions) -> np.ndarray:
    """Return the times of all rows in ms.

    Raises:
        InputError: a cell that is no time.
    """
    texts = table.texts(time)
    try:
        times, bad = parse_times(texts, options)
    except InputError as error:
        raise InputError(f"{table.file}, column {time!r}: {error}") from None
    if bad.any():
        row = int(np.argmax(bad))
        raise table.error(
            row,
            time,
            f"expected seconds or a timestamp such as 2013-01-31 06:00, got {str(texts[row])!r}: "
            "write every time so, drop the row, or tell their form with --time-format.",
        )
    if NUMBER.fullmatch(texts[0].replace(",", ".")) and not options.format:
        times = _counted(table, times, time)
    return times - table.zone_minutes * 60_000


def _counted(table: Table, times: np.ndarray, time: str) -> np.ndarray:
    """Return numbers that were read as seconds in what they count: seconds, milliseconds or a spreadsheet's days."""
    texts = table.texts(time)
    steps = np.diff(times)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1000.0
    first = float(times[0]) / 1000
    if 20_000 < first < 80_000 and step < 1000 and times.max() < 80_000_000:
        days = np.char.replace(texts, ",", ".").astype(np.float64)
        times = np.floor(days * 86400 + 0.5).astype(np.int64) * 1000 + EXCEL_EPOCH_MS
        table.notes.append(f"column {time!r} counts days, as spreadsheets do: it begins at {time_text(times[0])}")
        return times
    if step > LONGEST_S * 1000 or times.max() > 10**14:
        why = f"steps of {step / 1000:g} s" if step > LONGEST_S * 1000 else f"{texts[0]} s"
        table.notes.append(f"column {time!r} is read as milliseconds: {why} would be no node's")
        return np.floor(times / 1000 + 0.5).astype(np.int64)
    return times


def fall_of(before_ms: int, after_ms: int) -> str:
    """Return what a clock that went back most likely did, and what to do about it."""
    before, after = pd.Timestamp(before_ms, unit="ms"), pd.Timestamp(after_ms, unit="ms")
    fell = before - after
    if fell <= pd.Timedelta(hours=1) and before.month in (3, 4, 9, 10, 11) and abs(before_ms) > 10**11:
        return (
            "autumn's double hour, as these times are a zone's own: name it with --time-zone, such as "
            "--time-zone Europe/Berlin, or write UTC"
        )
    if after.year in UNSET and before.year != after.year and abs(before_ms) > 10**11:
        return (
            "a clock that nobody set after a power-on: correct these rows' times, drop them, or tell the runs apart "
            "with a column and --group"
        )
    return (
        f"the clock fell back by {_amount(fell)}: sort the rows if they are out of order, or tell the series or runs "
        "apart with a column and --group"
    )


def _amount(fell: pd.Timedelta) -> str:
    seconds = fell.total_seconds()
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:g} s"
