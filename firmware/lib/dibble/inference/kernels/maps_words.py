"""What the kernels of maps work on: a plan of words for each step, and places as bytes from the arena's beginning.

A step of weights is run in calls of whole blocks: of 8 units (full convolutions), of 32 channels (depthwise ones). A
block lies in the file as 4 bytes of bias for each unit, a byte of shift for each, then weights + 128: of a full
convolution for each input the units' one after the other, of a depthwise one each channel's own together.
"""

# Words of the plan of a step: where its input's and output's first bytes lie; how many units this call does; bytes
# of a row of the kernel (of a depthwise one and of a pool: its width); bytes from row to row, from the end of a row of
# outputs to the next one's inputs, and from one output's inputs to the next one's; the output's likewise.
X_AT, OUT_AT, UNITS, RUN, X_ROW, X_DOWN, X_STEP, OUT_STEP, OUT_WIDTH, OUT_DOWN, OUT_HEIGHT = range(11)
# The kernel's weights (a full one's for each unit); bytes from one pixel of the input to the next; rows of the kernel;
# 1 where outputs are scores of 16 bits, low byte first. Of a pool: what its sum is multiplied by (0: the largest
# counts), then bias and shift. Of a sum: where the second input lies, its words as X_DOWN and X_STEP, both multipliers.
WEIGHTS, X_PIXEL, KERNEL_ROWS, WIDE = range(11, 15)
MULTIPLIER, BIAS, SHIFT = range(15, 18)
B_AT, B_DOWN, B_STEP, B_MULTIPLIER = range(18, 22)
WORDS = 22
# Words of the plan of a border: where it begins, how many bytes come before the first row, between two, from one such
# gap's beginning to the next one's, how many gaps, bytes after the last row, the code.
AT, BEFORE, BETWEEN, ROW, GAPS, AFTER, CODE = range(7)
# Words of the plan of the frame: where it goes, bytes of a row, from the end of a row to the next, rows; where
# readings are 16 bits: 1, and what makes codes of them.
TO, ROW_BYTES, SKIP, ROWS, SCALED, ZERO, FACTOR, DOWN = range(8)
CONV_UNITS = 8  # of a block
DEPTHWISE_UNITS = 32
