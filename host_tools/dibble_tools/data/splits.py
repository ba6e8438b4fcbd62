"""Which rows train and which test: apart by group, recording or time where the data says so, else at random."""

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.datasets import Dataset
from dibble_tools.data.recordings import names_of, place_of, recordings_of
from dibble_tools.data.times import parse_times, time_text

TEST_SHARE = 0.25
GROUP_DRAWS = 100
FEW_GROUPS = 6  # up to so many, each is a fold of its own: fewer folds would say little of another group
MAX_STRATIFIED_GROUPS = 1000  # StratifiedGroupKFold takes a Python step for each group and fold
MAX_CLASSES = 100
MOST_WHOLE_CLASSES = 20  # whole numbers that are labels, such as digits; more are measured
MIN_ROWS_OF_A_CLASS = 5
LATEST = (0.15, 0.4)  # of the rows, the part from a time on that may be held out
LEARNED, JUDGED = 0.25, 0.05  # of each class's rows, what has to lie before that time and after it
MOST_OF_A_CLASS = 0.5  # of its rows, held out by whole recordings
FEW_RECORDINGS = 60  # more are too short to be whole: stretches of time are held out instead
STRETCHES = 20
PIECES = 3  # that a class's only recording is cut into for a cross-validation


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to be judged on.

    Attributes:
        train, test: bool masks over all rows.
        how: for the report.
        units: number of the recording, or stretch of time, that each row is drawn with; None where groups tell it,
            or every row is its own.
        same_recording: classes of one recording only, whose end is held out: nothing tells how they do in another.
    """

    train: np.ndarray
    test: np.ndarray
    how: str
    units: np.ndarray | None = None
    same_recording: tuple[str, ...] = ()


def split(ds: Dataset, *, test_groups: Sequence[str] = (), test_after: str | None = None, seed: int = 0) -> Split:
    """Return the training and the test rows.

    Args:
        test_groups: groups to hold out.
        test_after: hold out the rows from this time on.
        seed: for the choice of groups or rows; the same seed, the same choice.
    """
    if test_groups and test_after is not None:
        raise InputError("expected --test-group or --test-after, got both: choose one.")
    grouped = ds.groups is not None and len(set(ds.groups)) > 1
    if test_groups:
        test, how = _named_groups(ds, test_groups)
        return Split(~test, test, how)
    recordings = None if grouped else recordings_of(ds)
    units = None if recordings is None else _units(ds, recordings)
    if ds.numbers is not None and recordings is not None:
        units = _stretch_of(recordings)  # of a number there are no runs
    if test_after is not None:
        test, how = _from_time(ds, test_after)
        return Split(~test, test, how, units)
    if grouped:
        assert ds.groups is not None
        test, how = _some_groups(_labels(ds), ds.groups, seed)
        return Split(~test, test, how)
    alone = ds.labels is not None and len(ds.labels) > 0 and (ds.labels == ds.labels[0]).all()
    if alone and recordings is None and ds.times_ms is None and not grouped:
        recordings = np.zeros(len(ds.values), int)  # of one class it can't be told whether rows follow one another
    if alone and recordings is not None:
        units = _stretch_of(recordings)
    if (ds.numbers is not None or alone) and (ds.times_ms is not None or recordings is not None):
        start = round(len(ds.values) * (1 - TEST_SHARE))
        test = np.arange(len(ds.values)) >= start
        return Split(~test, test, f"the last quarter of the rows, from {place_of(ds, start)} on", units)
    if recordings is None:
        test, how = _at_random(ds, seed), "a random quarter of each class (rows are taken as independent)"
        return Split(~test, test, how)
    return (
        _latest(ds, recordings, units) or _stretches(ds, recordings, units, seed) or _recordings(ds, recordings, units)
    )


def _units(ds: Dataset, recordings: np.ndarray) -> np.ndarray | None:
    """Return the recording of each row where these are few; else its stretch, or None where its time tells that."""
    if recordings[-1] < FEW_RECORDINGS:
        return recordings
    return _stretch_of(recordings) if ds.times_ms is None else None


def _stretch_of(recordings: np.ndarray) -> np.ndarray:
    return np.arange(len(recordings)) * STRETCHES // len(recordings)


def _latest(ds: Dataset, recordings: np.ndarray, units: np.ndarray | None) -> Split | None:
    """Return the split in which about the last quarter is held out, whole recordings; None if that leaves out a class.

    What comes later is what a node will see.
    """
    rows = len(recordings)
    kinds, classes = pd.factorize(_labels(ds).astype(object))
    starts = np.flatnonzero(np.diff(recordings)) + 1
    before = np.cumsum(np.eye(len(classes))[kinds], axis=0)[starts - 1]
    whole = np.bincount(kinds)
    held = 1 - starts / rows
    good = (
        (before >= LEARNED * whole).all(axis=1)
        & (whole - before >= np.maximum(1, JUDGED * whole)).all(axis=1)
        & (held >= LATEST[0])
        & (held <= LATEST[1])
    )
    if not good.any():
        return None
    nearest = np.argmin(np.where(good, np.abs(held - TEST_SHARE), np.inf))
    start, share = int(starts[nearest]), held[nearest]
    amount = "quarter" if round(4 * share, 1) == 1 else f"{share:.0%}"
    how = f"the last {amount} of the rows, from {place_of(ds, start)} on"
    test = np.arange(rows) >= start
    return Split(~test, test, how, units)


def _stretches(ds: Dataset, recordings: np.ndarray, units: np.ndarray | None, seed: int) -> Split | None:
    """Return the split in which some stretches of time are held out; None if a class is left out, or it isn't long."""
    labels = _labels(ds)
    if recordings[-1] < FEW_RECORDINGS:
        return None
    stretches = _stretch_of(recordings)
    test, _ = _some_groups(labels, stretches.astype(str), seed)
    if not set(labels[test]) == set(labels[~test]) == set(labels):
        return None
    how = f"{len(set(stretches[test]))} of {STRETCHES} stretches of time held out: no class is only in one part"
    return Split(~test, test, how, units)


def _recordings(ds: Dataset, recordings: np.ndarray, units: np.ndarray | None) -> Split:
    """Return the split in which the last recordings of each class are held out; of a class's only one, its end."""
    labels = _labels(ds)
    test = np.zeros(len(labels), bool)
    alone: list[str] = []
    held: list[int] = []
    for name in np.unique(labels).tolist():
        rows = np.flatnonzero(labels == name)
        numbers, counts = np.unique(recordings[rows], return_counts=True)
        if len(numbers) == 1:
            test[rows[len(rows) - max(1, round(len(rows) * TEST_SHARE)) :]] = True
            alone.append(name)
        else:
            held += numbers[_last_of(counts / counts.sum())].tolist()
    test |= np.isin(recordings, held)
    said = []
    if held:
        names = names_of(ds, recordings)
        some = ", ".join(names[number] for number in sorted(held)[:4]) + (", ..." if len(held) > 4 else "")
        said.append(f"{len(held)} of {recordings[-1] + 1} recordings held out whole: {some}")
    if alone:
        said.append(f"the end of the only recording of {', '.join(alone)}")
    return Split(~test, test, "; ".join(said), units, tuple(alone))


def _last_of(shares: np.ndarray) -> np.ndarray:
    """Return which recordings of a class to hold out, of their shares of its rows: the last ones, about a quarter."""
    together = np.cumsum(shares[::-1])[:-1]
    count = int(np.argmax(together >= TEST_SHARE)) + 1 if (together >= TEST_SHARE).any() else len(together)
    if together[count - 1] > MOST_OF_A_CLASS and count > 1:
        count -= 1
    if together[count - 1] <= MOST_OF_A_CLASS:
        return np.arange(len(shares) - count, len(shares))
    return np.array([np.argmax(np.where(shares <= MOST_OF_A_CLASS, shares, -1))])  # the last is too long


def folds(
    ds: Dataset,
    train: np.ndarray,
    n: int = 3,
    seed: int = 0,
    *,
    each_group: bool = False,
    units: np.ndarray | None = None,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (fit, held_out) row indices of a cross-validation inside the training rows.

    Args:
        train: bool mask of the training rows.
        n: number of folds; fewer where there aren't enough rows or groups.
        each_group: a fold for each group where these are few.
        units: of a Split: recordings are kept whole as groups are.
    """
    rows = np.flatnonzero(train)
    groups = None if ds.groups is None else ds.groups[rows]
    if units is not None and ds.labels is not None and (groups is None or len(set(groups)) < 2):
        groups, each_group = _whole_recordings(units[rows], ds.labels[rows]), False
    n_groups = 0 if groups is None else len(set(groups))
    if n_groups < 2 and ds.times_ms is not None:
        blocks = np.array_split(rows, max(2, min(n, len(rows))))
        return [(np.setdiff1d(rows, block, assume_unique=True), block) for block in blocks]
    if each_group and groups is not None and 1 < n_groups <= FEW_GROUPS:
        return [(rows[groups != name], rows[groups == name]) for name in dict.fromkeys(groups.tolist())]
    n = max(2, min(n, n_groups if n_groups > 1 else len(rows)))
    labels = np.zeros(len(rows)) if ds.labels is None else ds.labels[rows]
    splitters = [
        StratifiedKFold(n, shuffle=True, random_state=seed),
        KFold(n, shuffle=True, random_state=seed),
    ]
    if n_groups > 1:
        splitters = [StratifiedGroupKFold(n, shuffle=True, random_state=seed), GroupKFold(n)]
        splitters = splitters[n_groups > MAX_STRATIFIED_GROUPS :]
    for splitter in splitters:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a class with fewer rows than folds is acceptable
                parts = list(splitter.split(rows, labels, groups))
        except ValueError:
            continue  # every class has fewer rows than folds: the next splitter ignores classes
        if all(len(fit) and len(held_out) for fit, held_out in parts):
            return [(rows[fit], rows[held_out]) for fit, held_out in parts]
    raise InputError(f"{ds.name}: expected at least 2 training rows, got {len(rows)}.")


def _whole_recordings(units: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return groups for folds: recordings; where a class has only one, its pieces, as nothing better is there."""
    pieces = units.astype(np.int64) * PIECES
    for name in np.unique(labels):
        mine = np.flatnonzero(labels == name)
        if len(np.unique(units[mine])) == 1:
            pieces[mine] += np.arange(len(mine)) * PIECES // len(mine)
    return pieces.astype(str)


def check_classes(ds: Dataset, train: np.ndarray, test: np.ndarray) -> list[str]:
    """Return what should be known about classes and this split; raise where nothing can be learned."""
    labels = _labels(ds)
    counts = Counter(labels.tolist())
    if _like_numbers(counts):
        raise NumbersAsLabels(
            f"{ds.name}: the labels look like a number to predict: {len(counts)} different ones such as "
            f"{str(labels[0])!r}: expected names of classes; --target predicts a number."
        )
    if len(counts) == 1:
        raise InputError(f"{ds.name}: expected two classes or more, got only {str(labels[0])!r} in {len(labels)} rows.")
    if len(counts) > MAX_CLASSES:
        raise InputError(
            f"{ds.name}: expected at most {MAX_CLASSES} classes, got {len(counts)} such as {str(labels[0])!r}"
        )
    name, count = min(counts.items(), key=lambda item: (item[1], item[0]))
    if count < MIN_ROWS_OF_A_CLASS:
        raise InputError(
            f"{ds.name}: expected at least {MIN_ROWS_OF_A_CLASS} rows of each class, "
            f"got {count} of {name!r}: collect more, merge it with another class, or remove its rows."
        )
    trained, tested = Counter(labels[train].tolist()), Counter(labels[test].tolist())
    for name in sorted(counts):
        if not trained[name]:
            raise InputError(
                f"{ds.name}: expected every class among the training rows, "
                f"all {counts[name]} rows of {name!r} are held out: hold out other groups or another time."
            )
    notes = [
        f"class {name!r} isn't among the test rows: it isn't judged" for name in sorted(counts) if not tested[name]
    ]
    alike: dict[str, list[str]] = {}
    for name in sorted(counts):
        alike.setdefault(name.casefold(), []).append(name)
    notes += [f"classes {' and '.join(map(repr, names))} differ only in case" for names in alike.values() if names[1:]]
    if ds.groups is None and ds.times_ms is None:
        notes += _repeats(ds, train, test)
    return notes


class NumbersAsLabels(InputError):
    """The labels are numbers to predict."""


def _like_numbers(names: Iterable[str]) -> bool:
    """Tell whether labels are numbers, and too many or too fine to be classes of their own."""
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return False
    return len(numbers) > MOST_WHOLE_CLASSES or (len(numbers) > 2 and any(number % 1 for number in numbers))


def _labels(ds: Dataset) -> np.ndarray:
    if ds.labels is None:
        raise InputError(f"{ds.name}: expected a column of class names: name it with --label.")
    return ds.labels


def _named_groups(ds: Dataset, names: Sequence[str]) -> tuple[np.ndarray, str]:
    if ds.groups is None:
        raise InputError(f"{ds.name}: --test-group {names[0]} needs groups: name their column with --group.")
    there = list(dict.fromkeys(ds.groups.tolist()))
    for name in names:
        if name not in there:
            raise InputError(f"{ds.name}: --test-group: expected a group, got {name!r}; {listed(name, there)}")
    test = np.isin(ds.groups, list(names))
    if test.all():
        raise InputError(f"{ds.name}: --test-group names every group, nothing is left to train on: leave one out.")
    return test, _held_out(ds.groups, test)


def _held_out(groups: np.ndarray, test: np.ndarray) -> str:
    names = list(dict.fromkeys(groups[test].tolist()))
    if len(names) > 8:
        return f"{len(names)} of {len(set(groups))} groups held out"
    return f"group{'s' if len(names) > 1 else ''} {', '.join(names)} held out"


def _from_time(ds: Dataset, text: str) -> tuple[np.ndarray, str]:
    if ds.times_ms is None:
        raise InputError(f"{ds.name}: --test-after {text} needs times: name their column with --time.")
    times, bad = parse_times(np.array([text.strip()]))
    if bad[0]:
        raise InputError(f"--test-after: expected seconds or a timestamp such as 2013-01-31 06:00, got {text!r}.")
    test = ds.times_ms >= times[0]
    if test.all() or not test.any():
        raise InputError(
            f"{ds.name}: --test-after {text}: expected rows on both sides, got times from "
            f"{time_text(int(ds.times_ms.min()))} to {time_text(int(ds.times_ms.max()))}."
        )
    return test, f"rows from {text.strip()} on"


def _some_groups(labels: np.ndarray, groups: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """Return the best of many random draws: classes in train, then classes in test, then size and mixture."""
    codes, names = pd.factorize(groups.astype(object))
    kinds, classes = pd.factorize(labels.astype(object))
    table = np.zeros((len(names), len(classes)))  # rows of each class in each group
    np.add.at(table, (codes, kinds), 1)
    whole = table.sum(axis=0)
    rng = np.random.default_rng(seed)
    best, chosen = np.inf, np.array([0])
    for _ in range(GROUP_DRAWS):
        order = rng.permutation(len(names))
        share = np.cumsum(table[order].sum(axis=1))[:-1] / len(groups)
        drawn = order[: int(np.argmin(np.abs(share - TEST_SHARE))) + 1]
        held = table[drawn].sum(axis=0)
        mixture = np.abs(held / held.sum() - whole / whole.sum()).sum() / 2
        lost, unjudged = np.sum(held == whole), np.sum(held == 0)
        left = (table > 0).sum(axis=0) - (table[drawn] > 0).sum(axis=0)
        thin = np.sum((left == 1) & ((table > 0).sum(axis=0) > 1))  # what a cross-validation can't judge
        score = 1000 * lost + 10 * unjudged + 5 * thin + abs(held.sum() / whole.sum() - TEST_SHARE) + mixture
        if score < best:
            best, chosen = score, drawn
    test = np.isin(codes, chosen)
    return test, _held_out(groups, test)


def _at_random(ds: Dataset, seed: int) -> np.ndarray:
    labels = _labels(ds)
    rng = np.random.default_rng(seed)
    test = np.zeros(len(labels), bool)
    for name in np.unique(labels):
        rows = np.flatnonzero(labels == name)
        test[rng.permutation(rows)[: round(len(rows) * TEST_SHARE)]] = True
    return test


def _repeats(ds: Dataset, train: np.ndarray, test: np.ndarray) -> list[str]:
    """Return a note when rows of the test were seen in training: the result would flatter."""
    frame = pd.DataFrame(ds.values).assign(label=_labels(ds).astype(object))
    hashes = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    seen = test & np.isin(hashes, hashes[train])
    if not seen.any():
        return []
    return [
        f"{seen.sum()} test rows equal a training row, the first in line {ds.lines[seen][0]}: "
        "the result may flatter; name recordings with --group"
    ]
