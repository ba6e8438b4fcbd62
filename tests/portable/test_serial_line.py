"""Lines on the console: exact texts, exact checksums."""

from dibble.inference.crc32 import crc32
from dibble.inference.decision import Decision
from dibble.inference.fixed_point import MISSING, READING_LIMIT
from dibble.report.serial_line import SerialLines


class Report:
    classes = ("ok", "irrigate")
    channels = [("soil_permille", "permille"), ("t", "centi_c")]

    def __init__(self, sequence=7, readings=(412, -55), battery_mv=3712):
        self.sequence = sequence
        self.time_s = 838282080
        self.decision = Decision(1)
        self.readings = readings
        self.battery_mv = battery_mv
        self.action = 2
        self.faults = 3


def written(reports, node="north", every=50):
    """Return the lines of some reports, less their ends."""
    out = []
    lines = SerialLines(out.append, node, Report.classes, Report.channels, every)
    for report in reports:
        lines.decision(report)
    assert [text[-1] for text in out] == ["\n"] * len(out)
    return [text[:-1] for text in out]


def event(kind, time_s, text):
    out = []
    SerialLines(out.append, "n", ("a",), ()).event(kind, time_s, text)
    return out[0]


def sum_of(text, before=b""):
    text = before + text.encode()
    return "%04X%04X" % crc32(text, len(text))


HEAD = "#dibble,2,north,seq,time_s,class,held,margin,flags,action,faults,battery_mv,soil_permille:permille,t:centi_c"


def test_first_line_names_the_fields():
    assert written([Report()])[0] == HEAD + "*" + sum_of(HEAD)


def test_decision_is_a_line_whose_checksum_goes_on_from_the_names():
    report = Report()
    report.decision.settle(1, 40, 0, -1)
    text = "7,838282080,irrigate,irrigate,40,0,2,3,3712,412,-55"
    assert written([report])[1] == text + "*" + sum_of(text, HEAD.encode())


def test_what_is_not_known_is_empty():
    report = Report(readings=(MISSING, MISSING), battery_mv=None)
    report.decision.settle(255, 0, 4, 0)
    assert written([report])[1].split("*")[0] == "7,838282080,,,0,4,2,3,,,"


def test_largest_and_smallest_readings():
    report = Report(readings=(READING_LIMIT, -READING_LIMIT))
    assert written([report])[1].split("*")[0] == "7,838282080,,,0,0,2,3,3712,1073741823,-1073741823"
    assert written([Report(readings=(0, -1))])[1].split("*")[0] == "7,838282080,,,0,0,2,3,3712,0,-1"


def test_names_come_again_after_every_so_many_decisions():
    lines = written([Report(sequence) for sequence in range(5)], every=2)
    assert [line[0] for line in lines] == ["#", "0", "1", "#", "2", "3", "#", "4"]


def test_odd_characters_never_end_a_field_or_a_line():
    assert written([Report()], "a,b*c#d!e%f g\n\r\0\x7fé")[0].split(",")[2] == (
        "a%2Cb%2Ac%23d%21e%25f%20g%0A%0D%00%7F%C3%A9"
    )


def test_event_has_kind_time_and_text():
    text = "!fault,123,expected%200x61"
    assert event("fault", 123, "expected 0x61") == text + "*" + sum_of(text) + "\n"
    assert event("boot", 0, "").split("*")[0] == "!boot,0,"


def test_long_text_is_cut():
    assert event("fault", 1, "x" * 500).split("*")[0] == "!fault,1," + "x" * 160
