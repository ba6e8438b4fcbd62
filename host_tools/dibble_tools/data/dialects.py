"""What loggers and exports write around a table: titles, units, comments, a row for each reading.

All of it is blanked or turned, so that what is left begins with a header. Every line keeps its number: an error names
the line that people see in their file.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from dibble_tools.common.errors import InputError

SEPARATORS = ("\t", ";", ",", " ")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
HEAD = 60  # lines that are looked at
UNIT = re.compile(
    r"°|º|%|‰|µ|μ|Ω|²|³|\b(deg ?[cfk]?|celsius|[chkm]?pa|m?bar|[km]?v(olts?)?|m?a|[km]?ohms?|m/s|cm/s|km/h|kmh|mph|"
    r"w/m|mm|cm|lux|lx|pp[mb]|rh|s|sec|min|h|hz|g/m|kg|counts?|raw|unit(less)?|smp|avg|tot|max|min)\b",
    re.IGNORECASE,
)
HOBO_MARKS = ("host connected", "end of file", "coupler", "button", "stopped", "started", "bad battery", "good battery")
HOBO_HEADER = re.compile(r'^#?"?,?"?date[- ]time.*\(.*(host connected|end of file|button down)', re.IGNORECASE)
TOMST_ROW = re.compile(r"\d+;\d[\d.]+ \d\d:\d\d;-?\d+;(-?[\d.,]+;){4}")
TOMST = ("index", "time", "zone", "T1", "T2", "T3", "moisture", "shake", "error")
NO_UNITS = ("TS", "RN", "")  # Campbell's: of the time stamp, of the record's number
STATES = ("unavailable", "unknown", "none", "")  # Home Assistant's: there was no reading


@dataclass
class Plain:
    """A text that begins with its header.

    Attributes:
        separator: the one that the file itself names, or that was written here; None: to be found.
        units: of columns, by name, where a row of units or a name told them.
        left_out: columns that are no readings, and why.
        zone_minutes: what a HOBO's header says of its times.
        lines_above: that were put above the file's own: a header where it has none.
        notes: what was found, for people.
    """

    text: str
    separator: str | None = None
    units: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    zone_minutes: int = 0
    lines_above: int = 0
    notes: list[str] = field(default_factory=list)


def plain(text: str, file: str) -> Plain:
    """Return a file's text without what some program wrote around its table.

    Raises:
        InputError: a known export that lacks what it should have.
    """
    lines = text.split("\n")
    found = Plain(text)
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if named := re.fullmatch(r'"?sep=(.)"?\s*', lines[first], re.IGNORECASE):
        found.separator = named[1]
        lines[first] = ""
        first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    start = lines[first].lstrip('"').lower() if lines else ""
    reader = _reader_of(start, lines, first)
    if reader is not None:
        reader(lines, first, found, file)
    else:
        _without_comments(lines, found)
        _without_title(lines, found)
        _without_units(lines, found)
    if found.text == text:
        found.text = "\n".join(lines)
    return found


Reader = Callable[[list[str], int, Plain, str], None]


def _reader_of(start: str, lines: list[str], first: int) -> Reader | None:
    """Return what reads the file of a known program; None for any other."""
    if start.startswith("toa5"):
        return _campbell
    if start.startswith("toaci1"):
        return _array_campbell
    if start.startswith("plot title") or HOBO_HEADER.search(start):
        return _hobo
    if TOMST_ROW.match(lines[first]):
        return _tomst
    if re.match(r"\s*\t", lines[first]) and lines[first + 1 : first + 2] and "\t" in lines[first + 1]:
        return _davis
    if start.startswith(("#group", "#datatype", "#default")):
        return _influx
    names = [name.strip().lower() for name in fields(lines[first], ",")]
    if {"entity_id", "state"} <= set(names) and ({"last_changed", "last_updated"} & set(names)):
        return _home_assistant
    if {"_time", "_value", "_field"} <= set(names):
        return _influx
    third = lines[first + 2 : first + 3]
    if third and third[0].lstrip('"').lower().startswith("timestamp") and len(fields(third[0], ",")) > 1:
        return _zentra
    return None


def fields(line: str, separator: str) -> list[str]:
    """Return the fields of one line."""
    if separator == " ":
        line = re.sub(r"[ \t]+", " ", line.strip())
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])


def written(rows: Sequence[Sequence[str]]) -> str:
    """Return lines of a CSV with commas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().rstrip("\n")


def _campbell(lines: list[str], first: int, found: Plain, file: str) -> None:
    """TOA5: environment, names, units, kind of processing; then rows."""
    if len(lines) < first + 5:
        raise InputError(f"{file}: expected Campbell's four header lines and rows below them, got {len(lines)} lines.")
    names, units = fields(lines[first + 1], ","), fields(lines[first + 2], ",")
    found.units = {n: u for n, u in zip(names, units, strict=False) if u not in NO_UNITS}
    if "RECORD" in names:
        found.left_out["RECORD"] = "it counts the logger's records"
    found.separator = ","
    for i in (first, first + 2, first + 3):
        lines[i] = ""
    found.notes.append(f"a Campbell logger's file (TOA5): units are taken from line {first + 3}")


def _array_campbell(lines: list[str], first: int, found: Plain, file: str) -> None:
    """TOACI1: environment, names; then rows."""
    if "RECNBR" in fields(lines[first + 1] if len(lines) > first + 1 else "", ","):
        found.left_out["RECNBR"] = "it counts the logger's records"
    found.separator = ","
    lines[first] = ""
    found.notes.append("a Campbell logger's file (TOACI1), which has no units")


def _tomst(lines: list[str], first: int, found: Plain, file: str) -> None:
    """TOMST's TMS: rows without a header; its times are UTC, whatever the zone beside them."""
    width = max(len(line.rstrip(";\r").split(";")) for line in lines[first : first + HEAD])
    names = TOMST[:width]
    lines.insert(first, ";".join(names))
    found.lines_above = 1
    found.separator = ";"
    found.units = {name: "°C" for name in names if name[0] == "T"}
    found.left_out = {
        name: why
        for name, why in {
            "index": "it counts the rows",
            "zone": "the times are UTC",
            "shake": "the logger's own marks",
            "error": "the logger's own marks",
        }.items()
        if name in names
    }
    found.notes.append(f"a TOMST logger's file, which has no header: its columns are {', '.join(names)}")


def _davis(lines: list[str], first: int, found: Plain, file: str) -> None:
    """Davis' WeatherLink: names in two rows, one above the other, then rows with times such as 12:30a."""
    above, below = ([name.strip() for name in lines[first + k].split("\t")] for k in (0, 1))
    above += [""] * (len(below) - len(above))
    names = [f"{a} {b}".strip() for a, b in zip(above, below, strict=False)]
    lines[first], lines[first + 1] = "", "\t".join(names)
    found.separator = "\t"
    rows = [line.split("\t") for line in lines[first + 2 : first + 2 + HEAD] if line.strip()]
    for place, name in enumerate(names):
        if name.endswith("Dir") and not any(NUMBER.fullmatch(row[place].strip()) for row in rows if len(row) > place):
            found.left_out[name] = "points of the compass, no numbers"
    found.notes.append(f"Davis' names are joined from lines {first + 1} and {first + 2}")


def _hobo(lines: list[str], first: int, found: Plain, file: str) -> None:
    """HOBOware: a title; names such as "Temp, °C (LGR S/N: 1, SEN S/N: 1)"; marks such as "Logged".

    HOBOconnect has no title, and the name of a zone beside that of the times.
    """
    titled = lines[first].lstrip('"').lower().startswith("plot title")
    header = next((i for i in range(first + titled, len(lines)) if lines[i].strip()), None)
    if header is None:
        raise InputError(f"{file}: expected a header below HOBOware's title, got none.")
    separator = next((s for s in ("\t", ";", ",") if len(fields(lines[header], s)) > 1), ",")
    names: list[str] = []
    for text in fields(lines[header], separator):
        name, _, rest = text.partition(", ")
        unit = rest.partition(" (")[0].strip()
        name, _, more = (part.strip() for part in name.partition(" ("))
        if name.lower().startswith("date") and more and not titled:
            found.notes.append(f"times are of the zone {more.rstrip(')')}: tell its name with --time-zone")
        if zone := re.match(r"GMT([+-])(\d\d):(\d\d)", unit):
            found.zone_minutes = int(zone[1] + "1") * (60 * int(zone[2]) + int(zone[3]))
            unit = ""
        while name in names:
            name += "'"
        names.append(name)
        if unit:
            found.units[name] = unit
        if name == "#":
            found.left_out[name] = "it counts the rows"
        elif name.lower().startswith(HOBO_MARKS):
            found.left_out[name] = "the logger's own marks"
    if titled:
        lines[first] = ""
    lines[header] = _joined(names, separator)
    found.separator = separator
    found.notes.append(
        "a HOBO logger's file: names and units are taken from its header" + _zone_note(found.zone_minutes)
    )


def _zone_note(minutes: int) -> str:
    return f"; its times are read as UTC{minutes / 60:+g} h" if minutes else ""


def _zentra(lines: list[str], first: int, found: Plain, file: str) -> None:
    """ZENTRA Cloud: device and ports, records and sensors, then names that begin with their unit."""
    ports, names = fields(lines[first], ","), []
    for i, text in enumerate(fields(lines[first + 2], ",")):
        unit, _, name = text.strip().partition(" ")
        if i == 0 or not name or not UNIT.search(unit):
            name, unit = text.strip(), ""
        port = ports[i].strip() if 0 < i < len(ports) else ""
        name = f"{name} {port}".strip()
        while name in names:
            name += "'"
        names.append(name)
        if unit:
            found.units[name] = unit
    lines[first] = lines[first + 1] = ""
    lines[first + 2] = _joined(names, ",")
    found.separator = ","
    found.notes.append(f"a ZENTRA file: names, units and ports are taken from lines {first + 1} to {first + 3}")


def _home_assistant(lines: list[str], first: int, found: Plain, file: str) -> None:
    """History of Home Assistant: a row for each entity's change, which holds until the next."""
    frame = _frame(lines, first)
    time = "last_changed" if "last_changed" in frame else "last_updated"
    frame["entity_id"] = frame["entity_id"].str.removeprefix("sensor.")
    frame["state"] = frame["state"].where(~frame["state"].str.lower().isin(STATES), "")
    _turn(frame, time, "entity_id", "state", found, file)
    found.notes.append(
        f"Home Assistant's history: each entity is a column, {time} the time, and a state holds until the next"
    )


def _influx(lines: list[str], first: int, found: Plain, file: str) -> None:
    """InfluxDB: annotations, then a row for each field's value, perhaps in several tables with headers of their own."""
    kept: list[str] = []
    header = ""
    for line in lines[first:]:
        if not line.strip() or line.startswith("#"):
            continue
        if "_time" in line and "_value" in line:
            header = header or line
            if line != header:
                raise InputError(f"{file}: expected tables of the same columns, got {header!r} and {line!r}.")
        else:
            kept.append(line)
    frame = _frame([header, *kept], 0)
    fixed = {"", "result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement"}
    tags = [name for name in frame if name not in fixed and frame[name].nunique() > 1]
    series = frame["_field"]
    for tag in tags:
        series = series + " " + frame[tag]
    frame["_series"] = series
    _turn(frame, "_time", "_series", "_value", found, file)
    found.notes.append("an InfluxDB export: each field is a column, _time the time, and a value holds until the next")


def _frame(lines: list[str], first: int) -> pd.DataFrame:
    return pd.read_csv(io.StringIO("\n".join(lines[first:])), dtype=str, keep_default_na=False, skipinitialspace=True)


def _turn(frame: pd.DataFrame, time: str, series: str, value: str, found: Plain, file: str) -> None:
    """Make a column of each series, a row of each moment at which the readings of one round are all there."""
    stamps = pd.to_datetime(frame[time], format="ISO8601", utc=True, errors="coerce")
    if stamps.isna().any():
        row = int(stamps.isna().to_numpy().argmax())
        raise InputError(
            f"{file}, column {time!r}: expected a time such as 2023-03-01T00:00:00Z, got {frame[time][row]!r}."
        )
    wide = pd.DataFrame({"t": stamps, "s": frame[series], "v": frame[value]})
    steps = wide.groupby("s")["t"].apply(lambda times: times.sort_values().diff().median())
    step = steps.dropna().min()
    if pd.isna(step) or step <= pd.Timedelta(0):
        raise InputError(f"{file}: expected several readings of each series, got {len(frame)} in all.")
    wide = wide.sort_values("t", kind="stable")
    # A round of readings comes within a part of the interval: its moment is the last of them.
    late = wide["t"].diff() > step / 4
    wide["round"] = late.cumsum()
    moments = wide.groupby("round")["t"].max()
    table = wide.pivot_table(index="round", columns="s", values="v", aggfunc="last", sort=False).ffill()
    found.separator = ","
    rows = [[time, *map(str, table.columns)]]
    for moment, cells in zip(moments, table.itertuples(index=False), strict=True):
        rows.append(
            [moment.isoformat(sep=" ", timespec="milliseconds"), *("" if pd.isna(cell) else cell for cell in cells)]
        )
    found.text = written(rows)


def _without_comments(lines: list[str], found: Plain) -> None:
    """Blank lines that begin with #; the last before the rows is the header, if none follows."""
    marked = [i for i, line in enumerate(lines) if line.startswith("#")]
    if not marked:
        return
    rest = [line for line in lines[:HEAD] if line.strip() and not line.startswith("#")]
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    above = [i for i in marked if i < first]
    for i in marked:
        heads = i == (above[-1] if above else -1) and rest and _is_row(rest[0])
        lines[i] = lines[i].lstrip("# ") if heads else ""
    blank = [i for i in marked if not lines[i]]
    if blank:
        found.notes.append(f"{len(blank)} lines that begin with # are left out, the first is line {blank[0] + 1}")


def _is_row(line: str) -> bool:
    """Tell whether a line holds numbers, as no header does."""
    return any(NUMBER.fullmatch(cell.replace(",", ".")) for s in SEPARATORS for cell in fields(line, s))


def _without_title(lines: list[str], found: Plain) -> None:
    """Blank what stands above a header that is as wide as the rows, where the first line is narrower."""
    head = [(i, line) for i, line in enumerate(lines[:HEAD]) if line.strip()]
    for separator in (found.separator,) if found.separator else SEPARATORS[:3]:
        widths = [len(_trimmed(line, separator)) for _, line in head]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
        if usual < 2 or widths.count(usual) * 2 < len(widths):
            continue
        if widths[0] == usual or (widths[0] > usual and not _is_row(head[0][1])):
            return  # a header may be wider than rows whose last cells are empty, and has no numbers
        place = next(k for k, width in enumerate(widths) if k and width >= usual)
        header = _trimmed(head[place][1], separator)
        if 0 < place < len(head) - 1 and not any(NUMBER.fullmatch(name.replace(",", ".")) for name in header):
            for i, _ in head[:place]:
                lines[i] = ""
            last = head[place - 1][0] + 1
            found.notes.append(f"line{'s 1 to' if last > 1 else ''} {last}: a title above the header, left out")
            found.separator = separator
        return


def _trimmed(line: str, separator: str) -> list[str]:
    cells = fields(line, separator)
    while cells and not cells[-1].strip():
        cells.pop()
    return cells


def _without_units(lines: list[str], found: Plain) -> None:
    """Blank a row of units below the header, and keep what it says."""
    head = [(i, line) for i, line in enumerate(lines[:HEAD]) if line.strip()][:6]
    if len(head) < 4:
        return
    for separator in (found.separator,) if found.separator else SEPARATORS[:3]:
        names, units, *rows = ([cell.strip() for cell in fields(line, separator)] for _, line in head)
        if len(names) < 2 or len(units) > len(names) or any(len(row) != len(names) for row in rows):
            continue
        units += [""] * (len(names) - len(units))
        numeric = [k for k in range(len(names)) if all(NUMBER.fullmatch(row[k].replace(",", ".")) for row in rows)]
        said = [units[k] for k in numeric if units[k]]
        if (
            not said
            or any(NUMBER.fullmatch(unit.replace(",", ".")) for unit in units)
            or not any(map(UNIT.search, said))
        ):
            return
        if all(len(unit) <= 20 for unit in said):
            found.units.update({names[k]: units[k].strip("[]()") for k in numeric if units[k]})
            lines[head[1][0]] = ""
            found.notes.append(f"line {head[1][0] + 1} is taken as units")
        return


def _joined(names: Sequence[str], separator: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="").writerow(names)
    return text.getvalue()
