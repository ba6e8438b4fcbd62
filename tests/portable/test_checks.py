"""What a whole file may not say: each bound of models/FORMAT.md that a kernel relies on."""

from dibble import ModelError
from dibble.inference.crc32 import crc32
from dibble.inference.model import Model
from dibble.inference.parts import KNOWN

# Sampling interval, unsure_below, hysteresis; name; classes a and b; one channel x0 of 0..100.
HEAD = b"\x00\x00\x01\x01t\x02\x01a\x01b\x01\x02x0\x49\x00\x64"
WINDOW = b"\x01\x00\x01\x04"  # one feature: the mean of channel 0's last 4 readings
STUMP = b"\x00\x01\x01\x00\x00\x00\x32\x80\x81"  # x0 <= 50: a, else b
CURVE = b"\x03\x05\x01\x00" + b"\x00\x0a\x0a" + b"\x05" + b"\x00\x05\x0a\x14"  # no pair; bases; mean; 4 cells
PAIR = b"\x83\x05\x01\x00" + b"\x01\x00\x00\x11" + b"\x0a\x0a" + b"\x05" + b"\x00\x05\x0a\x14"
NETWORK = b"\x01\x7f\x00" + b"\x0a\x01" + b"\x00\x00\x00" + b"\x90"  # base, layers; form, shift, bias, weight
SPARSE = b"\x01\x7f\x00" + b"\x0a\x01" + b"\x02\x00\x00" + b"\x01\x00\x90"


def sealed(family, body, version=2):
    """Return a file of a family's tables, with neither features nor golden vectors unless `body` has them."""
    data = b"DIBL" + bytes([version, family])
    size = len(data) + len(body) + 8
    data += bytes([size & 255, size >> 8, 0, 0]) + body
    high, low = crc32(data, len(data))
    return data + bytes([low & 255, low >> 8, high & 255, high >> 8])


def told(family, tables, head=HEAD + b"\x00", golden=b"\x00"):
    """Return what is wrong with a model, "" where nothing is."""
    try:
        Model(sealed(family, head + tables + golden))
    except ModelError as error:
        prefix = "the model file contradicts itself: "
        assert error.args[0].startswith(prefix), error
        return error.args[0][len(prefix) :]
    return ""


def changed(tables, at, value):
    return tables[:at] + bytes([value]) + tables[at + 1 :]


def test_what_holds_passes():
    for family, tables in ((1, STUMP), (2, CURVE), (2, PAIR), (3, NETWORK), (3, SPARSE)):
        assert told(family, tables) == "", (family, tables)
        assert told(family, tables, HEAD + WINDOW) == "", (family, tables)
        assert told(family | 128, tables + b"\x05" + CURVE) == "", (family, tables)
        assert Model(sealed(family, b"\x00" + HEAD + b"\x00" + tables + b"\x00", 3)).parts == {}


def test_a_node_that_leads_to_itself():
    assert told(1, changed(STUMP, 7, 0)) == "later node of the page that a node leads to: expected none, got 0"
    assert told(1, changed(STUMP, 8, 0)) == "later node of the page that a node leads to: expected none, got 0"


def test_a_node_that_leads_back():
    two = b"\x00\x01\x01\x01\x00" + b"\x00\x00" + b"\x32\x20" + b"\x01\x80" + b"\x81\x81"
    assert told(1, two) == ""
    assert told(1, changed(two, 10, 0)) == "later node of the page that a node leads to: expected none, got 0"
    assert told(1, changed(two, 9, 2)) == "later node of the page that a node leads to: expected 1 to 1, got 2"


def test_pages_follow_in_order():
    # One tree of two pages, of one node each; the first has one follower.
    paged = b"\x00\x01\x02\x00\x00\x01\x00\x00" + b"\x00\x00" + b"\x32\x20" + b"\x82\x80" + b"\x81\x81"
    assert told(1, paged) == ""
    assert told(1, changed(paged, 12, 0x83)) == "later page that a node leads to: expected 1 to 1, got 2"
    assert told(1, changed(paged, 13, 0x82)) == "later page that a node leads to: expected none, got 2"
    none = b"\x00\x01\x01\x00\x00\x00\x32\x82\x81"  # no page follows at all
    assert told(1, none) != ""


def test_trees_features_and_codes():
    assert told(1, changed(STUMP, 1, 2)) == "trees: expected 0 to 1, got 2"
    assert told(1, changed(STUMP, 1, 0)) != ""
    assert told(1, changed(STUMP, 5, 1)) == "feature: expected 0 to 0, got 1"
    ranked = b"\x02\x01\x01\x00\x00" + b"\x0a\x32" + b"\x00\x01\x80\x81"  # thresholds 10 and 50
    assert told(1, ranked) == ""
    assert told(1, changed(ranked, 8, 2)) == "code: expected 0 to 1, got 2"
    assert told(1, changed(ranked, 5, 51)) == "threshold: expected 51 to 1073741823, got 50"


def test_a_wide_feature_without_thresholds_is_not_asked():
    wide = HEAD[:-1] + b"\xe8\x07\x00"  # 0..1000
    assert told(1, STUMP, wide) == "code: expected none, got 50"
    assert told(1, changed(STUMP, 8, 0x80), wide) == ""  # both sides are the same


def test_leaves_give_scores_of_16_bits():
    leaves = b"\x00\x01\x01\x00\x02\x00\x01\xff\xff\x00\x80\xfe\x03" + b"\x00\x32\x80\x81"
    assert told(1, leaves) == ""
    assert told(1, changed(leaves, 10, 0x81)) == "score: expected 0 to 65535, got 65536"
    assert told(1, leaves.replace(b"\x80\xfe\x03", b"\x80\x80\x04")) != ""  # a score of 65536
    assert told(1, changed(leaves, 6, 2)) == "a leaf of class 2"


def test_windows():
    assert told(1, STUMP, HEAD + b"\x01\x01\x01\x04") != ""  # channel 1 of 1
    assert told(1, STUMP, HEAD + b"\x01\x00\x08\x04") == "kind: expected 0 to 7, got 8"
    assert told(1, STUMP, HEAD + b"\x01\x00\x07\x04") == "a window above its baseline, without the part that says so"
    for kind in range(8):
        assert told(1, STUMP.replace(b"\x32\x80", b"\x00\x80"), HEAD + bytes([1, 0, kind, 0])) != "", kind
    longest = HEAD[:-1] + b"\xff\xff\xff\x03" + b"\x01\x00\x01\xff"  # 255 readings of up to 2**23 - 1
    assert told(2, CURVE, longest).startswith("sum: expected 0 to 1073741823")


def test_channels():
    assert (
        told(1, STUMP, HEAD[:-2] + b"\xff\xff\xff\xff\x07\x64\x00")
        == "low: expected -1073741822 to 1073741822, got -1073741824"
    )
    assert told(1, STUMP, HEAD[:-1] + b"\xff\xff\xff\xff\x07\x00").startswith("high: ")
    assert told(1, STUMP, HEAD[:-1] + b"\xff\xff\xff\xff\x08\x00") == "a number of more than 31 bits"
    assert told(1, STUMP, HEAD[:9] + b"\x00\x00") != ""  # none


def test_classes():
    none = b"\x00\x00\x01\x01t\x00\x01\x02x0\x49\x00\x64\x00"
    assert told(1, b"\x00\x01\x01\x00\x00\x00\x32\x80\x80", none) == "classes: expected 1 to 100, got 0"


def test_names_are_utf8():
    assert told(1, STUMP, HEAD.replace(b"x0", b"x\xee") + b"\x00") != ""
    assert told(1, STUMP, HEAD.replace(b"\x01a", b"\x01\xff") + b"\x00") != ""


def test_scalers():
    assert told(2, b"\x03\x05\x01\x80\x80\x02" + CURVE[4:]) == "zero point: expected 0 to 32767, got 32768"
    log = b"\x03\x25\x01\x00\x9b\xff\xff\xff\x03" + CURVE[4:]  # bias 2**30 - 101, and up to 100
    assert told(2, log) == ""
    assert told(2, changed(log, 4, 0x9C)) == "bias: expected 0 to 1073741823, got 1073741824"


def test_additive():
    assert (
        told(2, changed(CURVE, 6, 0xFF).replace(b"\xff\x05", b"\xff\xff\x03\x05"))
        == "score: expected 0 to 65535, got 65555"
    )
    assert told(2, changed(PAIR, 5, 1)) != ""  # code 1 of 1


def test_mlp():
    assert told(3, changed(NETWORK, 4, 0)) != ""  # no layer
    assert told(3, changed(NETWORK, 5, 4)) == "a layer of form 4"
    assert told(3, changed(NETWORK, 6, 31)) == "shift: expected 0 to 30, got 31"
    assert told(3, NETWORK[:3] + b"\x80\x80\x04" + NETWORK[4:]) != ""  # a score of 65536
    least = NETWORK[:7] + b"\xff\xff\xff\xff\x07" + NETWORK[8:]  # a bias of -2**30
    assert told(3, least).startswith("sum: expected -1073741823 to 1073741823, got -107377")
    most = NETWORK[:7] + b"\xfe\xff\xff\xff\x07" + NETWORK[8:]  # of 2**30 - 1, and a weight of 16
    assert told(3, most) == "sum: expected -1073741823 to 1073741823, got 1073745903"
    assert told(3, NETWORK[:7] + b"\xfe\xff\xff\xff\x07" + b"\x80") == ""
    hidden = NETWORK[:4] + b"\x02\x00\x00" + NETWORK[5:8]  # a first layer without units
    assert told(3, hidden) == "units: expected 1 to 255, got 0"
    assert told(3, changed(SPARSE, 9, 1)) == "a weight for input 1 of 1"
    twice = SPARSE[:8] + b"\x02\x00\x00\x90\x90"
    assert told(3, twice) == "input: expected 1 to 255, got 0"


def test_golden_vectors_and_interval():
    assert told(1, STUMP, golden=b"\x01\x66\x00\x01\x00") == ""
    assert told(1, STUMP, golden=b"\x01\x80\x80\x80\x80\x04\x00\x01\x00") == ""  # a reading of 2**30 - 1
    assert told(1, STUMP, golden=b"\x01\x81\x80\x80\x80\x04\x00\x01\x00") != ""
    assert told(1, STUMP, b"\xff\xff\xff\xff\x07" + HEAD[1:] + b"\x00").startswith("interval: ")


def test_an_optional_part_is_refused_by_its_name():
    body = b"\x01\x06stream\x03abc" + HEAD + b"\x00" + STUMP + b"\x00"
    try:
        Model(sealed(1, body, 3))
    except ModelError as error:
        assert error.args[0] == (
            "expected optional parts that this firmware knows (%s), got part 'stream': update the firmware"
            % ", ".join([str(known, "utf-8") for known in KNOWN])
        ), error
        return
    raise AssertionError("loaded")


def test_optional_parts_stay_within_the_file():
    assert told_of_3(b"\x01\x08str") == "8 bytes at 12 of 19"
    assert told_of_3(b"\xff\xff\xff\xff\x0f") == "a number of more than 31 bits"


def told_of_3(body):
    try:
        Model(sealed(1, body, 3))
    except ModelError as error:
        return error.args[0][len("the model file contradicts itself: ") :]
    return ""
