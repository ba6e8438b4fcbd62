"""The configuration, held whole against its schema."""

from dibble import ConfigError
from dibble.config import check_board, check_classes, choose, parse

SETTINGS = (("pin", (int, str), 0, 63, None), ("samples", int, 3, 64, 16), ("curve", [int], 2, 2, [1, 2]))
SENSOR = '{"driver": "probe", "pin": 26}'


def settings_of(driver):
    if driver != "probe":
        raise ConfigError("expected the driver probe, got %r" % driver)
    return SETTINGS


def config(more="", sensors=SENSOR):
    return parse('{"sensors": [%s]%s}' % (sensors, more), settings_of)


def complaint(more="", sensors=SENSOR):
    """Return the error of a configuration."""
    try:
        config(more, sensors)
    except ConfigError as error:
        return str(error)
    raise AssertionError("expected an error")


def test_defaults_are_filled_in():
    table = config()
    assert (table["interval_s"], table["sleep"], table["actions"], table["led"]) == (600, "light", [], "")
    assert table["i2c"] == {"sda": "", "scl": "", "frequency_hz": 100000}
    assert table["log"] == {"segment_bytes": 8192, "segments": 8, "batch": 6}
    assert table["sensors"][0]["samples"] == 16
    assert table["sensors"][0]["costly"] is False


def test_values_are_taken():
    table = config(
        ', "interval_s": 60, "i2c": {"sda": 4, "scl": "GP5"}', '{"driver": "probe", "pin": "A0", "samples": 3}'
    )
    assert (table["interval_s"], table["i2c"]["scl"], table["i2c"]["frequency_hz"]) == (60, "GP5", 100000)
    assert (table["sensors"][0]["pin"], table["sensors"][0]["samples"]) == ("A0", 3)


def test_a_clock_chip_needs_the_bus_and_a_name_that_is_known():
    table = config(', "board": "pico", "clock": {"chip": "pcf8563"}, "i2c": {"sda": 4, "scl": 5}')
    assert (table["clock"], table["board"]) == ({"chip": "pcf8563"}, "pico")
    assert config()["clock"] == {"chip": ""}
    assert complaint(', "clock": {"chip": "ds1307"}, "i2c": {"sda": 4, "scl": 5}') == (
        "config.clock.chip: expected one of ds3231, pcf8563, got 'ds1307'"
    )
    assert complaint(', "clock": {"chip": "ds3231"}') == (
        "config.i2c: expected sda and scl, which config.clock.chip needs, got none"
    )


def test_what_is_no_json():
    try:
        parse('{"sensors": [}', settings_of)
        raise AssertionError("expected an error")
    except ConfigError as error:
        assert "expected JSON" in str(error)


def test_errors_name_the_place_and_both_values():
    assert complaint(', "interval_s": 1') == "config.interval_s: expected 2 to 86400, got 1"
    assert complaint(', "interval_s": true') == "config.interval_s: expected int, got True"
    assert complaint(', "node": ""') == "config.node: expected 1 to 32 items, got ''"
    assert complaint(', "colour": 1').startswith("config.colour: expected one of node, interval_s")
    assert complaint(', "i2c": {"sdaa": 4}').startswith("config.i2c.sdaa: expected one of sda")
    assert complaint(', "i2c": 4') == "config.i2c: expected a table {…}, got 4"
    assert complaint(', "sleep": "deep"') == "config.sleep: expected light or idle, got 'deep'"
    assert complaint(', "actions": [{"class": "dry"}]') == "config.actions[0].pin: expected it, got none"


def test_errors_in_sensors():
    assert complaint(sensors="") == "config.sensors: expected at least one, or config.listen, got none"
    assert complaint(sensors='{"pin": 26}') == "config.sensors[0].driver: expected it, got none"
    assert complaint(sensors='{"driver": "probe"}') == "config.sensors[0].pin: expected it, got none"
    assert complaint(sensors='{"driver": "probe", "pin": 64}').startswith(
        "config.sensors[0].pin: expected a pin's number"
    )
    assert complaint(sensors=SENSOR + ', {"driver": "probe", "pin": 1, "pinn": 2}').startswith(
        "config.sensors[1].pinn: expected one of"
    )
    assert "the driver probe, got 'probee'" in complaint(sensors='{"driver": "probee", "pin": 1}')


def test_errors_in_lists():
    def probe(more):
        return '{"driver": "probe", "pin": 26, %s}' % more

    assert config(sensors=probe('"curve": [7, 8], "channels": ["a"]'))["sensors"][0]["curve"] == [7, 8]
    assert complaint(sensors=probe('"curve": [7]')) == "config.sensors[0].curve: expected a list of 2 to 2, got [7]"
    assert complaint(sensors=probe('"curve": [7, "8"]')) == "config.sensors[0].curve[1]: expected int, got '8'"
    assert complaint(sensors=probe('"curve": [7, -1]')).startswith("config.sensors[0].curve[1]: expected 0 to")
    assert complaint(sensors=probe('"channels": [1]')) == "config.sensors[0].channels[0]: expected str, got 1"
    assert complaint(sensors=probe('"max_step": [true]')) == "config.sensors[0].max_step[0]: expected int, got True"


def test_a_driver_with_an_address_needs_the_bus():
    def wired(driver):
        return (("address", int, 64, 64, 64),)

    try:
        parse('{"sensors": [{"driver": "sht4x"}]}', wired)
        raise AssertionError("expected an error")
    except ConfigError as error:
        assert str(error) == "config.i2c: expected sda and scl, which config.sensors[0] needs, got none"
    assert parse('{"sensors": [{"driver": "sht4x"}], "i2c": {"sda": 4, "scl": 5}}', wired)["i2c"]["sda"] == 4


def test_a_table_that_is_no_table():
    for text in ("[]", "3", "null"):
        try:
            parse(text, settings_of)
            raise AssertionError("expected an error")
        except ConfigError as error:
            assert str(error).startswith("config: expected a table")


GOOD = b'{"sensors": [{"driver": "probe", "pin": 1}]}'
OTHER = b'{"sensors": [{"driver": "probe", "pin": 2}]}'


def chosen(text, kept, trust_kept=False):
    """Return (pin, notes) of what is chosen, or the error."""
    notes = []
    try:
        table, _ = choose(text, kept, trust_kept, settings_of, notes)
    except ConfigError as error:
        return str(error)
    return table["sensors"][0]["pin"], notes


def test_the_file_goes_first():
    assert chosen(GOOD, OTHER) == (1, [])


def test_the_last_good_one_stands_in():
    pin, notes = chosen(b"{", OTHER)
    assert pin == 2
    assert "expected JSON" in notes[0] and notes[1] == "the last good configuration is used"
    assert chosen(None, OTHER) == (2, ["the last good configuration is used"])


def test_the_last_good_one_goes_first_after_failed_boots():
    assert chosen(GOOD, OTHER, True) == (2, ["the last good configuration is used"])
    assert chosen(GOOD, None, True) == (1, [])
    assert chosen(GOOD, GOOD, True) == (1, [])


def refused(call, *arguments):
    try:
        call(*arguments)
    except ConfigError as error:
        return str(error)
    raise AssertionError("expected an error")


def test_a_pin_has_one_use():
    assert complaint(', "i2c": {"sda": 4, "scl": 4}') == (
        "config.i2c.scl: expected a pin of its own, got 4, which is config.i2c.sda, too"
    )
    assert complaint(', "led": 26') == (
        "config.sensors[0].pin: expected a pin of its own, got 26, which is config.led, too"
    )
    assert complaint(sensors=SENSOR + ", " + SENSOR) == (
        "config.sensors[1].pin: expected a pin of its own, got 26, which is config.sensors[0].pin, too"
    )
    assert "config.actions[1].pin" in complaint(', "actions": [{"class": "dry", "pin": 2}, {"class": "wet", "pin": 2}]')


def test_a_switch_and_a_supply_may_be_shared():
    two = '{"driver": "probe", "pin": 26, "power_pin": 9}, {"driver": "probe", "pin": 27, "power_pin": %d}'
    assert config(sensors=two % 9)["sensors"][1]["power_pin"] == 9
    assert "config.sensors[1].power_pin" in complaint(sensors=two % 26)

    def supplied(driver):
        return SETTINGS + (("supply_pin", (int, str), 0, 63, ""),)

    text = '{"sensors": [{"driver": "probe", "pin": 26, "supply_pin": 28}, {"driver": "probe", "pin": %d%s}]}'
    assert parse(text % (28, ""), supplied)["sensors"][1]["pin"] == 28  # of a battery, which is the supply
    assert parse(text % (27, ', "supply_pin": 28'), supplied)["sensors"][1]["supply_pin"] == 28


def test_a_watchdog_has_to_leave_time_for_a_cycle():
    assert complaint(', "watchdog_ms": 1') == "config.watchdog_ms: expected 0 or at least 1000, got 1"
    assert config(', "watchdog_ms": 0')["watchdog_ms"] == 0
    assert config(', "watchdog_ms": 1000')["watchdog_ms"] == 1000


def test_what_a_board_has_not():
    whole = config(', "log": {"segment_bytes": 1024, "segments": 10}, "watchdog_ms": 8389')
    check_board(whole, 10240)
    check_board(whole, 10240, 8389)
    assert refused(check_board, whole, 10239) == (
        "config.log: expected segments that fit 10239 bytes of flash, got 10 of 1024"
    )
    assert refused(check_board, whole, 10240, 8388) == (
        "config.watchdog_ms: expected at most 8388, as the board's watchdog takes, got 8389"
    )


def test_classes_that_no_model_has():
    whole = config(', "actions": [{"class": "dry", "pin": 2}], "gate": {"skip": "skip"}')
    check_classes(whole, ["wet", "dry"], ["skip", "look"])
    check_classes(whole, None, None)
    assert refused(check_classes, whole, ["wet", "ok"], None) == (
        "config.actions[0].class: expected a class of the model (wet, ok), got dry"
    )
    assert refused(check_classes, whole, None, ["look"]) == (
        "config.gate.skip: expected a class of the model (look), got skip"
    )
    listens = config()
    listens["listen"]["skip"] = "hush"
    check_classes(listens, None, None, True, ["hush", "talk"])
    assert refused(check_classes, listens, ["hush"], None, True, ["talk"]) == (
        "config.listen.skip: expected a class of the model (talk), got hush"
    )


def test_an_action_has_a_class_or_the_flag():
    def action(cause):
        return ', "actions": [{%s"pin": 16}]' % cause

    entry = config(action('"flag": "novel", '))["actions"][0]
    assert (entry["class"], entry["flag"]) == ("", "novel")
    neither = 'config.actions[0].class: expected a class, or "flag": "novel" in its place, got '
    assert complaint(action("")) == neither + "neither"
    assert complaint(action('"class": "dry", "flag": "novel", ')) == neither + "both"
    assert complaint(action('"flag": "new", ')) == "config.actions[0].flag: expected novel, got 'new'"
    assert complaint(action('"clas": "dry", ')).startswith("config.actions[0].clas: expected one of class, flag")


def test_a_flag_that_the_model_never_raises():
    table = config(', "actions": [{"flag": "novel", "pin": 16}]')
    check_classes(table, ("usual",), None, True)
    check_classes(table, None, None)
    try:
        check_classes(table, ("usual",), None, False)
        raise AssertionError("expected an error")
    except ConfigError as error:
        assert str(error).startswith("config.actions[0].flag: expected a model that tells what is novel")


def test_whatever_is_wrong_is_told_in_few_words():
    deep = '{"sensors": ' + 3000 * "[" + 3000 * "]" + "}"
    pin, notes = chosen(deep.encode(), OTHER)
    assert pin == 2 and len(notes) == 2 and len(notes[0]) < 160
    assert complaint(', "node": [[1]]') == "config.node: expected str, got a list of 1"
    assert len(complaint(', "interval_s": "%s"' % ("x" * 500))) < 150


def test_none_at_all():
    assert chosen(None, None) == "expected config.json, got none"
    assert "expected JSON" in chosen(b"{", None)
