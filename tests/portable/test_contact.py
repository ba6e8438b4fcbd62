"""Closings of a contact that bounces as it closes and as it opens."""

from dibble.ports.contact import Contact

PERIOD = 1 << 29


def ticks_diff(newer, older):
    half = PERIOD >> 1
    return ((newer - older + half) & (PERIOD - 1)) - half


def counted(changes, start=0, lockout=4, closed=False):
    """Return how many closings count of changes (ms, closed)."""
    contact = Contact(lambda: start, ticks_diff, lockout, closed)
    for ms, is_closed in changes:
        contact.changed((start + ms) % PERIOD, is_closed)
    return contact.take()


def test_a_clean_turn_counts_once():
    assert counted([(100, True), (130, False), (200, True), (230, False)]) == 2


def test_bounces_at_both_ends_count_once():
    turn = ((100, 1), (101, 0), (101, 1), (102, 0), (103, 1), (130, 0), (131, 1), (131, 0), (133, 1), (133, 0))
    assert counted(turn) == 1
    assert counted(list(turn) + [(ms + 137, level) for ms, level in turn]) == 2


def test_a_contact_has_to_be_open_for_the_lockout():
    assert counted([(100, True), (110, False), (114, True)]) == 2
    assert counted([(100, True), (110, False), (113, True)]) == 1


def test_a_contact_found_closed_counts_from_its_next_closing():
    assert counted([(100, False), (150, True)], closed=True) == 1


def test_changes_that_are_seen_late_lose_none():
    # Closed and open again before anybody looked.
    assert counted([(100, False), (200, False)]) == 2


def test_ticks_may_wrap():
    assert counted([(100, True), (103, False), (105, True), (130, False)], start=PERIOD - 102) == 1


def test_taken_once():
    contact = Contact(lambda: 0, ticks_diff, 4, False)
    contact.changed(10, True)
    assert (contact.take(), contact.take()) == (1, 0)
