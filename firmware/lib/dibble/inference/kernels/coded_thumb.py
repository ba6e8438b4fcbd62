"""The kernel of codes in assembler, where MicroPython has one for Cortex-M: see coded_plan.py, thumb_probe.py."""

import micropython
from micropython import const

# Words of the plan, in bytes, as in plan.py and coded_plan.py; the first is the file's address.
_UNSURE_BELOW = const(8)
_STEADY = const(12)
_FLAGS = const(16)
_LAYERS = const(20)
_INPUTS_END = const(24)
_CODES_AT = const(28)
_SCORES_AT = const(32)
_SCORES_END = const(36)
_PARTS_AT = const(40)
_PARTS_END = const(44)
_LAST_ROW = const(48)
_INPUTS_AT = const(52)


@micropython.asm_thumb
def classify(r0, r1):
    # Each input becomes a code. r0 what the plan has of it, r12 the last one's end, r1 the inputs, r7 the codes,
    # r2 the input, r3..r6 at hand; r14 the plan.
    mov(r14, r0)
    str(r1, [r0, _LAST_ROW])
    ldr(r6, [r0, _INPUTS_END])
    ldr(r7, [r0, _CODES_AT])
    data(2, 0x4476, 0x4477)  # add r6, lr; add r7, lr
    mov(r12, r6)
    add(r0, _INPUTS_AT)
    b(INPUTS)
    label(BEYOND)
    mov(r0, 0)
    mvn(r0, r0)
    b(END)
    label(INPUT)
    data(2, 0xC904, 0xC878)  # ldmia r1!, {r2}; ldmia r0!, {r3, r4, r5, r6}
    sub(r2, r2, r3)
    cmp(r4, r2)
    bcc(BEYOND)
    cmp(r5, 0)
    bne(LOGARITHM)
    lsr(r2, r6)
    label(SCALE)
    data(2, 0xC878)  # ldmia r0!, {r3, r4, r5, r6}
    sub(r2, r2, r3)
    mul(r2, r4)
    asr(r2, r5)
    cmp(r2, r6)
    bls(CODE)
    asr(r2, r2, 31)
    bic(r6, r2)
    mov(r2, r6)
    label(CODE)
    data(2, 0xC704)  # stmia r7!, {r2}
    label(INPUTS)
    data(2, 0x4560)  # cmp r0, r12
    bne(INPUT)
    b(CODES)
    # As in scale.scale: r5 ends as the place of r2's highest bit, less 1, and r2 within 256..511.
    label(LOGARITHM)
    add(r2, r2, r5)
    mov(r5, 7)
    label(LARGE)
    lsr(r4, r2, 9)
    beq(SMALL)
    lsr(r2, r2, 1)
    add(r5, 1)
    b(LARGE)
    label(SMALL)
    lsr(r4, r2, 8)
    bne(LEVEL)
    lsl(r2, r2, 1)
    sub(r5, 1)
    b(SMALL)
    label(LEVEL)
    lsl(r5, r5, 8)
    add(r2, r2, r5)
    b(SCALE)
    # What follows the codes: r7 the terms or layers, r12 the end of the terms.
    label(CODES)
    mov(r0, r14)
    ldr(r6, [r0, _PARTS_END])
    ldr(r7, [r0, _PARTS_AT])
    data(2, 0x4476, 0x4477)  # add r6, lr; add r7, lr
    mov(r12, r6)
    ldr(r1, [r0, _LAYERS])
    cmp(r1, 0)
    bne(MLP)
    # Each class's score begins with its base.
    ldr(r1, [r0, _PARTS_END])
    ldr(r2, [r0, _SCORES_AT])
    ldr(r6, [r0, _SCORES_END])
    data(2, 0x4471, 0x4472, 0x4476)  # add r1, lr; add r2, lr; add r6, lr
    add(r3, r2, 4)
    label(BASE)
    data(2, 0xC910, 0xC210)  # ldmia r1!, {r4}; stmia r2!, {r4}
    cmp(r2, r6)
    bne(BASE)
    # On the stack: codes, the second score, the file. r1 a code and then its cell, r2 the cell's place, r3 cells of a
    # table, r4 the score, r5 a row's cells, r6 the scores' end.
    ldr(r1, [r0, _CODES_AT])
    add(r1, r1, r0)
    mov(r2, r3)
    ldr(r3, [r0, 0])
    push({r1, r2, r3})
    b(TERMS)
    label(TERM)
    data(2, 0xCF2E, 0x9C00, 0x5861)  # ldmia r7!, {r1, r2, r3, r5}; ldr r4, [sp, #0]; ldr r1, [r4, r1]
    cmp(r5, 0)
    bne(PAIR)
    label(CELLS)
    add(r2, r2, r1)
    data(2, 0x9C02)  # ldr r4, [sp, #8]
    add(r2, r2, r4)
    data(2, 0x9C01)  # ldr r4, [sp, #4]
    label(CELL)
    ldrb(r1, [r2, 0])
    ldr(r5, [r4, 0])
    add(r2, r2, r3)
    add(r5, r5, r1)
    data(2, 0xC420)  # stmia r4!, {r5}
    cmp(r4, r6)
    bne(CELL)
    label(TERMS)
    data(2, 0x4567)  # cmp r7, r12
    bne(TERM)
    pop({r1, r2, r3})
    b(SCORED)
    label(PAIR)
    data(2, 0xCF01)  # ldmia r7!, {r0}
    lsr(r1, r0)
    mul(r1, r5)
    data(2, 0xCF21, 0x5820)  # ldmia r7!, {r0, r5}; ldr r0, [r4, r0]
    lsr(r0, r5)
    add(r1, r1, r0)
    b(CELLS)
    # On the stack: what the weights' zero point adds to a sum, the layer's inputs, book, the inputs' end in fours and
    # at all, form, the most of a sum, where an output goes, the end of the units. r7 the unit.
    label(MLP)
    data(2, 0xCF78, 0x4475, 0x4476)  # ldmia r7!, {r3, r4, r5, r6}; add r5, lr; add r6, lr
    push({r3, r4, r5, r6})
    data(2, 0xCF64, 0x4472)  # ldmia r7!, {r2, r5, r6}; add r2, lr
    add(r5, r5, r2)
    add(r6, r6, r2)
    mov(r0, 0)
    mov(r3, r2)
    label(ADDEND)
    data(2, 0xCB10)  # ldmia r3!, {r4}
    add(r0, r0, r4)
    cmp(r3, r6)
    bcc(ADDEND)
    data(2, 0xCF1A)  # ldmia r7!, {r1, r3, r4}
    mul(r0, r1)
    mov(r1, r14)
    ldr(r1, [r1, 0])
    add(r4, r4, r1)
    add(r1, r1, r3)
    push({r0, r2, r4, r5, r6})
    b(UNITS)
    # A unit's sum: r0 it, r1 the weights, r2 the inputs, r6 the end of these, r3..r5 at hand.
    label(UNIT)
    data(2, 0xCF01, 0x9B00, 0x9A01, 0x9E03)  # ldmia r7!, {r0}; ldr r3, [sp, #0]; ldr r2, [sp, #4]; ldr r6, [sp, #12]
    sub(r0, r0, r3)
    data(2, 0x9B05)  # ldr r3, [sp, #20]
    cmp(r3, 0)
    beq(FOURS)
    b(OTHERS)
    label(FOUR)
    data(2, 0xCA18)  # ldmia r2!, {r3, r4}
    ldrb(r5, [r1, 0])
    mul(r3, r5)
    add(r0, r0, r3)
    ldrb(r5, [r1, 1])
    mul(r4, r5)
    add(r0, r0, r4)
    data(2, 0xCA18)  # ldmia r2!, {r3, r4}
    ldrb(r5, [r1, 2])
    mul(r3, r5)
    add(r0, r0, r3)
    ldrb(r5, [r1, 3])
    mul(r4, r5)
    add(r0, r0, r4)
    add(r1, 4)
    label(FOURS)
    cmp(r2, r6)
    bne(FOUR)
    data(2, 0x9E04)  # ldr r6, [sp, #16]
    b(ONES)
    label(ONE)
    data(2, 0xCA08)  # ldmia r2!, {r3}
    ldrb(r5, [r1, 0])
    mul(r3, r5)
    add(r0, r0, r3)
    add(r1, 1)
    label(ONES)
    cmp(r2, r6)
    bne(ONE)
    # An output: the sum, shifted and clamped.
    label(SUM)
    data(2, 0xCF08)  # ldmia r7!, {r3}
    asr(r0, r3)
    data(2, 0x9B06)  # ldr r3, [sp, #24]
    cmp(r0, r3)
    bls(OUT)
    asr(r0, r0, 31)
    bic(r3, r0)
    mov(r0, r3)
    label(OUT)
    data(2, 0x9A07, 0xC201, 0x9207)  # ldr r2, [sp, #28]; stmia r2!, {r0}; str r2, [sp, #28]
    label(UNITS)
    data(2, 0x9B08)  # ldr r3, [sp, #32]
    cmp(r7, r3)
    bne(UNIT)
    data(2, 0xB009, 0x4567)  # add sp, #36; cmp r7, r12
    bne(MLP)
    b(SCORED)
    label(OTHERS)
    data(2, 0x9E04)  # ldr r6, [sp, #16]
    cmp(r3, 2)
    beq(SPARSE)
    bhi(BOOK)
    label(HALF)
    cmp(r2, r6)
    beq(SUM)
    data(2, 0xCA08)  # ldmia r2!, {r3}
    ldrh(r5, [r1, 0])
    mul(r3, r5)
    add(r0, r0, r3)
    add(r1, 2)
    b(HALF)
    # r4 how many weights, after as many bytes that tell their inputs; r6 these bytes' end.
    label(SPARSE)
    ldrb(r4, [r1, 0])
    add(r1, 1)
    add(r6, r1, r4)
    b(WEIGHTS)
    label(WEIGHT)
    ldrb(r3, [r1, 0])
    lsl(r3, r3, 2)
    data(2, 0x58D3, 0x5D0D)  # ldr r3, [r2, r3]; ldrb r5, [r1, r4]
    sub(r5, 128)
    mul(r3, r5)
    add(r0, r0, r3)
    add(r1, 1)
    label(WEIGHTS)
    cmp(r1, r6)
    bne(WEIGHT)
    add(r1, r1, r4)
    b(SUM)
    # r3 two places in the book.
    label(BOOK)
    cmp(r2, r6)
    bcs(SUM)
    ldrb(r3, [r1, 0])
    add(r1, 1)
    data(2, 0x9C02)  # ldr r4, [sp, #8]
    lsr(r5, r3, 4)
    data(2, 0x5D65)  # ldrb r5, [r4, r5]
    lsl(r3, r3, 28)
    lsr(r3, r3, 28)
    data(2, 0x5CE3, 0xCA10)  # ldrb r3, [r4, r3]; ldmia r2!, {r4}
    mul(r5, r4)
    add(r0, r0, r5)
    data(2, 0xCA10)  # ldmia r2!, {r4}
    mul(r3, r4)
    add(r0, r0, r3)
    b(BOOK)
    # Winner and runner-up. r0 the next score, r1 and r2 the two, r3 a score, r4 where the winner's ends, r5 the end,
    # r6 the first.
    label(SCORED)
    mov(r0, r14)
    ldr(r5, [r0, _SCORES_END])
    ldr(r6, [r0, _SCORES_AT])
    data(2, 0x4475, 0x4476)  # add r5, lr; add r6, lr
    mov(r0, r6)
    mov(r1, 0)
    mvn(r1, r1)
    mov(r2, r1)
    label(SCORE)
    data(2, 0xC808)  # ldmia r0!, {r3}
    cmp(r3, r1)
    bgt(FIRST)
    cmp(r3, r2)
    ble(NEXT)
    mov(r2, r3)
    label(NEXT)
    cmp(r0, r5)
    bne(SCORE)
    sub(r0, r4, r6)
    sub(r0, 4)
    lsr(r0, r0, 2)
    mov(r6, r14)
    sub(r1, r1, r2)
    # The margin r1 and what goes with it, r0: unsure or not, steady or not.
    ldr(r2, [r6, _FLAGS])
    ldr(r3, [r6, _UNSURE_BELOW])
    cmp(r1, r3)
    bge(SURE)
    mov(r3, 1)
    orr(r2, r3)
    label(SURE)
    lsl(r2, r2, 25)
    orr(r0, r2)
    ldr(r3, [r6, _STEADY])
    cmp(r0, r3)
    beq(HELD)
    lsl(r1, r1, 8)
    orr(r0, r1)
    b(END)
    label(HELD)
    mvn(r0, r1)
    sub(r0, 1)
    b(END)
    label(FIRST)
    mov(r2, r1)
    mov(r1, r3)
    mov(r4, r0)
    b(NEXT)
    label(END)
