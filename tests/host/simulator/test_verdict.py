"""What is found of a season."""

from types import SimpleNamespace

from dibble_tools.node.console_lines import Row
from dibble_tools.node.record_log import DecisionRecord
from dibble_tools.simulator.season import Moment, Season, Watering
from dibble_tools.simulator.verdict import acknowledged, lost_records, season_verdict, verdict_on


def moment(
    sequence=1, held="ok", state="ok", flags=0, *, life=0, previous="ok", since_s=0.0, near=False, unwritten=False
):
    line = Row("n", sequence, 0, held, held, 5, flags, 0, 0, None, {"x": sequence})
    return Moment(line, life, 10_000.0, state, previous, since_s, near, unwritten)


def record(sequence, margin=5):
    return DecisionRecord(sequence, None, 0, 0, 0, 0, margin, None, 0, (sequence,), 0)


def season(moments, kept, batch=3):
    found = Season(moments=moments, batch=batch, lives=["stop"])
    found.records.rows = [record(sequence) for sequence in kept]
    return found


def test_verdicts():
    assert verdict_on(moment(held="frost", state="frost", flags=1)) == "right"
    assert verdict_on(moment(held="ok", state="frost", previous="ok", since_s=9000.0)) == "late"
    assert verdict_on(moment(held="ok", state="frost", previous="ok", since_s=1000.0)) == "wrong"
    assert verdict_on(moment(held="wind", state="frost", since_s=9999.0)) == "wrong"
    assert verdict_on(moment(held="wind", state="frost", flags=1)) == "unsure"
    assert verdict_on(moment(held=None, state="frost")) == "unsure"
    assert verdict_on(moment(held="wind", state="frost", near=True)) == "near"


def test_what_was_wrong_is_named_the_commonest_first():
    wind, frost = moment(held="wind", state="frost"), moment(held="ok", state="frost", previous="wind")
    found = season_verdict(season([wind, frost, wind, moment(), moment(held="wind", state="ok", flags=1)], []), ("ok",))
    assert found.mistaken == [("frost", "wind", 2 / 5), ("frost", "ok", 1 / 5)]
    assert found.shares["wrong"] == 3 / 5
    assert season_verdict(season([wind], []), ("a class of no field",)).mistaken == []


def test_a_batch_is_acknowledged_with_its_last_line():
    moments = [moment(n) for n in range(1, 9)]
    assert [m.line.sequence for m in acknowledged(moments, 3)] == [1, 2, 3, 4, 5, 6]
    assert [m.line.sequence for m in acknowledged(moments, 1)] == list(range(1, 9))


def test_what_could_not_be_written_is_acknowledged_later_or_dropped():
    moments = [moment(n, unwritten=n in (3, 4, 5)) for n in range(1, 8)]
    assert [m.line.sequence for m in acknowledged(moments, 3)] == [4, 5, 6]


def test_acknowledged_records_that_are_missing_or_differ_are_lost():
    moments = [moment(n) for n in range(1, 8)]
    assert lost_records(season(moments, [1, 2, 3, 4, 5, 6])) == 0
    assert lost_records(season(moments, [1, 2, 3, 4, 6])) == 1
    found = season(moments, [1, 2, 3, 4, 5, 6])
    found.records.rows[1] = record(2, margin=6)
    assert lost_records(found) == 1


def test_an_empty_log_after_acknowledged_records_has_lost_them():
    assert lost_records(season([moment(n) for n in range(1, 8)], [])) == 6


def test_records_that_made_room_are_not_lost():
    assert lost_records(season([moment(n) for n in range(1, 8)], [4, 5, 6])) == 0


def test_a_number_used_again_after_a_power_cut_counts_for_the_life_that_wrote_it():
    first = [moment(n, life=0) for n in range(1, 6)]
    second = [moment(n, life=1) for n in range(4, 8)]
    assert lost_records(season(first + second, range(1, 7))) == 0


def test_waterings_of_a_wet_soil_and_errors_are_counted():
    found = season([moment(held="irrigate", state="ok"), moment()], [1, 2])
    found.waterings = [Watering(0, 0.5), Watering(0, -0.9), Watering(0, -1.1)]
    found.events = [(0.0, SimpleNamespace(kind="error")), (0.0, SimpleNamespace(kind="fault"))]
    found.tracebacks = 2
    verdict = season_verdict(found, ("irrigate", "ok"))
    assert (verdict.needless, verdict.errors) == (1, 3)
    assert verdict.by_state == {"ok": (2, 0.5)}
    assert verdict.shares["right"] == 0.5


def test_other_classes_than_the_fields_are_left_out():
    assert season_verdict(season([moment()], [1]), ("mould", "ok")).shares == {}
