"""Each record once, by node and number; all of a batch or none of it."""

import random

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.fleet.database import happenings, nodes, open_database, records
from dibble_tools.fleet.intake import Arrival, Gap, Intake
from dibble_tools.fleet.messages import record_of
from fleet_messages import MAY_S, message, state, told
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError


def rows(engine, *columns):
    with engine.connect() as connection:
        asked = select(*columns or (nodes.c.name, records.c.series, records.c.sequence)).select_from(
            records.join(nodes, records.c.node_id == nodes.c.id)
        )
        return [
            tuple(row) for row in connection.execute(asked.order_by(nodes.c.name, records.c.series, records.c.sequence))
        ]


def test_a_record_that_comes_again_is_kept_once(engine):
    come = [message(n, node) for n in range(1, 40) for node in ("bed-1", "bed-2")] * 3
    random.Random(0).shuffle(come)
    intake = Intake(engine)
    for start in range(0, len(come), 7):
        intake.take(come[start : start + 7])
        if start % 70 == 0:  # whoever takes over knows what is there
            intake.new, new = 0, intake.new
            intake = Intake(engine)
            intake.new = new
    assert rows(engine) == [(node, 1, n) for node in ("bed-1", "bed-2") for n in range(1, 40)]


def test_a_gap_is_told_once_and_filled_later(engine):
    intake = Intake(engine)
    assert intake.take([message(5)]) == []
    assert intake.take([message(6), message(9), message(10)]) == [Gap("bed-1", 7, 8)]
    assert intake.take([message(8), message(7), message(9), message(11)]) == []
    assert [n for _, _, n in rows(engine)] == [5, 6, 7, 8, 9, 10, 11]
    assert (intake.new, intake.repeated) == (7, 1)


def test_another_decision_of_a_known_number_is_another_log(engine):
    intake = Intake(engine)
    intake.take([message(n) for n in (1, 2, 3)])
    later_s = MAY_S + 10**6
    assert intake.take([message(n, at_s=later_s + n) for n in (1, 2)]) == []
    assert Intake(engine).take([message(2, at_s=later_s + 2), message(3, at_s=later_s + 3)]) == []
    assert [(series, n) for _, series, n in rows(engine)] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    with engine.connect() as connection:
        assert connection.execute(select(happenings.c.kind)).scalars().all() == ["anew"]


def test_a_clock_that_is_not_set_dates_by_when_it_came(engine):
    intake = Intake(engine)
    unset = {"at_s": 946_684_800 + 1200}  # 1,200 s since power-on
    intake.take([message(1, came_s=MAY_S, **unset)])
    intake.take([message(1, came_s=MAY_S + 50, **unset), message(2)])
    assert rows(engine, records.c.sequence, records.c.at_s, records.c.since_power_on_s) == [
        (1, MAY_S, 1200),
        (2, MAY_S + 1200, None),
    ]
    assert intake.repeated == 1


def test_a_record_has_the_model_that_the_node_told_last(engine):
    intake = Intake(engine)
    intake.take([message(1), told("about", model="0badcafe"), message(2), told("about", model=["x"]), message(3)])
    assert [model for (model,) in rows(engine, records.c.model)] == ["", "0badcafe", ""]


def test_what_no_node_can_have_sent_is_counted_and_left_out(engine):
    bad = [
        Arrival("dibble/bed-1/state", payload, MAY_S)
        for payload in (
            b"{",
            b"[]",
            b"\xff\xfe",
            b"[" * 5000,
            b"{}",
            state(0),
            state(1 << 30),
            state(1, soil_permille=1 << 30),
            state(1, soil_permille=1.5),
            state(1, margin=True),
            state(1, **{"class": "a\x00b"}),
            state(1, **{"class": 3}),
            state(1, **{"=cmd": 1}),
            state(1, at_s=946_684_800 - 1),
            b" " * 20000,
        )
    ]
    intake = Intake(engine)
    odd = ["dibble//state", "dibble/a b/state", "dibble/bed-1/in/offer", "other", "dibble/bed-1/state/x"]
    elsewhere = [Arrival(topic, state(1), MAY_S) for topic in odd]
    intake.take([*bad, *elsewhere, message(1), Arrival("dibble/bed-1/state", b"", MAY_S)])
    assert rows(engine) == [("bed-1", 1, 1)]
    assert sum(intake.unfit.values()) == len(bad)


def test_a_batch_that_cannot_be_stored_leaves_nothing_behind(engine):
    intake = Intake(engine)
    intake.take([message(1)])
    before = rows(engine)
    with pytest.raises(SQLAlchemyError), engine.begin() as connection:
        records.drop(connection)
        connection.commit()
        intake.take([message(2), message(3, "bed-9"), told("about", "bed-8")])
    with engine.begin() as connection:
        records.create(connection)
        assert connection.execute(select(nodes.c.name)).scalars().all() == ["bed-1"]
    assert before == [("bed-1", 1, 1)] and rows(engine) == []
    intake.take([message(2)])
    assert rows(engine) == [("bed-1", 1, 2)]


def test_readings_and_none_are_told_apart():
    record = record_of(state(1, battery_mv=None, held=None))
    assert (record.battery_mv, record.held, dict(record.readings)) == (
        None,
        None,
        {"soil_permille": 180, "air_centi_c": None},
    )


def test_a_file_of_another_program_is_refused(tmp_path):
    other = tmp_path / "other.db"
    other.write_bytes(b"no database at all, but a long text" * 100)
    with pytest.raises(InputError, match="expected a database that can be opened: file is not a database"):
        open_database(str(other))
    with pytest.raises(InputError, match="expected a folder"):
        open_database(str(tmp_path / "none" / "x.db"))
    with pytest.raises(InputError, match=r"dibble fleet listen makes it"):
        open_database(str(tmp_path / "none.db"), must_exist=True)
    with pytest.raises(InputError, match=r"postgresql\+psycopg"):
        open_database("nonsense+x://y/z")
    assert other.read_bytes().startswith(b"no database")
