"""The boot counter: previous model, safe mode and the way back."""

from dibble.storage.boot import NORMAL, PREVIOUS, PROVEN, SAFE, BootState
from dibble.storage.nvm import NvmCell
from dibble.storage.slots import Slots
from test_slots import ram_folder


class Memory:
    """Keeps the state, and counts how often it was written."""

    def __init__(self):
        self.payload = None
        self.writes = 0

    def newest(self):
        return self.payload

    def write(self, payload):
        self.payload = payload
        self.writes += 1


def boots(memory, count, newest=2, previous=1):
    """Return the modes of so many boots that are never confirmed."""
    return [BootState(memory).begin(newest, previous) for _ in range(count)]


def test_three_boots_then_the_previous_model_then_safe_mode():
    memory = Memory()
    assert boots(memory, 8) == [NORMAL] * 3 + [PREVIOUS] * 3 + [SAFE] * 2
    assert BootState(memory).rejected == 2


def test_without_a_previous_model_safe_mode_comes_at_once():
    assert boots(Memory(), 5, 1, 0) == [NORMAL] * 3 + [SAFE] * 2


def test_a_confirmed_boot_counts_no_longer():
    memory = Memory()
    for _ in range(5):
        assert boots(memory, 2) == [NORMAL] * 2
        state = BootState(memory)
        assert state.begin(2, 1) == NORMAL
        assert state.unconfirmed == 3
        state.confirm()
    assert boots(memory, 1) == [NORMAL]


def test_a_boot_that_a_person_ended_counts_no_longer():
    memory = Memory()
    for _ in range(5):
        state = BootState(memory)
        assert state.begin(2, 1) == NORMAL
        state.forgive()
    assert boots(memory, 4) == [NORMAL] * 3 + [PREVIOUS]


def test_one_write_a_boot_and_one_to_confirm():
    memory = Memory()
    state = BootState(memory)
    state.begin(2, 1)
    assert memory.writes == 1
    state.confirm()
    state.confirm()
    assert memory.writes == 2
    boots(memory, 6)
    assert memory.writes == 8
    boots(memory, 5)
    assert memory.writes == 8


def test_rejected_stays_so_until_a_newer_one_is_installed():
    memory = Memory()
    boots(memory, 3)
    for _ in range(4):
        state = BootState(memory)
        assert state.begin(2, 1) == PREVIOUS
        state.confirm()
        assert state.rejected == 2
    state = BootState(memory)
    assert state.begin(3, 1) == NORMAL
    assert state.rejected == 0


def test_a_model_confirmed_once_is_rejected_only_until_the_next_confirmed_boot():
    memory = Memory()
    state = BootState(memory)
    state.begin(2, 1)
    state.confirm()
    assert boots(memory, 4) == [NORMAL] * 3 + [PREVIOUS]
    state = BootState(memory)
    assert state.begin(2, 1) == PREVIOUS
    state.confirm()
    assert boots(memory, 1) == [NORMAL]


def test_retry_leaves_safe_mode_for_one_boot():
    memory = Memory()
    assert boots(memory, 7)[-1] == SAFE
    BootState(memory).retry()
    assert boots(memory, 2) == [PREVIOUS, SAFE]
    BootState(memory).retry()
    state = BootState(memory)
    assert state.begin(2, 1) == PREVIOUS
    state.confirm()
    assert boots(memory, 4) == [PREVIOUS] * 3 + [SAFE]


def test_retry_returns_to_a_proven_model():
    memory = Memory()
    state = BootState(memory)
    state.begin(2, 1)
    state.confirm()
    assert boots(memory, 7)[-1] == SAFE
    BootState(memory).retry()
    assert boots(memory, 1) == [NORMAL]


def test_a_new_model_leaves_safe_mode():
    memory = Memory()
    boots(memory, 7)
    assert boots(memory, 4, 3, 1) == [NORMAL] * 3 + [PREVIOUS]


def test_a_rejected_model_runs_where_no_other_is_left():
    memory = Memory()
    boots(memory, 4)
    assert boots(memory, 1, 2, 0) == [NORMAL]


def test_reject_makes_the_next_boot_run_the_previous():
    memory = Memory()
    state = BootState(memory)
    state.begin(2, 1)
    state.reject()
    assert state.rejected == 2
    assert boots(memory, 1) == [PREVIOUS]


def test_reject_takes_a_model_installed_since_the_boot_began():
    memory = Memory()
    state = BootState(memory)
    state.begin(2, 1)
    state.reject(3)
    assert boots(memory, 1, 3, 2) == [PREVIOUS]
    assert boots(memory, 1, 4, 2) == [NORMAL]


NEW, OTHER = b"\x01\x02\x03\x04", b"\xff\xff\xff\xff"


def tries(memory, count, config=NEW, kept=True, newest=2, previous=1):
    """Return (mode, whether config.json is rejected) of so many boots that are never confirmed."""
    found = []
    for _ in range(count):
        state = BootState(memory)
        mode = state.begin(newest, previous, config, kept)
        found.append((mode, state.config_rejected))
    return found


def test_a_new_configuration_is_judged_before_any_model():
    memory = Memory()
    assert (
        tries(memory, 11) == [(NORMAL, False)] * 3 + [(NORMAL, True)] * 3 + [(PREVIOUS, True)] * 3 + [(SAFE, True)] * 2
    )


def test_a_configuration_without_one_to_take_its_place_costs_no_model():
    memory = Memory()
    assert tries(memory, 5, kept=False) == [(NORMAL, False)] * 3 + [(SAFE, False)] * 2
    BootState(memory).retry()
    assert tries(memory, 2, kept=False) == [(NORMAL, False), (SAFE, False)]
    assert tries(memory, 1, OTHER, kept=False) == [(NORMAL, False)]
    assert BootState(memory).rejected == 0


def test_a_rejected_configuration_stays_so_until_another_comes():
    memory = Memory()
    tries(memory, 4)
    for _ in range(4):
        state = BootState(memory)
        assert (state.begin(2, 1, NEW, True), state.config_rejected, state.config_on_trial) == (NORMAL, True, False)
        state.confirm()
    assert tries(memory, 4, OTHER) == [(NORMAL, False)] * 3 + [(NORMAL, True)]
    assert tries(memory, 1, PROVEN) == [(NORMAL, False)]


def test_a_new_model_doesnt_bring_a_rejected_configuration_back():
    memory = Memory()
    tries(memory, 4)
    assert tries(memory, 4, newest=3) == [(NORMAL, True)] * 3 + [(PREVIOUS, True)]
    state = BootState(memory)
    state.reject(4)
    assert (state.rejected, state.config_rejected) == (4, True)


def test_a_configuration_that_was_confirmed_is_on_trial_no_longer():
    memory = Memory()
    state = BootState(memory)
    state.begin(2, 1, NEW, False)
    assert state.config_on_trial
    state.confirm()
    assert tries(memory, 4, PROVEN) == [(NORMAL, False)] * 3 + [(PREVIOUS, False)]
    assert not BootState(memory).config_on_trial


def test_state_in_slots():
    path = ram_folder() + "/boot"
    for mode in [NORMAL] * 3 + [PREVIOUS] * 3 + [SAFE]:
        assert BootState(Slots(path)).begin(0x3FFFFFFF, 0x3FFFFFFE) == mode
    assert BootState(Slots(path)).rejected == 0x3FFFFFFF


def test_state_in_nvm():
    nvm = bytearray(b"\xff" * 256)
    for mode in [NORMAL] * 3 + [PREVIOUS] * 3 + [SAFE]:
        assert BootState(NvmCell(nvm)).begin(2, 1) == mode
    for i in range(15):
        damaged = bytearray(nvm)
        damaged[i] ^= 4
        assert BootState(NvmCell(damaged)).begin(2, 1) == NORMAL


def test_nvm_of_zeros_and_a_cut_one_hold_nothing():
    assert NvmCell(bytearray(256)).newest() is None
    assert NvmCell(bytearray(b"\x06" * 8)).newest() is None


def test_cells_lie_beside_each_other():
    nvm = bytearray(64)
    first, second = NvmCell(nvm), NvmCell(nvm, 40)
    first.write(b"abcdef")
    second.write(b"0123456789")
    assert (first.newest(), second.newest()) == (b"abcdef", b"0123456789")


def test_a_node_that_cannot_keep_its_state_goes_on_and_says_so():
    class Broken(Memory):
        def write(self, payload):
            raise OSError(30)

    state = BootState(Broken())
    assert state.begin(2, 1) == NORMAL
    assert state.error == "boot state: " + str(OSError(30))


def by_radio(memory, newest=2, previous=1):
    """Return the state of a node that ran well, and took something by radio."""
    state = BootState(memory)
    state.begin(newest, previous)
    state.confirm()
    state.by_radio()
    return state


def test_what_came_by_radio_is_good_after_a_report_only():
    memory = Memory()
    assert by_radio(memory).awaits_report
    state = BootState(memory)
    assert state.begin(3, 2) == NORMAL and state.awaits_report
    state.report_arrived()
    assert not BootState(memory).awaits_report


def test_what_ends_the_node_before_it_is_installed_is_taken_back_and_the_model_stays():
    memory = Memory()
    by_radio(memory)
    assert boots(memory, 3) == [NORMAL] * 3
    state = BootState(memory)
    assert state.begin(2, 1) == NORMAL and state.undone and not state.rejected
    again = BootState(memory)
    assert again.begin(2, 1) == NORMAL and not again.undone and not again.awaits_report


def test_an_installed_model_that_came_by_radio_gives_way_even_to_none():
    memory = Memory()
    by_radio(memory, 0, 0)
    assert boots(memory, 5, 1, 0) == [NORMAL] * 3 + [PREVIOUS] * 2
    assert BootState(memory).rejected == 1


def test_a_silent_model_is_rejected_and_a_silent_configuration_too():
    memory = Memory()
    by_radio(memory)
    state = BootState(memory)
    state.begin(3, 2)
    state.reject_silent()
    assert BootState(memory).begin(3, 2) == PREVIOUS
    memory = Memory()
    state = BootState(memory)
    state.begin(2, 1, PROVEN, True)
    state.confirm()
    state.by_radio()
    state = BootState(memory)
    state.begin(2, 1, b"new!", True)
    assert state.awaits_report and state.config_on_trial
    state.reject_silent()
    state = BootState(memory)
    assert state.begin(2, 1, b"new!", True) == NORMAL and state.config_rejected and not state.awaits_report
