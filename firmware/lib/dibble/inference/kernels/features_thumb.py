"""The kernel of windows in assembler, where MicroPython has one for Cortex-M: see features_plan.py, forest_thumb.py."""

import micropython
from micropython import const

_UNFILLED = const(0)
_RANGES_END = const(4)
_OFFSETS_AT = const(8)


@micropython.asm_thumb
def push(r0, r1):
    # r0 the plan, r7 the program, r12 the place of the oldest reading in a ring, in bytes; r1..r6 at hand.
    ldr(r6, [r0, _RANGES_END])
    add(r6, r6, r0)
    ldr(r5, [r0, _OFFSETS_AT])
    add(r5, r5, r0)
    add(r7, r0, 4)
    add(r7, 12)  # _RANGES_AT
    label(RANGE)
    data(2, 0xCF18, 0xC904)  # ldmia r7!, {r3, r4}; ldmia r1!, {r2}
    sub(r2, r2, r3)
    cmp(r4, r2)
    bcc(BEYOND)
    data(2, 0xC504)  # stmia r5!, {r2}
    cmp(r7, r6)
    bne(RANGE)
    b(STEP)
    label(BEYOND)
    mov(r0, 0)
    mvn(r0, r0)
    b(END)
    # The next step's number, doubled, leads over as many instructions.
    label(STEP)
    data(2, 0xCF02, 0x448F, 0x46C0)  # ldmia r7!, {r1}; add pc, r1; mov r8, r8
    b(LAST)
    b(EMA)
    b(PLACE)
    b(MEAN)
    b(SLOPE)
    b(STORE)
    b(ADVANCE)
    b(DELTA)
    b(LEAST)
    b(MOST)
    b(LOG)
    b(RATIO)
    b(MIDDLE)
    b(FILL)
    mov(r0, 0)
    b(END)
    label(LAST)
    data(2, 0xCF06, 0x5843, 0x5083)  # ldmia r7!, {r1, r2}; ldr r3, [r0, r1]; str r3, [r0, r2]
    b(STEP)
    label(EMA)
    data(2, 0xCF1E, 0x5841, 0x58C5)  # ldmia r7!, {r1, r2, r3, r4}; ldr r1, [r0, r1]; ldr r5, [r0, r3]
    add(r1, r1, r5)
    lsr(r5, r4)
    sub(r1, r1, r5)
    data(2, 0x50C1)  # str r1, [r0, r3]
    lsr(r1, r4)
    data(2, 0x5081)  # str r1, [r0, r2]
    b(STEP)
    label(PLACE)
    data(2, 0xCF02, 0x5841)  # ldmia r7!, {r1}; ldr r1, [r0, r1]
    lsl(r1, r1, 2)
    mov(r12, r1)
    b(STEP)
    # r1 the offset, r2 where the value goes, r3 the sum's place, r5 the reading that leaves.
    label(MEAN)
    data(2, 0xCF1E, 0x4464, 0x5905)  # ldmia r7!, {r1, r2, r3, r4}; add r4, r12; ldr r5, [r0, r4]
    data(2, 0x5841, 0x58C4)  # ldr r1, [r0, r1]; ldr r4, [r0, r3]
    add(r4, r4, r1)
    sub(r4, r4, r5)
    data(2, 0x50C4)  # str r4, [r0, r3]
    b(DIVIDE)
    label(SLOPE)
    data(2, 0xCF1E, 0x4464, 0x5905)  # ldmia r7!, {r1, r2, r3, r4}; add r4, r12; ldr r5, [r0, r4]
    data(2, 0x5841, 0x18C3)  # ldr r1, [r0, r1]; adds r3, r0, r3
    ldr(r4, [r3, 0])
    sub(r4, r4, r5)
    add(r6, r4, r1)
    str(r6, [r3, 0])
    ldr(r5, [r3, 4])
    sub(r5, r5, r4)
    data(2, 0xCF10)  # ldmia r7!, {r4}
    mul(r1, r4)
    add(r5, r5, r1)
    str(r5, [r3, 4])
    lsl(r5, r5, 1)
    mul(r6, r4)
    sub(r5, r5, r6)
    lsl(r4, r5, 1)
    add(r4, r4, r5)
    lsl(r4, r4, 1)
    # r4 over the divisor, halves up, in two factors of 16 bits each; below 0 what its complement is, complemented.
    label(DIVIDE)
    data(2, 0xCF68)  # ldmia r7!, {r3, r5, r6}
    add(r4, r4, r3)
    asr(r3, r4, 31)
    eor(r4, r3)
    mov(r14, r3)
    data(2, 0xB2A1)  # uxth r1, r4
    lsr(r4, r4, 16)
    data(2, 0xB2B3)  # uxth r3, r6
    lsr(r6, r6, 16)
    mov(r5, r1)
    mul(r5, r3)
    mul(r1, r6)
    mul(r3, r4)
    mul(r4, r6)
    lsr(r5, r5, 16)
    add(r1, r1, r5)
    data(2, 0xB28D)  # uxth r5, r1
    lsr(r1, r1, 16)
    add(r3, r3, r5)
    lsr(r3, r3, 16)
    add(r4, r4, r1)
    add(r4, r4, r3)
    data(2, 0xCF0A)  # ldmia r7!, {r1, r3}
    lsr(r4, r1)
    mov(r1, r14)
    eor(r4, r1)
    add(r4, r4, r3)
    data(2, 0x5084)  # str r4, [r0, r2]
    b(STEP)
    # r1 the reading, then its 11 highest bits without the first, f; r4 the logarithm; r5 one octave, then 1024 - f.
    label(LOG)
    data(2, 0xCF0E, 0x5841)  # ldmia r7!, {r1, r2, r3}; ldr r1, [r0, r1]
    add(r1, r1, r2)
    mov(r5, 1)
    lsl(r5, r5, 10)
    mov(r4, 10)
    lsl(r4, r4, 10)
    label(HALVE)
    lsr(r2, r1, 11)
    beq(DOUBLE)
    lsr(r1, r1, 1)
    add(r4, r4, r5)
    b(HALVE)
    label(DOUBLE)
    cmp(r1, r5)
    bge(BEND)
    lsl(r1, r1, 1)
    sub(r4, r4, r5)
    b(DOUBLE)
    label(BEND)
    sub(r1, r1, r5)
    add(r4, r4, r1)
    sub(r5, r5, r1)
    mul(r1, r5)
    mov(r5, 45)
    mul(r1, r5)
    lsr(r1, r1, 17)
    add(r4, r4, r1)
    data(2, 0x50C4)  # str r4, [r0, r3]
    b(STEP)
    label(RATIO)
    data(2, 0xCF3E, 0x5841, 0x5882)  # ldmia r7!, {r1, r2, r3, r4, r5}; ldr r1, [r0, r1]; ldr r2, [r0, r2]
    sub(r1, r1, r2)
    sub(r1, r1, r4)
    bpl(FLOORED)
    mov(r1, 0)
    label(FLOORED)
    cmp(r1, r5)
    ble(CEILED)
    mov(r1, r5)
    label(CEILED)
    data(2, 0x50C1)  # str r1, [r0, r3]
    b(STEP)
    # The sum of a list's logarithms, which ends at r3; r2 where their mean goes.
    label(MIDDLE)
    data(2, 0xCF0C)  # ldmia r7!, {r2, r3}
    add(r3, r3, r0)
    mov(r4, 0)
    label(NEXT)
    data(2, 0xCF02, 0x5841)  # ldmia r7!, {r1}; ldr r1, [r0, r1]
    add(r4, r4, r1)
    cmp(r7, r3)
    bne(NEXT)
    b(DIVIDE)
    # r14 the next step; r1 a channel's state; of a fill r4 the offset, then what it becomes, r5 where, r6 how often.
    label(FILL)
    data(2, 0xCF0E)  # ldmia r7!, {r1, r2, r3}
    add(r1, r1, r0)
    mov(r14, r1)
    ldr(r4, [r0, _UNFILLED])
    cmp(r4, 0)
    beq(FILLED)
    ldr(r4, [r0, _OFFSETS_AT])
    sub(r4, r2, r4)
    add(r4, r4, r0)
    mov(r12, r4)
    b(FILLS)
    label(FILL_ONE)
    data(2, 0xCF70, 0x4661, 0x5909, 0x5904)  # ldmia r7!, {r4, r5, r6}; mov r1, r12; ldr r1, [r1, r4]; ldr r4, [r0, r4]
    cmp(r1, 0)
    beq(FILLS)
    lsr(r1, r6, 8)
    mul(r4, r1)
    data(2, 0xB2F6)  # uxtb r6, r6
    add(r5, r5, r0)
    label(FILL_WORD)
    data(2, 0xC510)  # stmia r5!, {r4}
    sub(r6, 1)
    bne(FILL_WORD)
    label(FILLS)
    mov(r1, r14)
    cmp(r7, r1)
    bne(FILL_ONE)
    add(r2, r2, r0)
    add(r3, r3, r0)
    mov(r6, 0)
    label(EMPTY)  # its half
    ldr(r4, [r2, 0])
    lsr(r4, r4, 1)
    data(2, 0xC210)  # stmia r2!, {r4}
    orr(r6, r4)
    cmp(r2, r3)
    bne(EMPTY)
    str(r6, [r0, _UNFILLED])
    label(FILLED)
    mov(r7, r14)
    b(STEP)
    label(STORE)
    data(2, 0xCF06, 0x4462, 0x5841, 0x5081)  # ldmia r7!, {r1, r2}; add r2, r12; ldr r1, [r0, r1]; str r1, [r0, r2]
    b(STEP)
    label(ADVANCE)
    data(2, 0xCF06)  # ldmia r7!, {r1, r2}
    mov(r3, r12)
    lsr(r3, r3, 2)
    add(r3, 1)
    cmp(r3, r2)
    bne(ADVANCED)
    mov(r3, 0)
    label(ADVANCED)
    data(2, 0x5043)  # str r3, [r0, r1]
    lsl(r3, r3, 2)
    mov(r12, r3)
    b(STEP)
    label(DELTA)
    data(2, 0xCF0E, 0x4463, 0x58C3)  # ldmia r7!, {r1, r2, r3}; add r3, r12; ldr r3, [r0, r3]
    data(2, 0x5841, 0xCF10)  # ldr r1, [r0, r1]; ldmia r7!, {r4}
    sub(r1, r1, r3)
    add(r1, r1, r4)
    data(2, 0x5081)  # str r1, [r0, r2]
    b(STEP)
    label(LEAST)
    data(2, 0xCF0E, 0x1882, 0x18C3)  # ldmia r7!, {r1, r2, r3}; adds r2, r0, r2; adds r3, r0, r3
    ldr(r4, [r2, 0])
    label(LESS)
    data(2, 0xCA20)  # ldmia r2!, {r5}
    cmp(r5, r4)
    bge(NO_LESS)
    mov(r4, r5)
    label(NO_LESS)
    cmp(r2, r3)
    bne(LESS)
    data(2, 0x5044)  # str r4, [r0, r1]
    b(STEP)
    label(MOST)
    data(2, 0xCF0E, 0x1882, 0x18C3)  # ldmia r7!, {r1, r2, r3}; adds r2, r0, r2; adds r3, r0, r3
    ldr(r4, [r2, 0])
    label(MORE)
    data(2, 0xCA20)  # ldmia r2!, {r5}
    cmp(r5, r4)
    ble(NO_MORE)
    mov(r4, r5)
    label(NO_MORE)
    cmp(r2, r3)
    bne(MORE)
    data(2, 0x5044)  # str r4, [r0, r1]
    b(STEP)
    label(END)
