"""What the numbers of a log mean: by the list of channels that a segment names, by the model where it names none."""

import json
import struct
import zlib
from pathlib import Path

from dibble.storage.record import encode
from dibble.storage.record_log import RecordLog
from dibble.storage.segment import names_crc
from dibble_tools.log.names import Known, Names, of_config, of_model
from dibble_tools.log.table import log_csv
from dibble_tools.node.record_log import read_folder
from sounds import random_ear

MODEL = bytes([1, 2, 3, 4])
CRC = int.from_bytes(MODEL, "little")


def log_of(folder: Path, names: list[str], count: int = 3, start: int = 1) -> None:
    log = RecordLog(str(folder), MODEL, len(names), batch=1, names=names_crc(names))
    for i in range(count):
        log.append(encode(9824, i, 1, 255, 0, 5, 0, 0, [10 * i + k for k in range(len(names))]))


def test_all_channels_are_named_by_their_list_and_classes_by_the_model(tmp_path):
    log_of(tmp_path / "log", ["soil", "air", "battery_mv"])
    known = Known(tmp_path / "names.json")
    known.learn(0, Names(("soil", "air", "battery_mv")))
    known.learn(CRC, Names(("soil",), ("dry", "wet")))  # the model takes one of them
    text, notes = log_csv(read_folder(tmp_path / "log"), known)
    assert text.splitlines()[0].endswith(",soil,air,battery_mv")
    assert text.splitlines()[2] == "2026-11-24 00:00:01,2,wet,,5,,0,,10,11,12"
    assert notes == []
    known.save()
    assert Known(tmp_path / "names.json").lists == known.lists


def test_sensors_that_changed_begin_a_segment_and_each_keeps_its_names(tmp_path):
    log_of(tmp_path / "log", ["soil", "air"])
    log_of(tmp_path / "log", ["soil", "rain"])
    known = Known(tmp_path / "names.json")
    for names in (("soil", "air"), ("soil", "rain")):
        known.learn(0, Names(names))
    lines = log_csv(read_folder(tmp_path / "log"), known)[0].splitlines()
    assert lines[0].endswith(",soil,air,rain")
    assert (lines[1][-4:], lines[4][-4:]) == ("0,1,", "0,,1")


def test_unknown_sensors_and_models_are_told(tmp_path):
    log_of(tmp_path / "log", ["soil", "air"])
    known = Known(tmp_path / "names.json")
    crc = zlib.crc32(b"soil\nair")
    text, notes = log_csv(read_folder(tmp_path / "log"), known)
    assert text.splitlines()[0].endswith(f",{crc:08x}_1,{crc:08x}_2")
    assert notes == [f"written by other sensors than config.json has: the columns are {crc:08x}_1, …"]
    known.learn(0, Names(("soil", "air")))
    assert log_csv(read_folder(tmp_path / "log"), known)[1] == [
        f"decided by a model unknown here ({CRC:08x}): fetch again with --model"
    ]


def test_a_log_of_version_1_goes_on_in_version_2(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    head = struct.pack("<4sBB4sI", b"DLOG", 1, 1, MODEL, 7)
    seed = zlib.crc32(head)
    record = encode(9824, 1, 1, 255, 0, 5, 0, 0, [33])
    (folder / "000001.seg").write_bytes(
        head + struct.pack("<I", seed) + record + struct.pack("<I", zlib.crc32(record, seed))
    )
    log_of(folder, ["soil", "air"], 2)
    records = read_folder(folder)
    assert [(row.sequence, row.readings) for row in records.rows] == [(7, (33,)), (8, (0, 1)), (9, (10, 11))]
    assert (records.missing, records.damage) == ([], [])
    known = Known(tmp_path / "names.json")
    known.learn(CRC, Names(("moisture",), ("dry", "wet")))
    known.learn(0, Names(("soil", "air")))
    assert log_csv(records, known)[0].splitlines()[0].endswith(",moisture,soil,air")


def test_a_node_that_listens_has_its_counts_named_and_its_classes(tmp_path):
    config = {"sensors": [], "listen": {"driver": "adc_mic", "pin": 26}}
    names = of_config(json.dumps(config).encode())
    assert names and names.channels[:2] == ("sounds_count", "sounds_skipped_count")
    ear = random_ear()
    crc, classes = of_model(ear.blob) or (0, Names(()))
    assert classes == Names((), ("a", "b", "_c"))
    known = Known(tmp_path / "names.json")
    known.learn(0, names)
    known.learn(crc, classes)
    log = RecordLog(str(tmp_path / "log"), ear.blob[-4:], len(names.channels), batch=1, names=names_crc(names.channels))
    log.append(encode(9824, 0, 1, 1, 0, 5, 0, 0, [0] * len(names.channels)))
    text, notes = log_csv(read_folder(tmp_path / "log"), known)
    assert text.splitlines()[1].startswith("2026-11-24 00:00:00,1,b,b,5,") and notes == []
    known.save()
    assert Known(tmp_path / "names.json").by_model == known.by_model
