"""Scans -> the rows that are taken, a CSV that `dibble train` reads as it is, and what there is to say of both."""

import csv
import difflib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.heater_scans.assemble import Assembled, Scan
from dibble_tools.data.heater_scans.profiles import Profile

GROUPS = ("sensor", "specimen", "day", "session")
PLACE, PROFILE = "scan", "profile"
AIR = ("air_temperature_centi_c", "humidity_permille", "pressure_pa")
CEILING_OHM, FLOOR_OHM = 102_400_000, 5_685  # the converter's ends: range 0, and the end of range 13
TOLD_SHARE = 0.001
LABELLED_BY = ("tag", "folder", "file")
PLACES = ("all", "first", "last")


@dataclass(frozen=True)
class Choice:
    """Which scans are taken.

    Attributes:
        places: "all", "first", "last", or "2..5": since the sensor slept.
        profile: None: the one with the most scans.
        sensors: places on the board; empty: all.
        by: what a label is: see LABELLED_BY.
        label: of all that have none; "": none.
        classes: what a label is called instead; "": it is left out.
        air: with temperature, humidity and pressure.
    """

    places: str = "all"
    profile: Profile | None = None
    sensors: frozenset[int] = frozenset()
    by: str = "tag"
    label: str = ""
    classes: dict[str, str] = field(default_factory=dict)
    air: bool = False


@dataclass
class Taken:
    """The scans that are taken.

    Attributes:
        dropped: how many aren't, by reason, with those that are no scans.
        notes: what there is to say.
    """

    scans: list[Scan]
    profile: Profile
    dropped: Counter[str]
    notes: list[str]


def parse_places(text: str) -> Callable[[Scan], bool]:
    """Return which scans --scans means.

    Raises:
        InputError: it means none.
    """
    if text == "all":
        return lambda scan: True
    if text == "first":
        return lambda scan: scan.place == 1
    if text == "last":
        return lambda scan: scan.last
    low, dots, high = text.partition("..")
    if low.isdecimal() and (high.isdecimal() if dots else True) and 1 <= int(low) <= int(high or low):
        return lambda scan: int(low) <= scan.place <= int(high or low)
    raise InputError(f"--scans: expected {', '.join(PLACES)}, a number, or two as 2..5, got {text!r}")


def parse_sensors(text: str) -> frozenset[int]:
    """Return the sensors that --sensors means, such as 0,2-4; "": all."""
    found: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        low, dash, high = part.partition("-")
        if not low.isdecimal() or not (high.isdecimal() if dash else True) or int(high or low) > 255:
            raise InputError(f"--sensors: expected numbers on the board, such as 0,2-4, got {text!r}")
        found |= set(range(int(low), int(high or low) + 1))
    return frozenset(found)


def take(found: Assembled, choice: Choice) -> Taken:
    """Return the scans that are asked for, labelled; what isn't taken is counted by its reason.

    Raises:
        InputError: none is left.
    """
    wanted = parse_places(choice.places)
    dropped = Counter(found.dropped)
    notes: list[str] = []
    if not found.scans:
        raise InputError(_none_left(found, dropped))
    by_profile = Counter(scan.profile.steps for scan in found.scans)
    steps = choice.profile.steps if choice.profile else by_profile.most_common(1)[0][0]
    if steps not in by_profile:
        there = ", ".join(f"{Profile('', one).text} ({count:,} scans)" for one, count in by_profile.most_common())
        raise InputError(f"--profile: expected one that was recorded: {there}; got {Profile('', steps).text}")
    taken = []
    unknown_sensors = choice.sensors - {scan.index for scan in found.scans}
    if unknown_sensors:
        there = ", ".join(map(str, sorted({scan.index for scan in found.scans})))
        raise InputError(f"--sensors: expected of {there}, got {', '.join(map(str, sorted(unknown_sensors)))}")
    for scan in found.scans:
        if scan.profile.steps != steps:
            dropped[f"another profile, {scan.profile.text}: --profile takes it"] += 1
        elif choice.sensors and scan.index not in choice.sensors:
            dropped["another sensor than --sensors"] += 1
        elif not wanted(scan):
            dropped[f"another place since the sensor slept than --scans {choice.places}"] += 1
        elif not (label := _label(scan, choice)):
            dropped["no label: --label names what has none, --by folder or file takes their names"] += 1
        elif not (renamed := choice.classes.get(label, label)):
            dropped[f"labelled {label!r}, which --class leaves out"] += 1
        else:
            taken.append(replace(scan, label=renamed))
    for label in choice.classes:
        if label not in (known := sorted({_label(scan, choice) for scan in found.scans} - {""})):
            raise InputError(f"--class: expected a label of the files, got {label!r}; {listed(label, known)}")
    if not taken:
        raise InputError(_none_left(found, dropped))
    if found.strays:
        notes.append(f"{found.strays:,} rows of steps that the profile hasn't are passed over")
    notes += _class_notes(taken) + _saturation(taken)
    return Taken(taken, Profile(taken[0].profile.title, steps), dropped, notes)


def _label(scan: Scan, choice: Choice) -> str:
    if choice.by == "folder":
        return scan.folder
    if choice.by == "file":
        return scan.session
    return scan.label or choice.label


def _none_left(found: Assembled, dropped: Counter[str]) -> str:
    why = "; ".join(f"{count:,}: {reason}" for reason, count in dropped.most_common())
    return f"expected scans to take, got none of {found.counted:,}" + (f" ({why})" if why else "")


def _class_notes(scans: Sequence[Scan]) -> list[str]:
    """Return what the classes' recordings are worth: a class of one session can't be told from that session."""
    notes = []
    names = sorted({scan.label for scan in scans})
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            same = difflib.SequenceMatcher(None, name.casefold(), other.casefold()).ratio()
            if same > 0.85 and not (name[-1:].isdigit() and other[-1:].isdigit()):
                notes.append(
                    f"the classes {name!r} and {other!r} are spelled almost alike: --class {name!r}={other!r}?"
                )
    sessions: dict[str, set[str]] = defaultdict(set)
    for scan in scans:
        sessions[scan.label].add(scan.session)
    single = [name for name in names if len(sessions[name]) == 1]
    if len(names) < 2:
        notes.append(f"all scans are of one class, {names[0]!r}: a classifier needs two")
    elif single and len({scan.session for scan in scans}) > 1:
        every = "each class" if len(single) == len(names) else "of the classes " + ", ".join(single) + " each"
        notes.append(
            f"{every} was recorded in one session: a model may learn the session's air, or its sensor's age, instead "
            "of the odour, and no split can show it. Record each class in several sessions, in turn"
        )
    return notes


def _saturation(scans: Sequence[Scan]) -> list[str]:
    notes = []
    for step in range(len(scans[0].ohm)):
        at_end = [
            ("above", sum(scan.ohm[step] >= CEILING_OHM for scan in scans), CEILING_OHM),
            ("below", sum(scan.ohm[step] <= FLOOR_OHM for scan in scans), FLOOR_OHM),
        ]
        for word, count, ohm in at_end:
            if count > TOLD_SHARE * len(scans):
                notes.append(
                    f"step {step}: {count / len(scans):.1%} of the scans are at {ohm:,} ohm or {word}: saturated"
                )
    return notes


def counts_by_class(scans: Iterable[Scan]) -> list[tuple[str, int, list[int]]]:
    """Return (class, scans, how many of each of GROUPS they are from) of each class."""
    of: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        of[scan.label].append(scan)
    return [
        (name, len(own), [len({getattr(scan, group) for scan in own}) for group in GROUPS])
        for name, own in sorted(of.items())
    ]


def csv_of(taken: Taken, *, air: bool) -> str:
    """Return the table: label, what it is grouped by, its place since the sensor slept, ohms in whole numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    steps = range(len(taken.profile.steps))
    writer.writerow(["label", *GROUPS, PLACE, PROFILE, *(AIR if air else ()), *(f"gas_{step}_ohm" for step in steps)])
    for scan in taken.scans:
        celsius, hectopascal, percent = scan.air
        weather = (celsius * 100, percent * 10, hectopascal * 100)
        writer.writerow(
            [
                scan.label,
                scan.sensor,
                scan.specimen,
                scan.day or "unknown",
                scan.session,
                scan.place,
                taken.profile.text,
                *(["" if value != value else round(value) for value in weather] if air else ()),
                *(round(ohm) for ohm in scan.ohm),
            ]
        )
    return out.getvalue()
