"""An array's frame on the console, a line a row, each with a checksum: for `dibble collect --frames`, and to look at.

    =SENSOR,seq,row,ROWS,COLUMNS,UNIT,STEP,PIXELS*CCCCCCCC

seq is that of the decision the frame came with. PIXELS of a thermal array are 4 hexadecimal digits each, in two's
complement: what each pixel is above its background, in steps of so many of the unit. Of a camera's picture they are 2
digits each, the codes of grey, or 6, those of red, green and blue. CCCCCCCC is the CRC-32 of what is before the *.
"""

DIGITS = b"0123456789ABCDEF"


def write_frame(lines, sensor, sequence, array):
    """Write the last frame of a sensor's array.

    Args:
        lines: report.serial_line.SerialLines.
        array: the driver: it has heat, unit and step; of a camera image and codes.
    """
    if hasattr(array, "codes"):
        _write_picture(lines, sensor, sequence, array)
        return
    heat = array.heat
    columns = heat.columns
    for row in range(heat.rows):
        first = row * columns
        pixels = "".join(["%04X" % (heat.above[i] & 0xFFFF) for i in range(first, first + columns)])
        lines.line("=", (sensor, sequence, row, heat.rows, columns, array.unit, array.step, pixels))


def _write_picture(lines, sensor, sequence, camera):
    rows, columns, depth = camera.image
    codes = camera.codes
    digits = bytearray(2 * columns * depth)
    for row in range(rows):
        at = row * columns * depth
        for i in range(columns * depth):
            code = codes[at + i]
            digits[2 * i] = DIGITS[code >> 4]
            digits[2 * i + 1] = DIGITS[code & 15]
        told = (sensor, sequence, row, rows, columns, camera.unit, camera.step, str(digits, "utf-8"))
        lines.line("=", told)
