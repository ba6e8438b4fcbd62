"""An array's frame on the console, a line a row, each with a checksum: for `dibble collect --frames`, and to look at.

    =SENSOR,seq,row,ROWS,COLUMNS,UNIT,STEP,PIXELS*CCCCCCCC

seq is that of the decision the frame came with. PIXELS are 4 hexadecimal digits each, in two's complement: what each
pixel is above its background, in steps of so many of the unit. CCCCCCCC is the CRC-32 of what is before the *.
"""


def write_frame(lines, sensor, sequence, array):
    """Write the last frame of a sensor's array.

    Args:
        lines: report.serial_line.SerialLines.
        array: the driver: it has heat, unit and step.
    """
    heat = array.heat
    columns = heat.columns
    for row in range(heat.rows):
        first = row * columns
        pixels = "".join(["%04X" % (heat.above[i] & 0xFFFF) for i in range(first, first + columns)])
        lines.line("=", (sensor, sequence, row, heat.rows, columns, array.unit, array.step, pixels))
