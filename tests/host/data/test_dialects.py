"""Files as loggers and exports write them: read as they are, or an error that says what it is."""

import numpy as np
import pytest
from dibble_tools.common.errors import InputError
from dibble_tools.data.datasets import CsvOptions
from dibble_tools.data.roles import roles_of
from dibble_tools.data.times import TimeOptions
from helpers import numbers

MARCH_MS = 1_677_628_800_000  # 2023-03-01 00:00
MINUTES = [MARCH_MS, MARCH_MS + 600_000, MARCH_MS + 1_200_000]

TOA5 = """"TOA5","CR1000","CR1000","1234","CR1000.Std.31","CPU:soil.CR1","1234","Table1"
"TIMESTAMP","RECORD","VW_Avg","AirTC"
"TS","RN","m^3/m^3","Deg C"
"","","Avg","Smp"
"2023-03-01 00:00:00",0,0.231,11.6
"2023-03-01 00:10:00",1,"NAN",12.1
"2023-03-01 00:20:00",2,0.229,12.4
"""
HOBO = """"Plot Title: north bed"
"#","Date Time, GMT-05:00","Temp, °C (LGR S/N: 10, SEN S/N: 10)","RH, % (LGR S/N: 10)","Host Connected (LGR S/N: 10)"
1,02/28/23 07:00:00 PM,11.6,55.1,
2,02/28/23 07:10:00 PM,12.1,55.0,
3,02/28/23 07:20:00 PM,12.4,54.2,Logged
"""
ZENTRA = """z6-04321,Port1,Port1,Port2
3 Records,TEROS 12,TEROS 12,ATMOS 14
Timestamps, m³/m³ Water Content, °C Soil Temperature, °C Air Temperature
2023-03-01 00:00,0.231,9.5,11.6
2023-03-01 00:10,0.230,9.6,12.1
2023-03-01 00:20,0.229,9.6,12.4
"""
HOME_ASSISTANT = """entity_id,state,last_changed
sensor.soil,503,2023-03-01T00:00:00.000Z
sensor.temp,11.6,2023-03-01T00:00:01.000Z
sensor.soil,518,2023-03-01T00:10:00.000Z
sensor.temp,unavailable,2023-03-01T00:10:01.000Z
sensor.soil,523,2023-03-01T00:20:00.000Z
sensor.temp,12.4,2023-03-01T00:20:01.000Z
"""
INFLUX = """#group,false,false,true,true,false,false,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string
#default,_result,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement
,,0,2023-03-01T00:00:00Z,2023-03-02T00:00:00Z,2023-03-01T00:00:00Z,503,soil,bed
,,0,2023-03-01T00:00:00Z,2023-03-02T00:00:00Z,2023-03-01T00:10:00Z,518,soil,bed

,result,table,_start,_stop,_time,_value,_field,_measurement
,,1,2023-03-01T00:00:00Z,2023-03-02T00:00:00Z,2023-03-01T00:00:00Z,11.6,temp,bed
,,1,2023-03-01T00:00:00Z,2023-03-02T00:00:00Z,2023-03-01T00:10:00Z,12.1,temp,bed
"""


TOACI1 = """"TOACI1","CR10X","soil"
"TMSTAMP","RECNBR","AirTC","VW"
"2023-03-01 00:00:00",7,11.6,0.231
"2023-03-01 00:10:00",8,12.1,0.230
"2023-03-01 00:20:00",9,12.4,0.229
"""
TOMST = """0;2023.03.01 00:00;4;11.5625;10.25;9.5;1480;202;0;
1;2023.03.01 00:10;4;11.625;10.25;9.5;1482;202;0;
2;2023.03.01 00:20;4;11.75;10.3125;9.5;1481;202;0;
"""
DAVIS = (
    " \t \tTemp\tHi\tOut\tWind\tWind\nDate\tTime\tOut\tTemp\tHum\tSpeed\tDir\n"
    "31/12/22\t11:50p\t11.6\t11.8\t80\t1.0\tN\n1/01/23\t12:00a\t12.1\t12.2\t79\t---\t---\n"
    "1/01/23\t12:10a\t12.4\t12.6\t78\t2.0\tSW\n"
)
HOBO_CONNECT = """"#","Date-Time (CET)","Temperature , °C","RH , %","Host Connected","End of File"
1,"02/28/2023 23:50:00",11.6,55.1,,
2,"03/01/2023 00:00:00",12.1,55.0,Logged,
3,"03/01/2023 00:10:00",12.4,54.2,,Logged
"""
IBUTTON = """1-Wire/iButton Part Number: DS1922L-F5
Is Mission Active?  true
Sample Rate:  Every 600 second(s)

Date/Time,Unit,Value
28/02/23 11:50:00 PM,C,11.5625
01/03/23 12:00:00 AM,C,11.625
01/03/23 12:10:00 AM,C,11.75
"""
NETATMO = """Weather Station;"13.4";"52.5";"Garden";"Outdoor module"

Timestamp;"Timezone : Europe/Berlin";Temperature;Humidity
1677628800;"2023/03/01 01:00:00";11.6;55
1677629400;"2023/03/01 01:10:00";12.1;55
1677630000;"2023/03/01 01:20:00";12.4;54
"""
WEATHER_SERVICE = """STATIONS_ID;MESS_DATUM;  QN;TT_10;TM5_10;eor
        433;202303010000;    3;  11.6;   9.5;eor
        433;202303010010;    3;  12.1;   -999;eor
        433;202303010020;    3;  12.4;   9.7;eor
        433;202303010030;    3;  12.2;   9.8;eor
"""
INFLUX_1 = """name,time,air,soil
bed,1677628800000000000,11.6,503
bed,1677629400000000000,12.1,518
bed,1677630000000000000,12.4,523
"""
LORAWAN = """time,device_id,temperature,moisture
2023-03-01T00:00:00.123456789Z,bed-1,11.6,503
2023-03-01T00:10:00.123456790Z,bed-1,12.1,518
2023-03-01T00:20:00.123456791Z,bed-1,12.4,523
"""
ELITECH = """Device Model:,RC-4HC
Serial Number:,EF7204500123

No.,Time,Temperature°C,Humidity%RH
1,2023-03-01 00:00:00,11.6,80.2
2,2023-03-01 00:10:00,12.1,79.2
3,2023-03-01 00:20:00,12.4,79.0
"""


@pytest.mark.parametrize(
    ("content", "time", "columns", "first", "begins"),
    [
        (TOACI1, "TMSTAMP", ["AirTC", "VW"], [11.6, 0.231], MARCH_MS),
        (TOMST, "time", ["T1", "T2", "T3", "moisture"], [11.5625, 10.25, 9.5, 1480], MARCH_MS),
        (DAVIS, "Date", ["Temp Out", "Hi Temp", "Out Hum", "Wind Speed"], [11.6, 11.8, 80, 1], 1_672_530_600_000),
        (HOBO_CONNECT, "Date-Time", ["Temperature", "RH"], [11.6, 55.1], MARCH_MS - 600_000),
        (IBUTTON, "Date/Time", ["Value"], [11.5625], MARCH_MS - 600_000),
        (NETATMO, "Timestamp", ["Temperature", "Humidity"], [11.6, 55], MARCH_MS),
        (WEATHER_SERVICE, "MESS_DATUM", ["STATIONS_ID", "QN", "TT_10", "TM5_10"], [433, 3, 11.6, 9.5], MARCH_MS),
        (INFLUX_1, "time", ["air", "soil"], [11.6, 503], MARCH_MS),
        (LORAWAN, "time", ["temperature", "moisture"], [11.6, 503], MARCH_MS + 123),
        (ELITECH, "Time", ["No.", "Temperature°C", "Humidity%RH"], [1, 11.6, 80.2], MARCH_MS),
    ],
    ids=["toaci1", "tomst", "davis", "hoboconnect", "ibutton", "netatmo", "dwd", "influx1", "lorawan", "elitech"],
)
def test_a_loggers_file_trains_as_it_is(tmp_path, read, content, time, columns, first, begins):
    """Its column of times is found, what is no reading is left out, and rows keep their lines."""
    (tmp_path / "as_it_is.csv").write_text(content, encoding="utf-8")
    roles = roles_of([tmp_path / "as_it_is.csv"], None, None, None, [], labelled=False)
    assert roles.time == time
    ds = read(content, time=time, ignore=roles.ignore)
    assert (ds.columns, ds.values[0].tolist()) == (columns, first)
    assert (ds.times_ms[0], set(np.diff(ds.times_ms))) == (begins, {600_000})
    lines = content.splitlines()
    assert lines[ds.lines[0] - 1] == lines[-len(ds.values)] and len(ds.values) in (3, 4)


def test_a_row_of_a_logger_without_a_header_keeps_its_line(read):
    with pytest.raises(InputError, match=r"line 2, column 'T1': expected a number, got 'x'"):
        read(TOMST.replace("11.625", "x"), time="time")


def test_campbell_names_and_units_are_taken_from_its_header(read):
    ds = read(TOA5, time="TIMESTAMP")
    assert (ds.columns, ds.units) == (["VW_Avg", "AirTC"], {"VW_Avg": "m^3/m^3", "AirTC": "Deg C"})
    assert (numbers(ds), ds.times_ms.tolist()) == ([[0.231, 11.6], [None, 12.1], [0.229, 12.4]], MINUTES)
    assert ds.lines.tolist() == [5, 6, 7]


def test_hobo_times_are_of_its_zone_and_its_marks_left_out(read):
    ds = read(HOBO, time="Date Time")
    assert (ds.columns, ds.units) == (["Temp", "RH"], {"Temp": "°C", "RH": "%"})
    assert ds.times_ms.tolist() == MINUTES
    assert "its times are read as UTC-5 h" in ds.notes[0]


def test_zentra_columns_are_named_with_their_port(read):
    ds = read(ZENTRA, time="Timestamps")
    assert ds.columns == ["Water Content Port1", "Soil Temperature Port1", "Air Temperature Port2"]
    assert ds.units == dict(zip(ds.columns, ["m³/m³", "°C", "°C"], strict=True))
    assert ds.times_ms.tolist() == MINUTES


def test_home_assistant_entities_become_columns_whose_state_holds(read):
    ds = read(HOME_ASSISTANT, time="last_changed")
    assert (ds.columns, numbers(ds)) == (["soil", "temp"], [[503, 11.6], [518, None], [523, 12.4]])
    assert np.diff(ds.times_ms).tolist() == [600_000, 600_000]


def test_influx_fields_become_columns(read):
    ds = read(INFLUX, time="_time")
    assert (ds.columns, numbers(ds), ds.times_ms.tolist()) == (
        ["soil", "temp"],
        [[503, 11.6], [518, 12.1]],
        MINUTES[:2],
    )


@pytest.mark.parametrize(
    ("content", "roles"),
    [
        ("when,soil\n2023-03-01 00:00:00 UTC,1\n2023-03-01 00:10:00 UTC,2\n2023-03-01 00:20:00 UTC,3\n", "when"),
        ("when,soil\n01.03.2023 00:00,1\n01.03.2023 00:10,2\n01.03.2023 00:20,3\n", "when"),
        ("when,soil\n1.3.23 0:00,1\n1.3.23 0:10,2\n1.3.23 0:20,3\n", "when"),
        ("when,soil\n3/1/2023 12:00 AM,1\n3/1/2023 12:10 AM,2\n3/1/2023 12:20 AM,3\n", "when"),
        ("Date,Time,soil\n01/03/2023,00:00:00,1\n01/03/2023,00:10:00,2\n01/03/2023,00:20:00,3\n", "Date+Time"),
        ("Date,Time,soil\n2023-03-01,00:00:00,1\n2023-03-01,00:10:00,2\n2023-03-01,00:20:00,3\n", "Date"),
        ("sep=;\nwhen;soil\n2023-03-01T00:00Z;1\n2023-03-01T00:10Z;2\n2023-03-01T01:20+01:00;3\n", "when"),
        ("when,soil\n44986,1\n44986.00694,2\n44986.01389,3\n", "when"),
    ],
)
def test_times_are_read_as_people_and_programs_write_them(read, content, roles):
    if "AM" in content or "01/03" in content:
        content += (
            content.splitlines()[-1].replace("3/1/", "3/13/").replace("01/03", "13/03").replace("3\n", "4\n") + "\n"
        )
    ds = read(content, time=roles)
    assert ds.times_ms.tolist()[:3] == MINUTES
    assert ds.columns == ["soil"]


def test_a_date_of_which_the_day_cannot_be_told_asks_for_a_format(read):
    content = "when,soil\n01/02/2023 00:00,1\n01/02/2023 00:10,2\n"
    with pytest.raises(
        InputError, match=r"column 'when': expected dates of .* got '01/02/2023 00:00': .*--time-format"
    ):
        read(content, time="when")
    options = CsvOptions(TimeOptions(format="%d/%m/%Y %H:%M"))
    assert read(content, time="when", options=options).times_ms[0] == 1_675_209_600_000  # 1 February


def test_autumns_double_hour_is_named_and_a_zone_resolves_it(read):
    hours = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    content = "when,soil\n" + "".join(f"2023-10-29 {hour},{i}\n" for i, hour in enumerate(hours))
    with pytest.raises(InputError, match=r"line 5, .*autumn's double hour.*--time-zone Europe/Berlin"):
        read(content, time="when")
    ds = read(content, time="when", options=CsvOptions(TimeOptions(zone="Europe/Berlin")))
    assert np.diff(ds.times_ms).tolist() == [1_800_000] * 5
    with pytest.raises(InputError, match="--time-zone: expected a name such as Europe/Berlin, got 'Mars/Olympus'"):
        read(content, time="when", options=CsvOptions(TimeOptions(zone="Mars/Olympus")))


def test_a_clock_that_lost_its_time_is_named(read):
    with pytest.raises(InputError, match=r"line 3, .*a clock that nobody set after a power-on"):
        read("when,soil\n2023-03-01 10:00,1\n2000-01-01 00:00,2\n", time="when")
    with pytest.raises(InputError, match=r"line 3, .*the clock fell back by 2 days: sort the rows"):
        read("when,soil\n2023-03-05 10:00,1\n2023-03-03 10:00,2\n", time="when")


def test_milliseconds_since_power_on_are_told(read):
    ds = read("ms,soil\n5023,1\n605023,2\n1205023,3\n", time="ms")
    assert ds.times_ms.tolist() == [5023, 605023, 1205023]
    assert ds.notes == ["column 'ms' is read as milliseconds: steps of 600000 s would be no node's"]


def rows(first: str, more: str = "", count: int = 40) -> str:
    return f"soil,temp,state\n{first}\n{more}" + "".join(f"{500 + i},{10 + i / 10},ok\n" for i in range(count))


@pytest.mark.parametrize("mark", ["-127", "-999", "-9999.0", "9999", "65535"])
def test_a_loggers_mark_for_no_reading_is_missing_and_told(read, mark):
    ds = read(rows(f"500,{mark},ok"), label="state")
    assert np.isnan(ds.values[0, 1]) and not np.isnan(ds.values[1:]).any()
    assert ds.notes[0].startswith(
        f"column 'temp': {float(mark):g} in 1 rows, far from all others, is taken as no reading"
    )
    assert read(rows(f"500,{mark},ok"), label="state", options=CsvOptions(na=["none"])).values[0, 1] == float(mark)


def test_na_names_more_cells_without_a_reading(read):
    ds = read(rows("500,-5,ok", "501,bad,ok\n"), label="state", options=CsvOptions(na=["-5", "bad"]))
    assert np.isnan(ds.values[:2, 1]).all() and not np.isnan(ds.values[2:]).any()


def test_a_value_of_the_column_is_no_mark(read):
    content = "temp,b\n" + "".join(f"{value},{i * i}\n" for i, value in enumerate([-99, -60, 10, 50] * 8))
    assert not np.isnan(read(content).values).any()


def test_points_for_thousands_beside_decimal_commas(read):
    ds = read("light;temp;state\n2.166;18,7;a\n496;23,2;b\n12.345,5;18,8;b\n", label="state")
    assert numbers(ds) == [[2166, 18.7], [496, 23.2], [12345.5, 18.8]]
    assert "column 'light': 2.166 is read as 2166, its point for thousands" in ds.notes
    assert numbers(read("a;b;state\n0.166;18,7;a\n1.250;2,1;b\n", label="state")) == [[0.166, 18.7], [1.25, 2.1]]


def test_switches_traces_and_words_without_a_reading(read):
    ds = read("rain,pump,temp\nT,ON,unavailable\n0.4,off,12\n0,ON,unknown\n")
    assert numbers(ds) == [[0, 1, None], [0.4, 0, 12], [0, 1, None]]
    assert len(ds.notes) == 2


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("North bed 2023\n\nsoil,temp,state\n1,2,a\n3,4,b\n5,6,b\n", [4, 5, 6]),
        ("# written by a logger\n# v2\nsoil,temp,state\n1,2,a\n# pause\n3,4,b\n5,6,b\n", [4, 6, 7]),
        ("# written by a logger\n#soil,temp,state\n1,2,a\n3,4,b\n5,6,b\n", [3, 4, 5]),
        ("soil,temp,state\n%,°C,\n1,2,a\n3,4,b\n5,6,b\n", [3, 4, 5]),
    ],
)
def test_titles_comments_and_units_keep_the_lines_numbers(read, content, lines):
    ds = read(content, label="state")
    assert (ds.columns, numbers(ds), ds.lines.tolist()) == (["soil", "temp"], [[1, 2], [3, 4], [5, 6]], lines)


def test_a_row_of_units_gives_the_channels_their_units(read):
    assert read("soil,temp,state\n%,°C,\n1,2,a\n3,4,b\n5,6,b\n", label="state").units == {"soil": "%", "temp": "°C"}


def test_zeros_of_a_power_cut_are_left_out_with_their_line(read):
    ds = read(b"soil,temp\n" + b"1,2\n" * 8 + b"3,\0\0\0\0\0\n" + b"5,6\n" * 3)
    assert len(ds.values) == 11
    assert ds.notes[0] == "line 10: zeros in place of text, as a power cut leaves them: left out"


def test_chinese_text_is_read(read):
    ds = read("温度,湿度,状态\n1,2,干\n3,4,湿\n".encode("gbk"), label="状态")
    assert (ds.columns, ds.labels.tolist()) == (["温度", "湿度"], ["干", "湿"])
    assert ds.notes == ["line 1 isn't UTF-8: the file is read as Chinese text (GBK)"]


def test_a_column_that_counts_the_rows_is_left_out(read):
    content = "id,soil,state\n" + "".join(f"{7 + i},{i * i % 91},{'ab'[i > 15]}\n" for i in range(30))
    ds = read(content, label="state")
    assert (ds.columns, ds.notes) == (["soil"], ["column 'id' counts the rows: left out"])


def test_classes_that_differ_in_spelling_only_are_told(read):
    ds = read("a,state\n1,Hot\n2,hot\n3,cold\n4,NaN\n", label="state")
    assert "the classes 'Hot' (1 rows) and 'hot' (1 rows) differ in their spelling only: is it one class?" in ds.notes
    assert "'NaN' is taken as a class (1 rows): where it means no label, leave the cell empty" in ds.notes
