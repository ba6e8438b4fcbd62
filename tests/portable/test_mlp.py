"""The mlp family as a whole: layers of every form one after the other."""

from array import array

from dibble.inference.format import Cursor
from dibble.inference.kernels.choice import KIND
from dibble.inference.mlp import CODEBOOK4, DENSE8, DENSE16, SPARSE8, build, mlp
from support import heap_lock, heap_unlock, in_file

# 3 inputs, 3 units, 2 classes beside the first.
HIDDEN = [[127, -127, 5], [0, 64, 0], [-3, 0, -90]]
LAST = [[5, -64, 127], [0, 127, -3]]
BOOK = [-127, -90, -64, -3, 0, 5, 64, 127]


def plain(feature):
    """Return the scaler whose codes are the feature's values, up to 255."""
    return feature, 0, 0, 0, 1, 0, 255


def rows_of(form, weights):
    if form == DENSE8:
        return [bytes([w + 128 for w in row]) for row in weights]
    if form == DENSE16:
        return [b"".join([bytes([w & 255, w + 32768 >> 8]) for w in row]) for row in weights]
    if form == SPARSE8:
        return [(bytes([i for i in range(3) if row[i]]), bytes([w + 128 for w in row if w])) for row in weights]
    places = [[BOOK.index(w) for w in row] + [0] for row in weights]
    return [bytes([row[0] << 4 | row[1], row[2] << 4 | row[3]]) for row in places]


def placed(forms_and_rows, book):
    """Return (file, book, rows of each layer), all within the file, rows of 16 bits at even places."""
    flat = [book]
    for form, rows in forms_and_rows:
        flat.append(bytes(sum([len(part) for part in flat]) & 1 if form == DENSE16 else 0))
        for row in rows:
            flat += [bytes([len(row[0])]), row[0], row[1]] if form == SPARSE8 else [row]
    file, parts = in_file(flat)
    parts = parts[::-1]
    book = parts.pop()
    found = []
    for form, rows in forms_and_rows:
        parts.pop()
        own = [_row(parts, form) for _ in rows]
        found.append([array("H", bytes(row)) for row in own] if form == DENSE16 and KIND == "bytecode" else own)
    return file, book, found


def _row(parts, form):
    if form == SPARSE8:
        parts.pop()  # how many weights follow
        return parts.pop(), parts.pop()
    return parts.pop()


def made(file, scalers, base, layers):
    inputs = len(scalers)
    return mlp(file, (scalers, base, layers), array("i", [0] * inputs), [255] * inputs)


def network(first, second):
    file, book, rows = placed(
        [(first, rows_of(first, HIDDEN)), (second, rows_of(second, LAST))], bytes([w + 128 for w in BOOK + [0] * 8])
    )
    extra = (128, 32768, 0, book)
    layers = [
        (first, (rows[0], array("i", [64, -1000, 25000]), bytes([7, 5, 7]), extra[first])),
        (second, (rows[1], array("i", [40000, 8]), bytes([4, 4]), extra[second])),
    ]
    return made(file, [plain(i) for i in range(3)], 777, layers)


def scores_of(model, values):
    score, scores = model
    row = array("i", values)
    heap_lock()
    try:
        score(row)
    finally:
        heap_unlock()
    return list(scores)


def test_all_pairs_of_forms_agree():
    for first in (DENSE8, DENSE16, SPARSE8, CODEBOOK4):
        for second in (DENSE8, DENSE16, SPARSE8, CODEBOOK4):
            model = network(first, second)
            # Hidden 0, 0, 195: (40000 + 195 * 127) >> 4, and below 0 clamped.
            assert scores_of(model, [0, 0, 0]) == [777, 4047, 0], (first, second)
            # Hidden 198, 0, 189: (40000 + 990 + 24003) >> 4.
            assert scores_of(model, [200, 0, 1]) == [777, 4062, 0], (first, second)
            # Hidden 0, 255 (of 478), 15: (40000 - 16320 + 1905) >> 4 and (8 + 32385 - 45) >> 4.
            assert scores_of(model, [1, 255, 255]) == [777, 1599, 2021], (first, second)


def test_codes_do_not_outlive_a_row():
    model = network(CODEBOOK4, CODEBOOK4)
    before = scores_of(model, [3, 99, 255])
    scores_of(model, [255, 255, 255])
    assert scores_of(model, [3, 99, 255]) == before


def test_single_layer_is_a_linear_model():
    file, _, rows = placed([(DENSE8, [bytes([129, 127]), bytes([255, 128])])], b"")
    layers = [(DENSE8, (rows[0], array("i", [10, 0]), bytes([0, 1]), 128))]
    model = made(file, [plain(0), plain(1)], 0, layers)
    assert scores_of(model, [7, 9]) == [0, 8, 444]
    assert scores_of(model, [7, 99]) == [0, 0, 444]


def scaler():
    return bytes([0, 1, 0])  # shift, multiplier, zero point


def test_network_is_read_from_a_file():
    blob = scaler() * 3 + bytes([5, 2])  # class 0's score, layers
    blob += bytes([2, CODEBOOK4, 0, 1, 4, 1])  # units, form, shifts, biases 2 and -1
    blob += bytes([128, 129, 130, 127] + [128] * 12)  # the book: 0, 1, 2, -1
    blob += bytes([0x12, 0x30, 0x01, 0x10])  # weights 1, 2, -1 and 0, 1, 1
    blob += bytes([SPARSE8, 0, 6, 0, 1, 1, 130, 0])  # form, shift, biases 3 and 0; 2 * unit 1; nothing
    cursor = Cursor(blob, 0)
    model = build(cursor, array("i", [0] * 3), [255] * 3, 3)
    assert cursor.at == len(blob)
    # Hidden 10 + 40 - 30 + 2 = 22, (20 + 30 - 1) >> 1 = 24.
    assert scores_of(model, [10, 20, 30]) == [5, 51, 0]


def test_wide_weights_are_aligned_in_a_file():
    for pad in (0, 1):
        blob = bytes(pad) + scaler() + bytes([0, 1, DENSE16, 0, 0])
        blob += bytes(len(blob) & 1) + bytes([0x02, 0x80])
        cursor = Cursor(blob, pad)
        model = build(cursor, array("i", [0]), [255], 2)
        assert cursor.at == len(blob)
        assert scores_of(model, [21]) == [0, 42]


def told(blob, classes=2):
    try:
        build(Cursor(blob, 0), array("i", [0]), [255], classes)
    except ValueError as error:
        return error.args[0]
    return "nothing raised"


def test_unknown_form_is_told():
    assert told(scaler() + bytes([0, 1, 4, 0, 0])) == "a layer of form 4"


def test_weight_for_an_input_beyond_the_last_is_told():
    assert told(scaler() + bytes([0, 1, SPARSE8, 0, 0, 1, 1, 130])) == "a weight for input 1 of 1"
    assert told(scaler() + bytes([0, 1, SPARSE8, 0, 0, 1, 0, 130])) == "nothing raised"
