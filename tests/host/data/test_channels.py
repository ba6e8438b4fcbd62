"""Channels: resolutions, units, ranges and the one rounding."""

from decimal import Decimal

import numpy as np
import pytest
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble_tools.common.errors import InputError
from dibble_tools.data.channels import Channel, steps_to_text, to_readings, to_values
from dibble_tools.data.column_channels import ChannelOption, find_channels, parse_channel_option, unit_of
from dibble_tools.data.datasets import Dataset

TENTHS = Channel("temp", "c", 1, -1, -400, 600)


def dataset(**columns):
    values = np.column_stack([np.array(column, float) for column in columns.values()])
    lines = np.arange(len(values)) + 2
    return Dataset("farm", list(columns), values, None, None, None, lines, [], "")


def channel_of(values, *options):
    channels, notes = find_channels(dataset(x=values), options)
    return channels[0], notes


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("soil=permille:1", ChannelOption("soil", "permille", 1, 0)),
        ("temp=c:0.1:-40:60", ChannelOption("temp", "c", 1, -1, -400, 600)),
        ("gas=:1000", ChannelOption("gas", "", 1, 3)),
        (" lux = lux : 0.25 : 0 : 10 ", ChannelOption("lux", "lux", 25, -2, 0, 40)),
        ("a=b=c:2.50", ChannelOption("a=b", "c", 25, -1)),
        ("x=m:0.3:-1:1", ChannelOption("x", "m", 3, -1, -3, 3)),
    ],
)
def test_option_says_unit_resolution_and_range(text, option):
    assert parse_channel_option(text) == option


@pytest.mark.parametrize(
    "text",
    ["", "soil", "soil=", "soil=permille", "=c:1", "t=c:0.1:5", "t=c:0.1:1:2:3", "t=c:one", "t=c:1:a:b"],
)
def test_option_of_another_form_is_answered_with_the_grammar(text):
    with pytest.raises(InputError, match=r"NAME=UNIT:RESOLUTION\[:MIN:MAX\], such as soil=permille:1"):
        parse_channel_option(text)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [(number, "resolution above 0") for number in ("0", "-1", "nan", "inf", "0.1:-inf:5")]
    + [(number, "1 to 255 times a power of ten") for number in ("0.256", "257", "0.0625", "1e-10", "1e10")]
    + [(f"0.1:{ends}", "MIN below MAX and both within") for ends in ("60:-40", "5:5", "0:1e9", "0.01:0.02")],
)
def test_option_needs_numbers_that_the_model_file_holds(numbers, message):
    with pytest.raises(InputError, match=message):
        parse_channel_option(f"t=c:{numbers}")


def test_option_needs_a_short_unit():
    assert parse_channel_option(f"t={'u' * 20}:1").unit == "u" * 20
    with pytest.raises(InputError, match="at most 20 bytes"):
        parse_channel_option(f"t={'µ' * 11}:1")


@pytest.mark.parametrize(
    ("values", "exponent"),
    [
        ([1, 2, 300], 0),
        ([20.1, 20.2, 35.0], -1),
        ([0.25, 1.5], -2),
        ([10.357019999999999, 8.05546], -5),
        ([0.000001, 0.000002], -6),
        ([1000, 2000], 0),
        ([READING_LIMIT, 0], 0),
        ([np.nan, 0.5, 1, 2.8e-17], -1),
    ],
)
def test_resolution_is_the_fewest_decimals_that_are_exact(values, exponent):
    channel, notes = channel_of(values)
    assert (channel.mantissa, channel.exponent, notes) == (1, exponent, [])


@pytest.mark.parametrize(
    ("values", "exponent", "rounded"),
    [
        ([0.0, 1 / 3, 1.0], -4, "0.0001"),
        ([0.0, 6.5536, np.pi], -4, "0.0001"),
        ([0.0, 6.5537, np.pi], -3, "0.001"),
        ([0.0, 2.0**31], 5, "100000"),
        ([20000.123456, 20000.2], -4, "0.0001"),
        ([1e-9, 2.5e-9, 1e-8], -9, "1e-09"),
    ],
)
def test_resolution_of_long_decimals_is_rounded_with_a_note(values, exponent, rounded):
    channel, notes = channel_of(values)
    assert channel.exponent == exponent
    assert notes == [f"column 'x' has more decimals than a node needs: rounded to {rounded}"]


def test_values_beyond_any_resolution_are_refused():
    with pytest.raises(InputError, match=r"column 'x': expected values up to .*, got 1e\+30"):
        channel_of([0, 1e30])


def test_unit_comes_from_the_end_of_the_name():
    units = "centi_c,permille,pa,hpa,kpa,ohm,mv,ms,cm_s,m_s,c,percent,pct,ppm,ppb,lux,mm"
    assert ",".join(unit_of(f"some_name_{unit}") for unit in units.split(",")) == units


@pytest.mark.parametrize(
    ("name", "unit"),
    [("Soil [permille]", "permille"), ("Air temperature (°C)", "°C"), ("gas(kΩ)", "kΩ"), ("temp", "")]
    + [(name, "") for name in ("c", "_c", "music", "a (much longer than any unit is)")],
)
def test_unit_comes_from_brackets_or_is_unknown(name, unit):
    assert unit_of(name) == unit


def test_range_comes_from_the_training_rows_only():
    ds = dataset(x=[1.5, 2, 3, 99.25])
    for rows in (np.array([True, True, True, False]), np.array([0, 1, 2])):
        assert find_channels(ds, [], rows) == ([Channel("x", "", 1, -2, 150, 300)], [])


def test_columns_that_tell_nothing_are_left_out_with_a_note():
    nan = np.nan
    ds = dataset(a=[1, 2, 3, 4], same=[7, 7, nan, 8], gone=[nan, nan, nan, 1])
    channels, notes = find_channels(ds, [], np.array([0, 1, 2]))
    assert [channel.name for channel in channels] == ["a"]
    assert notes == [
        "column 'same' is always 7 in the training rows: left out",
        "column 'gone' has no reading in the training rows: left out",
    ]


def test_a_column_constant_at_its_resolution_is_left_out():
    options = [parse_channel_option("x=c:10")]
    channels, notes = find_channels(dataset(x=[1, 2], y=[1, 2]), options)
    assert [channel.name for channel in channels] == ["y"]
    assert notes == ["column 'x' is always 0 c at its resolution: left out"]


def test_only_constant_columns_are_refused():
    with pytest.raises(InputError, match="farm: expected a column whose readings differ"):
        find_channels(dataset(x=[1, 1]), [])


def test_option_sets_unit_resolution_and_range():
    channel, notes = channel_of([10, 20.04], parse_channel_option("x=c:0.1:-40:60"))
    assert (channel, notes) == (Channel("x", "c", 1, -1, -400, 600), [])


def test_option_range_that_excludes_training_readings_is_kept_with_a_note():
    channel, notes = channel_of([-1, 10, 20, 21], parse_channel_option("x=c:0.5:0:20"))
    assert (channel.low, channel.high) == (0, 40)
    assert notes == ["column 'x': 2 training readings lie outside 0.0 c to 20.0 c, as --channel sets it"]


def test_option_for_a_column_that_is_not_there_names_the_closest():
    with pytest.raises(
        InputError, match=r"got 'temprature'; there are: soil, temperature\. Did you mean 'temperature'"
    ):
        find_channels(dataset(soil=[1, 2], temperature=[1, 2]), [parse_channel_option("temprature=c:1")])


def test_option_given_twice_is_refused():
    with pytest.raises(InputError, match="'x' once, got it twice"):
        channel_of([1, 2], parse_channel_option("x=c:1"), parse_channel_option("x=c:2"))


def test_option_too_fine_for_the_readings_is_refused():
    with pytest.raises(InputError, match="--channel x: expected a resolution that keeps readings within 1073741823"):
        channel_of([0, 2], parse_channel_option("x=c:0.000000001"))


def test_long_column_names_are_refused():
    assert find_channels(dataset(**{"ä" * 30: [1, 2]}), [])[1] == []
    with pytest.raises(InputError, match="at most 60 bytes"):
        find_channels(dataset(**{"ä" * 30 + "x": [1, 2]}), [])


def test_more_channels_than_a_model_holds_are_refused():
    columns = {f"c{i}": [1, 2] for i in range(256)}
    with pytest.raises(InputError, match="at most 255 channels, got 256"):
        find_channels(dataset(**columns), [])
    columns.popitem()
    assert len(find_channels(dataset(**columns), [])[0]) == 255


@pytest.mark.parametrize(
    ("value", "steps"),
    [(21.5, 215), (0.05, 1), (-0.05, 0), (0.049, 0), (-0.06, -1), (np.nan, MISSING), (1e300, READING_LIMIT)],
)
def test_readings_round_halves_up_and_stay_in_range(value, steps):
    readings = to_readings(np.array([[value]]), [TENTHS])
    assert readings.dtype == np.int64
    assert readings.tolist() == [[steps]]


def test_readings_below_the_range_never_become_missing():
    assert to_readings(np.array([[-1e300]]), [TENTHS]).tolist() == [[-READING_LIMIT]]


def test_values_are_the_nearest_floats():
    """The oracle is decimal arithmetic."""
    rng = np.random.default_rng(1)
    for mantissa, exponent in [(1, -1), (25, -2), (255, -9), (3, 0), (7, 9)]:
        channel = Channel("x", "", mantissa, exponent, 0, 1)
        steps = [0, 51, -51, READING_LIMIT, -READING_LIMIT, *rng.integers(-(2**30) + 1, 2**30, 500).tolist()]
        expected = [float(Decimal(step) * mantissa * Decimal(10) ** exponent) for step in steps]
        assert to_values(np.array(steps), channel).tolist() == expected


def test_a_missing_reading_has_no_value():
    assert np.isnan(to_values(np.array([MISSING]), TENTHS)).all()


def test_readings_survive_the_way_to_values_and_back():
    steps = np.arange(-3000, 3000)[:, None]
    for channel in (TENTHS, Channel("x", "", 25, -2, 0, 1), Channel("x", "", 3, 4, 0, 1)):
        assert (to_readings(to_values(steps, channel), [channel]) == steps).all()


@pytest.mark.parametrize(
    ("steps", "channel", "text"),
    [
        (215, TENTHS, "21.5 c"),
        (-5, TENTHS, "-0.5 c"),
        (3, Channel("x", "", 1, 3, 0, 1), "3000"),
        (3, Channel("x", "lux", 25, -2, 0, 1), "0.75 lux"),
        (MISSING, TENTHS, "missing"),
    ],
)
def test_steps_read_as_text(steps, channel, text):
    assert steps_to_text(steps, channel) == text
