"""Relays and valves: by the held class, never too long, off when in doubt."""

from dibble.actions import Action


class Output:
    def __init__(self):
        self.levels = []

    def set(self, value):
        self.levels.append(bool(value))


def action(active_low=False):
    output = Output()
    return Action(2, output, 1000, 5000, active_low), output


def test_off_from_the_first_moment():
    assert action()[1].levels == [False]
    assert action(True)[1].levels == [True]


def test_on_while_its_class_is_held():
    valve, output = action()
    valve.want(2, False)
    assert valve.is_on
    valve.want(2, False)
    valve.want(1, False)
    assert not valve.is_on
    assert output.levels == [False, True, False]


def test_another_class_leaves_it_off():
    valve, output = action()
    for held in (0, 1, 3, 255):
        valve.want(held, False)
    assert output.levels == [False]


def test_a_fault_switches_off_and_keeps_off():
    valve, _ = action()
    valve.want(2, True)
    assert not valve.is_on
    valve.want(2, False)
    valve.want(2, True)
    assert not valve.is_on


def test_goes_off_at_its_longest_time():
    valve, _ = action()
    valve.want(2, False)
    assert valve.elapse(0) == 1000
    assert valve.elapse(999) == 1
    assert valve.elapse(1) == 0
    assert not valve.is_on


def test_rests_before_it_goes_on_again():
    valve, _ = action()
    valve.want(2, False)
    valve.elapse(1000)
    valve.want(2, False)
    assert not valve.is_on
    valve.elapse(4999)
    valve.want(2, False)
    assert not valve.is_on
    valve.elapse(1)
    valve.want(2, False)
    assert valve.is_on


def test_rests_also_after_the_class_has_changed():
    valve, _ = action()
    valve.want(2, False)
    valve.elapse(10)
    valve.want(0, False)
    valve.want(2, False)
    assert not valve.is_on
    valve.elapse(5000)
    valve.want(2, False)
    assert valve.is_on


def test_a_fault_is_no_end_of_a_run():
    """On at 0, 10 and 740 minutes, where a fault at 5 minutes lasts for 5: the rest is earned by the whole run."""
    valve, output = action()
    valve.want(2, False)
    valve.elapse(300)
    valve.want(2, True)
    valve.elapse(300)
    valve.want(2, False)
    assert valve.is_on and valve.elapse(0) == 700
    valve.elapse(700)
    valve.want(2, False)
    valve.elapse(4999)
    valve.want(2, False)
    assert not valve.is_on
    valve.elapse(1)
    valve.want(2, False)
    assert valve.is_on and valve.elapse(0) == 1000
    assert output.levels == [False, True, False, True, False, True]


def test_a_class_that_changes_during_a_fault_ends_the_run():
    valve, _ = action()
    valve.want(2, False)
    valve.elapse(300)
    valve.want(2, True)
    valve.want(0, False)
    valve.want(2, False)
    assert not valve.is_on


def test_a_fault_as_long_as_a_rest_is_one():
    valve, _ = action()
    valve.want(2, False)
    valve.elapse(300)
    valve.want(2, True)
    valve.elapse(5000)
    valve.want(2, False)
    assert valve.is_on and valve.elapse(0) == 1000


def test_low_is_on_where_the_relay_is_so():
    valve, output = action(True)
    valve.want(2, False)
    valve.elapse(5000)
    assert output.levels == [True, False, True]
