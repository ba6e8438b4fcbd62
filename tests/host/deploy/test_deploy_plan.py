"""What a deploy finds on a board, what it would write and remove, and what it refuses."""

import os
from dataclasses import replace

import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.common.shipped import LIBRARY, MODELS
from dibble_tools.deploy.board_state import BoardState, OnBoard, digest_of, parse
from dibble_tools.deploy.checks import Bounds, check_board, check_together
from dibble_tools.deploy.plan import blocks_needed, check_room, make_plan, stale_files
from dibble_tools.link.session import LinkError
from dibble_tools.model.host_model import HostModel
from dibble_tools.node import files
from dibble_tools.node.config import whole
from dibble_tools.node.files import (
    OPTIONAL,
    MpyFormat,
    circuitpython_files,
    machine_code_of,
    node_files,
    runs,
    source_of,
)

LINES = [
    "runtime micropython",
    "version 1.24.1",
    "machine Raspberry Pi Pico with RP2040",
    "mpy 4870",
    "heap 190000",
    "flash 4096 352 340",
    "rom no",
    "sums yes",
    "inflates yes",
    "file 0123456789abcdef 12 main.py",
    "file - 40 secrets.py",
    "file 0123456789abcdef 3 lib/dibble/with a space.py",
]
PICO = parse(LINES)


def found(**files: bytes) -> dict[str, OnBoard]:
    return {path: OnBoard(len(content), digest_of(content)) for path, content in files.items()}


def test_a_board_tells_all_that_a_deploy_asks():
    assert parse(LINES) == BoardState(
        "micropython",
        (1, 24, 1),
        "Raspberry Pi Pico with RP2040",
        MpyFormat(6, 3, "armv6m"),
        190000,
        4096,
        352,
        340,
        False,
        True,
        True,
        {
            "main.py": OnBoard(12, "0123456789abcdef"),
            "secrets.py": OnBoard(40, None),
            "lib/dibble/with a space.py": OnBoard(3, "0123456789abcdef"),
        },
    )


@pytest.mark.parametrize("line", ["", "heap", "file 12 3", "file x 3 main.py", "heap 1\x00", "evil __import__('os')"])
def test_a_line_that_no_look_py_writes_is_refused(line):
    with pytest.raises(LinkError):
        parse([*LINES, line])


@pytest.mark.parametrize("value", ["flash 1 2", "flash a b c", "version 1.x.2", "mpy -1", "heap 99999999999"])
def test_a_value_that_is_no_number_is_refused(value):
    key = value.split(" ")[0]
    with pytest.raises(LinkError):
        parse([value if line.startswith(key + " ") else line for line in LINES])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": (1, 21, 0)}, "expected MicroPython 1.22 or newer, got 1.21.0"),
        ({"runtime": "circuitpython"}, "--drive"),
        ({"runtime": "pycopy"}, "got 'pycopy'"),
        ({"heap_bytes": 20000}, "got 20000"),
        ({"has_sums": False}, "hashlib.sha256"),
    ],
)
def test_a_board_that_cannot_run_the_node_is_refused(change, message):
    check_board(PICO)
    with pytest.raises(InputError, match=message):
        check_board(replace(PICO, **change))


def test_a_plan_holds_what_differs_and_ends_with_main_py():
    wanted = {"main.py": b"m", "config.json": b"c", "lib/dibble/a.mpy": b"a", "lib/dibble/b.mpy": b"b"}
    plan = make_plan(
        wanted, found(**{"main.py": b"old", "lib/dibble/b.mpy": b"b", "boot.a": b"x", "d.py": b""}), ["d.py"]
    )
    assert list(plan.writes) == ["lib/dibble/a.mpy", "config.json", "main.py"]
    assert plan.removals == ["d.py", "boot.a"]
    assert plan.unchanged == 1
    assert plan.listing().decode().splitlines()[:-1] == [
        "dibble update 2",
        "+ lib/dibble/a.mpy",
        "- d.py",
        "- boot.a",
        "+ config.json",
        "+ main.py",
    ]


def test_nothing_changed_is_no_plan_and_the_boot_count_stays():
    assert not make_plan({"main.py": b"m"}, found(**{"main.py": b"m", "boot.a": b"x"}), ["gone.py"])


def test_the_library_needs_no_staging_on_a_board_without_a_program():
    wanted = {"main.py": b"m", "lib/dibble/a.mpy": b"a"}
    assert make_plan(wanted, {}).staged == ["main.py"]
    assert make_plan(wanted, found(**{"main.py": b"s"})).staged == ["lib/dibble/a.mpy", "main.py"]


def test_stale_are_shadows_and_what_the_firmware_before_had_but_nobodys_own():
    on_board = [
        "lib/dibble/node.py",  # beside node.mpy
        "lib/dibble/node.mpy",
        "lib/dibble/drivers/sht3x.mpy",  # of a sensor that is gone
        "lib/dibble/older.mpy",  # as the board's manifest lists
        "lib/dibble/drivers/mine.py",
        "lib/other/node.py",
        "main.py",
    ]
    stale = stale_files({"lib/dibble/node.mpy": b""}, on_board, ["lib/dibble/older.mpy"])
    assert stale == ["lib/dibble/node.py", "lib/dibble/drivers/sht3x.mpy", "lib/dibble/older.mpy"]


def test_old_and_new_have_to_fit_together():
    plan = make_plan({f"lib/dibble/{i}.mpy": os.urandom(5000) for i in range(10)}, {})
    assert 20 <= blocks_needed(plan, PICO) <= 30
    check_room(plan, PICO)
    with pytest.raises(InputError, match="got 10 of 352"):
        check_room(plan, replace(PICO, free_blocks=10))


def test_a_node_gets_what_it_imports_and_no_more():
    files = node_files(["soil_adc"], MpyFormat(6, 3, "armv6m"), without=OPTIONAL)
    drivers = files["lib/dibble/drivers.mpy"]
    assert b"soil_moisture_permille" in drivers and b"gas_resistance_ohm" not in drivers
    assert len(files) <= 25 and not {path for path in files if "radio" in path or "signatures" in path}
    every = node_files(["soil_adc"], MpyFormat(6, 3, "armv6m"))
    radio = "radio", "tls", "diagnostics", "update", "looking", "place", "receiving", "trial", "unpack"
    radio += "kept", "telling", "parcel", "opening", "on_trial", "staging", "lorawan", "downlinks", "cayenne"
    more = "signatures", "clock_chips", "listening", "streams", "stream", "image", "maps"
    more += "alarm", "costly", "low_battery", "heat"
    assert set(every) - set(files) == {f"lib/dibble/{name}.mpy" for name in (*radio, *more)}
    sources = circuitpython_files(["soil_adc"])
    assert "lib/dibble/drivers/soil_adc.py" in sources and "lib/dibble/ports/micropython.py" not in sources
    assert not {path for path in sources if "bme680" in path}


def test_no_file_lies_in_a_folder_of_the_package():
    """Such a folder takes two blocks of flash, and would be in the way of a file of its name."""
    drivers = [path.stem for path in (LIBRARY / "drivers").glob("*.py") if path.stem != "__init__"]
    for mpy in (MpyFormat(6, 3, "armv6m"), MpyFormat(6, 3, "xtensawin"), MpyFormat(6)):
        paths = node_files(
            [name for name in drivers if "CHANNELS" in source_of(f"dibble.drivers.{name}").read_text()], mpy
        )
        assert not [path for path in paths if path.count("/") > 2]


@pytest.mark.parametrize(
    ("mpy", "kinds"),
    [
        (MpyFormat(6, 3, "armv7emsp"), {"forest_thumb", "forest_viper"}),
        (MpyFormat(6, 3, "xtensawin"), {"forest_viper"}),
        (MpyFormat(6, 2, "armv6m"), set()),
        (MpyFormat(6), set()),
    ],
)
def test_machine_code_goes_where_it_runs(mpy, kinds):
    files = node_files([], mpy)
    assert all((content[2] >> 2 & 15 != 0) <= bool(kinds) for name, content in files.items() if name.endswith(".mpy"))
    assert (files["lib/dibble/forest.mpy"][2] >> 2 & 15 != 0) == bool(kinds)
    assert {kind for kind in ("forest_thumb", "forest_viper") if runs(kind, machine_code_of(mpy))} == kinds


def test_compiled_files_are_made_anew_where_anything_they_depend_on_differs(tmp_path, monkeypatch):
    keys = [files._made_from()]
    for what, content in (("a.py", b"1"), ("a.py", b"2"), ("b/a.py", b"2")):
        monkeypatch.setattr(files, "LIBRARY", tmp_path)
        (tmp_path / what).parent.mkdir(exist_ok=True)
        (tmp_path / what).write_bytes(content)
        keys.append(files._made_from())
    monkeypatch.setattr(files, "version", lambda name: "another")
    keys.append(files._made_from())
    assert len(set(map(tuple, keys))) == len(keys)


def test_an_interval_that_windows_were_not_trained_at_is_told_with_the_ways_on():
    model = HostModel.open(MODELS / "field_weather")
    sensors = [{"driver": "bme680"}, {"driver": "anemometer", "pin": 7}]
    config = whole({"interval_s": 3600, "i2c": {"sda": 4, "scl": 5}, "sensors": sensors})
    bounds = Bounds(1 << 20, 0, "micropython")
    check_together(config, bounds, model, {})
    with pytest.raises(
        InputError, match=r"interval_s: expected near 3600, .*, got 600: .*, so set that interval_s, or"
    ):
        check_together({**config, "interval_s": 600}, bounds, model, {})
