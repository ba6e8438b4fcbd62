"""Which rows train and which test: apart by group or in time where the data says so, else at random."""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from dibble_tools.common.errors import InputError
from dibble_tools.common.formatting import listed
from dibble_tools.data.datasets import Dataset
from dibble_tools.data.times import parse_times, time_text

TEST_SHARE = 0.25
GROUP_DRAWS = 100
FEW_GROUPS = 6  # up to so many, each is a fold of its own: fewer folds would say little of another group
MAX_STRATIFIED_GROUPS = 1000  # StratifiedGroupKFold takes a Python step for each group and fold
MAX_CLASSES = 100
MIN_ROWS_OF_A_CLASS = 5


@dataclass(frozen=True)
class Split:
    """Rows to learn from and rows to be judged on."""

    train: np.ndarray  # bool masks over all rows
    test: np.ndarray
    how: str  # for the report


def split(ds: Dataset, *, test_groups: Sequence[str] = (), test_after: str | None = None, seed: int = 0) -> Split:
    """Return the training and the test rows.

    Args:
        test_groups: groups to hold out.
        test_after: hold out the rows from this time on.
        seed: for the choice of groups or rows; the same seed, the same choice.
    """
    if test_groups and test_after is not None:
        raise InputError("expected --test-group or --test-after, got both: choose one.")
    if test_groups:
        test, how = _named_groups(ds, test_groups)
    elif test_after is not None:
        test, how = _from_time(ds, test_after)
    elif ds.groups is not None and len(set(ds.groups)) > 1:
        test, how = _some_groups(ds, ds.groups, seed)
    elif ds.times_ms is not None:
        at = len(ds.times_ms) - round(len(ds.times_ms) * TEST_SHARE)
        test = np.arange(len(ds.times_ms)) >= at
        how = f"the last quarter of the rows, from {time_text(int(ds.times_ms[min(at, len(test) - 1)]))} on"
    else:
        test, how = _at_random(ds, seed), "a random quarter of each class (rows are taken as independent)"
    return Split(~test, test, how)


def folds(
    ds: Dataset, train: np.ndarray, n: int = 3, seed: int = 0, *, each_group: bool = False
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (fit, held_out) row indices of a cross-validation inside the training rows.

    Args:
        train: bool mask of the training rows.
        n: number of folds; fewer where there aren't enough rows or groups.
        each_group: a fold for each group where these are few.
    """
    rows = np.flatnonzero(train)
    groups = None if ds.groups is None else ds.groups[rows]
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


def check_classes(ds: Dataset, train: np.ndarray, test: np.ndarray) -> list[str]:
    """Return what should be known about classes and this split; raise where nothing can be learned."""
    labels = _labels(ds)
    counts = Counter(labels.tolist())
    if len(counts) == 1:
        raise InputError(f"{ds.name}: expected two classes or more, got only {str(labels[0])!r} in {len(labels)} rows.")
    if len(counts) > MAX_CLASSES:
        raise InputError(
            f"{ds.name}: expected at most {MAX_CLASSES} classes, got {len(counts)} "
            f"such as {str(labels[0])!r}: it looks like a number to predict, not a class; "
            "put it into a few named ranges."
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


def _some_groups(ds: Dataset, groups: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """Return the best of many random draws: classes in train, then classes in test, then size and mixture."""
    codes, names = pd.factorize(groups.astype(object))
    kinds, classes = pd.factorize(_labels(ds).astype(object))
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
