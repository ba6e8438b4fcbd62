"""Splits: what is held out, and why a class or a group can't be."""

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import Dataset
from dibble_tools.data.recordings import recordings_of
from dibble_tools.data.splits import STRETCHES, check_classes, folds, split


def dataset(labels, groups=None, times=None, values=None):
    """Return a dataset with the letters of two strings as labels and groups."""
    n = len(labels)
    return Dataset(
        "farm",
        ["x"],
        np.arange(n, dtype=float)[:, None] if values is None else np.array(values, float)[:, None],
        np.array(list(labels)),
        None if times is None else np.array(times, np.int64),
        None if groups is None else np.array(list(groups)),
        np.arange(n) + 2,
        [],
        "",
    )


def where(mask):
    return np.flatnonzero(mask).tolist()


def test_named_groups_are_held_out():
    found = split(dataset("wdwdwd", "nneess"), test_groups=["s", "n"])
    assert (where(found.test), where(found.train)) == ([0, 1, 4, 5], [2, 3])
    assert found.how == "groups n, s held out"


def test_rows_from_a_time_on_are_held_out():
    day = 86_400_000
    ds = dataset("wdwd", times=[1_380_585_600_000 + i * day for i in range(-2, 2)])  # 2013-10-01 is the third
    for text in ("2013-10-01", "1380585600", "2013-10-01T02:00+02:00", " 2013-09-30 00:00:01 "):
        found = split(ds, test_after=text)
        assert (where(found.test), where(found.train)) == ([2, 3], [0, 1])
        assert found.how == f"rows from {text.strip()} on"


def test_a_time_is_held_out_in_every_group():
    ds = dataset("wdwd", "nnee", times=[0, 9000, 0, 9000])
    assert where(split(ds, test_after="5").test) == [1, 3]


def test_the_last_quarter_is_held_out_where_only_time_is_known():
    found = split(dataset("wdwdwdwd", times=range(0, 8000, 1000)))
    assert (where(found.test), found.how) == ([6, 7], "the last quarter of the rows, from 6 s on")
    assert where(found.train) == [0, 1, 2, 3, 4, 5]


def test_one_group_is_no_choice_so_time_decides():
    assert where(split(dataset("wdwd" * 4, "nnnn" * 4, times=range(16))).test) == [12, 13, 14, 15]


def test_a_quarter_of_the_rows_is_held_out_by_whole_groups():
    ds = dataset("wd" * 20, "abcdefgh" * 5, times=range(40))
    found = split(ds)
    assert found.test.sum() == 10
    assert not set(ds.groups[found.test]) & set(ds.groups[found.train])
    assert found.how.startswith("groups ")
    assert where(split(ds).test) == where(found.test)


def test_chosen_groups_leave_every_class_in_two_training_groups_where_they_can():
    """Class r is in groups a, b and c: one of them may be held out, not two."""
    ds = dataset("rrwwdd" * 3 + "wwwwdd" * 3, "".join(name * 6 for name in "abcdef"))
    for seed in range(20):
        how = split(ds, seed=seed).how
        assert sum(name in how.replace("held out", "").replace("groups", "") for name in "abc") == 1


def test_chosen_groups_keep_every_class_in_training_and_test():
    """Only group c may go: a holds all of class x, b lacks class d."""
    ds = dataset("xxwwdd" + "wwww" + "wwdd", "aaaaaa" + "bbbb" + "cccc")
    for seed in range(20):
        assert split(ds, seed=seed).how == "group c held out"


def test_training_classes_matter_more_than_test_classes():
    ds = dataset("wwww" + "xwww" + "xdww", "aaaa" + "bbbb" + "cccc")
    for seed in range(20):
        assert set(ds.labels[split(ds, seed=seed).train]) == {"w", "x", "d"}


def test_many_held_out_groups_are_counted():
    ds = dataset("wd" * 50, [str(i) for i in range(100)])
    assert split(ds).how == "25 of 100 groups held out"


def test_a_random_quarter_of_each_class_is_held_out():
    ds = dataset("w" * 40 + "d" * 8 + "x" * 5, values=np.random.default_rng(0).random(53))
    found = split(ds, seed=3)
    names, counts = np.unique(ds.labels[found.test], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {"w": 10, "d": 2, "x": 1}
    assert found.how == "a random quarter of each class (rows are taken as independent)"
    assert (found.train == ~found.test).all()
    assert where(split(ds, seed=3).test) == where(found.test)
    assert where(split(ds, seed=4).test) != where(found.test)


def recorded(*runs, gap=1, values=None):
    """Return a dataset of runs of a label, such as "wwww", a row a minute; None among them: an hour's pause."""
    labels, times, now = "", [], 0
    for run in runs:
        if run is None:
            now += 3_600_000
            continue
        for letter in run:
            labels += letter
            times.append(now)
            now += 60_000
    return dataset(labels, times=times, values=values)


def test_what_comes_later_is_held_out_from_the_beginning_of_a_recording():
    """The last quarter would begin in the middle of a recording: what follows was seen in training, then."""
    found = split(recorded("d" * 10, "w" * 10, "d" * 10, "w" * 8, "d" * 8, "w" * 8))
    assert where(found.test) == list(range(38, 54))
    assert found.how == "the last 30% of the rows, from 2280 s on"


def test_recordings_are_held_out_so_that_every_class_is_judged():
    """The last quarter is wet alone."""
    found = split(recorded("d" * 20, "w" * 20, "d" * 20, "w" * 20))
    assert where(found.test) == list(range(40, 80))
    assert found.how == "2 of 4 recordings held out whole: d from 2400 s, w from 3600 s"
    assert found.same_recording == ()
    assert found.units.tolist() == [0] * 20 + [1] * 20 + [2] * 20 + [3] * 20


def test_a_pause_parts_two_recordings_of_a_class():
    found = split(recorded("d" * 20, None, "d" * 20, "w" * 20, None, "w" * 20))
    assert where(found.test) == [*range(20, 40), *range(60, 80)]
    assert found.same_recording == ()


def test_a_reading_or_two_that_are_missing_are_no_pause():
    ds = recorded("d" * 20, "w" * 20)
    ds.times_ms[5:] += 4 * 60_000
    assert recordings_of(ds).tolist() == [0] * 20 + [1] * 20


def test_a_dry_day_and_a_wet_day_say_nothing_of_another():
    found = split(recorded("d" * 20, "w" * 40))
    assert where(found.test) == [*range(15, 20), *range(50, 60)]
    assert found.how == "the end of the only recording of d, w"
    assert found.same_recording == ("d", "w")


def test_a_class_of_one_recording_does_not_keep_others_from_being_judged_on_another():
    found = split(recorded("d" * 20, "w" * 20, "d" * 20))
    assert where(found.test) == [*range(35, 60)]
    assert found.how == "1 of 3 recordings held out whole: d from 2400 s; the end of the only recording of w"
    assert found.same_recording == ("w",)


def test_a_last_recording_that_is_most_of_a_class_stays_in_training():
    found = split(recorded("d" * 10, "w" * 20, "d" * 70, "w" * 80))
    assert where(found.test) == [*range(0, 30)]


def test_a_rare_class_of_many_short_runs_is_held_out_by_stretches_of_time():
    """Frost is in the first half only, so the last quarter hasn't any."""
    labels = ("o" * 12 + "f" * 3) * 40 + "o" * 600
    found = split(dataset(labels, times=range(len(labels))))
    assert "stretches of time held out" in found.how
    assert found.units is None
    assert set(np.array(list(labels))[found.test]) == {"o", "f"}
    runs = np.flatnonzero(np.diff(found.test.astype(int)))
    assert len(runs) <= 2 * STRETCHES / 4


def test_rows_that_follow_one_another_are_recordings_without_times_too():
    drift = np.cumsum(np.random.default_rng(0).normal(0, 1, 160))
    found = split(dataset("d" * 40 + "w" * 40 + "d" * 40 + "w" * 40, values=drift))
    assert where(found.test) == list(range(80, 160))
    assert found.how == "2 of 4 recordings held out whole: d from line 82, w from line 122"


def test_a_table_that_was_sorted_by_class_is_no_recording():
    values = np.random.default_rng(0).normal(0, 1, 160)
    assert recordings_of(dataset("d" * 80 + "w" * 80, values=values)) is None
    assert "taken as independent" in split(dataset("d" * 80 + "w" * 80, values=values)).how


def test_shuffled_labels_of_rows_that_follow_one_another_are_no_recordings():
    labels = np.random.default_rng(0).choice(list("dw"), 160)
    assert recordings_of(dataset(labels, values=range(160))) is None


@pytest.mark.parametrize(
    "labels", ["dw", "ddww", "dwd", "wd" * 40, "d" * 30 + "w", "dddwwwxxx" * 3, "d" + "w" * 30 + "d"]
)
def test_every_class_is_learned_and_judged_whatever_its_runs(labels):
    for times in (None, range(len(labels))):
        found = split(dataset(labels, times=times, values=np.cumsum(np.random.default_rng(1).random(len(labels)))))
        assert not (found.train & found.test).any()
        for name in set(labels):
            if labels.count(name) > 4:
                mine = np.array(list(labels)) == name
                assert (mine & found.test).any() and (mine & found.train).any()


def test_folds_keep_recordings_whole_and_cut_a_class_that_has_one():
    ds = recorded("d" * 9, "w" * 9, "d" * 9, "x" * 9)
    found = split(ds)
    parts = folds(ds, np.ones(36, bool), units=found.units)
    check_partition(parts, list(range(36)))
    for fit, judge in parts:
        assert not {0, 18} & set(judge.tolist()) or set(judge) >= set(range(9)) or set(judge) >= set(range(18, 27))
        assert {"w", "x"} <= set(ds.labels[fit])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_groups": ["n"], "test_after": "5"}, "--test-group or --test-after, got both"),
        ({"test_groups": ["nort"]}, r"got 'nort'; there are: north, east\. Did you mean 'north'\?"),
        ({"test_groups": ["north", "east"]}, "names every group"),
        ({"test_after": "soon"}, "--test-after: expected seconds or a timestamp .*, got 'soon'"),
        ({"test_after": "100"}, "rows on both sides, got times from 0 s to 9 s"),
        ({"test_after": "-1"}, "rows on both sides, got times from 0 s to 9 s"),
    ],
)
def test_a_split_that_is_impossible_says_why(options, message):
    ds = dataset("wdwd", ["north", "north", "east", "east"], times=[0, 9000, 0, 9000])
    with pytest.raises(InputError, match=message):
        split(ds, **options)


def test_options_need_their_columns():
    with pytest.raises(InputError, match="--test-group n needs groups: name their column with --group"):
        split(dataset("wdwd"), test_groups=["n"])
    with pytest.raises(InputError, match="--test-after 5 needs times: name their column with --time"):
        split(dataset("wdwd"), test_after="5")


def check_partition(parts, rows):
    """Each row is judged once, and never by a model that saw it."""
    assert sorted(np.concatenate([judge for _, judge in parts]).tolist()) == rows
    for fit, judge in parts:
        assert sorted([*fit.tolist(), *judge.tolist()]) == rows


def test_folds_are_stratified_without_order():
    ds = dataset("w" * 12 + "d" * 6)
    train = np.arange(18) != 0
    parts = folds(ds, train)
    check_partition(parts, list(range(1, 18)))
    assert [sum(ds.labels[judge] == "d") for _, judge in parts] == [2, 2, 2]


def test_folds_keep_groups_whole():
    ds = dataset("wd" * 12, "aaaabbbbccccddddeeeeffff", times=range(24))
    train = ds.groups != "f"
    parts = folds(ds, train)
    check_partition(parts, list(range(20)))
    for fit, judge in parts:
        assert not set(ds.groups[fit]) & set(ds.groups[judge])


def test_folds_of_two_groups_are_two():
    ds = dataset("wdwdwdwd", "aabbbbcc")
    parts = folds(ds, ds.groups != "c", n=5)
    assert sorted(judge.tolist() for _, judge in parts) == [[0, 1], [2, 3, 4, 5]]


def test_folds_of_many_groups_keep_them_whole():
    names = [str(i // 2) for i in range(2400)]
    ds = dataset("wd" * 1200, names)
    parts = folds(ds, np.ones(2400, bool))
    check_partition(parts, list(range(2400)))
    assert all(not set(ds.groups[fit]) & set(ds.groups[judge]) for fit, judge in parts)


def test_folds_in_time_are_blocks():
    ds = dataset("wdwdwdwdwd", times=range(10))
    parts = folds(ds, np.arange(10) < 7)
    assert [judge.tolist() for _, judge in parts] == [[0, 1, 2], [3, 4], [5, 6]]
    assert parts[1][0].tolist() == [0, 1, 2, 5, 6]


@pytest.mark.parametrize("labels", ["wd", "ww", "wwd", "wxd", "wwwwwd"])
@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_folds_never_fail_on_few_rows(labels, n):
    for roles in ({}, {"times": range(len(labels))}, {"groups": "abcdef"[: len(labels)]}):
        parts = folds(dataset(labels, **roles), np.ones(len(labels), bool), n)
        check_partition(parts, list(range(len(labels))))
        assert 2 <= len(parts) <= max(2, n)
        assert all(len(fit) and len(judge) for fit, judge in parts)


def halves(n):
    train = np.arange(n) % 2 == 0
    return train, ~train


def test_good_classes_need_no_notes():
    assert check_classes(dataset("wwwwwwdddddd"), *halves(12)) == []


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("wwwwww", "two classes or more, got only 'w' in 6 rows"),
        (
            [f"{i}.5" for i in range(101)],
            "the labels look like a number to predict: 101 different ones such as '0.5'",
        ),
        (["1.5", "2", "3.5"] * 6, "look like a number to predict: 3 different ones"),
        ([str(i) for i in range(21)] * 5, "look like a number to predict: 21 different ones"),
        ([f"class {i}" for i in range(101)] * 5, "at most 100 classes, got 101 such as 'class 0'"),
        ("wwwwwwdddd", "at least 5 rows of each class, got 4 of 'd'"),
        ("wd" * 6, "all 6 rows of 'd' are held out"),
    ],
)
def test_classes_that_cannot_be_learned_say_why(labels, message):
    with pytest.raises(InputError, match=message):
        check_classes(dataset(labels), *halves(len(labels)))


def test_a_few_whole_numbers_are_classes():
    assert check_classes(dataset([str(i) for i in range(9)] * 6), *halves(54)) == []


def test_classes_need_labels():
    ds = dataset("wd")
    ds.labels = None
    with pytest.raises(InputError, match="farm: expected a column of class names: name it with --label"):
        check_classes(ds, *halves(2))


def test_classes_without_test_rows_are_noted():
    ds = dataset("wwwwwwddddd")
    test = ds.labels == "w"
    test[0] = False
    assert check_classes(ds, ~test, test) == ["class 'd' isn't among the test rows: it isn't judged"]


def test_classes_that_differ_in_case_are_noted():
    ds = dataset(["Wet"] * 6 + ["wet"] * 6)
    assert check_classes(ds, *halves(12)) == ["classes 'Wet' and 'wet' differ only in case"]


def test_test_rows_seen_in_training_are_noted_for_random_splits_only():
    labels, values = "wwwwwwdddddd", [0, 1, 1, 3, 4, 4, 6, 7, 8, 8, 1, 11]
    train, test = halves(12)
    notes = check_classes(dataset(labels, values=values), train, test)
    assert notes == [
        "3 test rows equal a training row, the first in line 3: the result may flatter; name recordings with --group"
    ]
    assert check_classes(dataset(labels, values=values, times=range(12)), train, test) == []
