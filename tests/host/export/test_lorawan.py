"""The decoder for The Things Stack, run by a JavaScript engine on payloads that the firmware packed."""

import json
import math
import random
from fractions import Fraction

import dukpy
import numpy as np
import pytest
from dibble.inference.decision import NO_CLASS, Decision
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.report.lorawan import MAX_BYTES, PORT, Packer
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel
from dibble_tools.export.lorawan import write_decoder
from dibble_tools.model.decisions import FLAG_NAMES
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.writer import export, forest_spec
from helpers import channels_of, random_trees

MODELS = {
    "field": [
        Channel("soil_moisture_permille", "permille", 1, 0, 0, 1000),
        Channel("air_temperature_centi_c", "centi_c", 1, 0, -4000, 8500),
        Channel("wind_speed_cm_s", "cm_s", 1, 0, 0, 6000),
        Channel("pressure_pa", "pa", 1, 0, 30_000, 110_000),
    ],
    "resolutions": [
        Channel('a "quoted" </script> name\n', "°C", 25, -2, -160, 400),
        Channel("volume", "", 1, -9, -READING_LIMIT // 2, READING_LIMIT // 2),
        Channel("huge", "ohm", 255, 9, 1, READING_LIMIT - 1),
    ],
    "binary": [Channel("door", "", 1, 0, 0, 1)],
    "many": channels_of([-5] * 40, [2000 + i for i in range(40)]),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, tmp_path_factory):
    """Return (model, its decoder)."""
    channels = MODELS[request.param]
    classes = {"field": 5, "resolutions": 2, "binary": 7, "many": 64}[request.param]
    trees = random_trees(np.random.default_rng(1), [c.high - c.low for c in channels], classes, 3, 3)
    names = [f"class {i}" for i in range(classes)]
    path = tmp_path_factory.mktemp("lorawan") / "model.dib"
    path.write_bytes(export(forest_spec(request.param, channels, names, trees)))
    return HostModel.open(path), write_decoder(path)


def decode(decoder, payloads, port=PORT):
    """Return what the decoder says of each payload."""
    script = decoder + ";dukpy.payloads.map(function (b) { return decodeUplink({bytes: b, fPort: dukpy.port}); })"
    return dukpy.evaljs(script, payloads=[list(payload) for payload in payloads], port=port)


def rows_of(model, count):
    """Yield (decision, readings, battery_mv): boundaries, then at random."""
    chance = random.Random(5)
    channels = model.channels
    edges = [
        [c.low for c in channels],
        [c.high for c in channels],
        [c.low - 1 for c in channels],
        [c.high + 1 for c in channels],
        [c.low + 1 for c in channels],
        [c.high - 1 for c in channels],
        [MISSING for _ in channels],
    ]
    for n in range(count):
        d = Decision(1)
        d.class_index = chance.choice([NO_CLASS, 0, len(model.classes) - 1, chance.randrange(len(model.classes))])
        d.held_index = chance.choice([NO_CLASS, chance.randrange(len(model.classes))])
        d.flags = chance.randrange(16)
        d.margin = chance.choice([0, 15, 16, 31, 32, 65535, chance.randrange(65536)])
        readings = edges[n] if n < len(edges) else [chance.choice([MISSING, *mix(c, chance)]) for c in channels]
        yield d, readings, chance.choice([None, 0, 3700, chance.randrange(16_000)])


def mix(channel, chance):
    return [chance.randint(channel.low, channel.high) for _ in range(9)] + [channel.low - 9, channel.high + 9]


def check(said, model, row):
    """Compare a decoded payload with the row it was packed from, from the layout's definition in fractions."""
    d, readings, battery_mv = row
    assert said["errors"] == []
    data = said["data"]
    names = dict(enumerate(model.classes))
    assert data["class"] == names.get(d.class_index) and data["held"] == names.get(d.held_index)
    assert data["flags"] == [name for bit, name in enumerate(FLAG_NAMES) if d.flags >> bit & 1]
    digits = max(0, int(d.margin).bit_length() - 5)
    assert data["margin"] == d.margin >> digits << digits
    if battery_mv is None:
        assert data["battery_mv"] is None
    else:
        assert data["battery_mv"] % 16 == 0 and abs(data["battery_mv"] - battery_mv) <= 8
    warned = []
    for channel, reading in zip(model.channels, readings, strict=True):
        if channel.name not in data["readings"]:
            continue
        value = data["readings"][channel.name]
        assert data["units"][channel.name] == channel.unit
        if reading == MISSING:
            assert value is None
        elif not channel.low <= reading <= channel.high:
            assert value is None
            warned.append(f"{channel.name} is {'below' if reading < channel.low else 'above'} its range")
        else:
            resolution = channel.mantissa * Fraction(10) ** channel.exponent
            span = channel.high - channel.low
            step = next(s for s in range(span // 65533 or 1, span + 2) if math.ceil(Fraction(span, s)) <= 65532)
            if step == 1:
                assert value == float(reading * resolution)
            else:
                assert (
                    abs(Fraction(value) - reading * resolution) <= (Fraction(step, 2) + Fraction(1, 1000)) * resolution
                )
    assert said["warnings"] == warned


def test_decoder_says_what_the_node_packed(model):
    opened, decoder = model
    packer = Packer(opened.model)
    rows = list(rows_of(opened, 300))
    payloads = [bytes(packer.pack(*row)) for row in rows]
    assert {len(payload) for payload in payloads} <= set(range(5, MAX_BYTES + 1))
    for said, row in zip(decode(decoder, payloads), rows, strict=True):
        check(said, opened, row)


def test_another_port_length_or_model_is_an_error(model):
    opened, decoder = model
    payload = bytes(Packer(opened.model).pack(*next(rows_of(opened, 1))))
    for port in (0, 1, PORT + 1, 223, None):
        (said,) = decode(decoder, [payload], port)
        assert list(said) == ["errors"] and "port" in said["errors"][0]
    for other in (b"", payload[:-1], payload + b"\0", bytes(255)):
        (said,) = decode(decoder, [other])
        assert list(said) == ["errors"] and "bytes" in said["errors"][0]
    (said,) = decode(decoder, [bytes([payload[0] ^ 1]) + payload[1:]])
    assert list(said) == ["errors"] and "tag" in said["errors"][0]
    assert list(dukpy.evaljs(decoder + ";decodeUplink({})")) == ["errors"]


def test_any_bytes_of_the_right_length_give_data(model):
    opened, decoder = model
    payload = bytes(Packer(opened.model).pack(*next(rows_of(opened, 1))))
    chance = random.Random(3)
    payloads = [payload[:1] + chance.randbytes(len(payload) - 1) for _ in range(300)]
    for said in decode(decoder, payloads):
        assert said["errors"] == []
        json.dumps(said, allow_nan=False)


def test_decoder_keeps_to_the_limit_of_the_things_stack(model):
    assert len(model[1].encode()) < 40_960


def test_missing_model_is_the_users_error(tmp_path):
    with pytest.raises(InputError):
        write_decoder(tmp_path / "none.dib")
