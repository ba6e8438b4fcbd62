"""A board's header as a drawing in letters: labels with what each is good for."""

from dibble_tools.boards.schema import Board, Runtime

USB = "[USB]"
LEGEND = "* usable   a ADC   i input only   ! caution"


def sketch(board: Board, runtime: Runtime) -> list[str]:
    """Return the drawing's lines; the runtime's names stand inside, what a pin is for outside."""
    header = board.header
    rows = max(len(header.left), len(header.right))
    left = [_pin(board, runtime, label) for label in header.left] + [("", "", "")] * (rows - len(header.left))
    right = [_pin(board, runtime, label) for label in header.right] + [("", "", "")] * (rows - len(header.right))
    mark_width = max(len(mark) for mark, _, _ in left)
    label_width = max(len(label) for _, label, _ in left)
    values = [max((len(value) for _, _, value in side), default=0) for side in (left, right)]
    inside = max(sum(values) + 3, len(USB) + 2)
    pad = " " * (mark_width + label_width + 2)
    lines = [pad + "+" + (USB if header.usb == "top" else "").center(inside, "-") + "+"]
    for (mark, label, value), (other_mark, other, other_value) in zip(left, right, strict=True):
        middle = value.ljust(inside - len(other_value)) + other_value
        edge = "-" if label else " "
        other_edge = "-" if other else " "
        line = f"{mark:>{mark_width}} {label:>{label_width}}{edge}|{middle}|{other_edge}{other} {other_mark}"
        lines.append(line.rstrip())
    lines.append(pad + "+" + (USB if header.usb == "bottom" else "").center(inside, "-") + "+")
    return lines


def _pin(board: Board, runtime: Runtime, label: str) -> tuple[str, str, str]:
    """Return (marks, label, value for config.json) of one place on the header."""
    if label not in runtime.pins:
        return "", label, ""
    header, value = board.header, runtime.pins[label]
    marks = ["*"]
    if label in header.adc:
        marks.append("a")
    if label in header.input_only:
        marks.append("i")
    if label in header.caution:
        marks.append("!")
    for number, bus in enumerate((runtime.i2c, *runtime.more_i2c)):
        more = str(number + 1) if number else ""
        if label in (bus.sda, bus.scl):
            marks.append(f"{'SDA' if label == bus.sda else 'SCL'}{more}")
    if value == runtime.led:
        marks.append("LED")
    if runtime.battery and value == runtime.battery.pin:
        marks.append("BAT/")
    return " ".join(marks), label, str(value)
