"""Pools, and the sum of two maps, in assembler: see maps_conv_thumb.py."""

import micropython
from micropython import const

# Words of the plan, in bytes, as in maps_words.py.
_X_AT = const(0)
_OUT_AT = const(4)
_UNITS = const(8)
_RUN = const(12)
_X_ROW = const(16)
_X_DOWN = const(20)
_X_STEP = const(24)
_OUT_STEP = const(28)
_OUT_WIDTH = const(32)
_OUT_DOWN = const(36)
_OUT_HEIGHT = const(40)
_X_PIXEL = const(48)
_KERNEL_ROWS = const(52)
_MULTIPLIER = const(60)
_BIAS = const(64)
_SHIFT = const(68)
_B_AT = const(72)
_B_DOWN = const(76)
_B_STEP = const(80)
_B_MULTIPLIER = const(84)


@micropython.asm_thumb
def pool(r0, r1, r2, r3):
    # Sum and maximum of a window, one channel after the other. On the stack, in words: 0 units left, 1 rows left,
    # 2 columns left, 3 the arena, 4 the plan, 5 the inputs, 6 the output.
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    data(2, 0xB087, 0x9004, 0x9103)  # sub sp, #28; str r0, [sp, #16]; str r1, [sp, #12]
    ldr(r2, [r0, _X_ROW])
    mov(r9, r2)
    ldr(r7, [r0, _X_PIXEL])
    ldr(r2, [r0, _UNITS])
    mov(r3, 0)
    mov(r11, r3)
    label(UNIT)
    data(2, 0x9200)  # str r2, [sp, #0]
    data(2, 0x9A03, 0x445A)  # ldr r2, [sp, #12]; add r2, r11
    ldr(r3, [r0, _X_AT])
    add(r3, r3, r2)
    data(2, 0x9305)  # str r3, [sp, #20]
    ldr(r3, [r0, _OUT_AT])
    add(r3, r3, r2)
    data(2, 0x9306)  # str r3, [sp, #24]
    ldr(r2, [r0, _OUT_HEIGHT])
    data(2, 0x9201)  # str r2, [sp, #4]
    label(ROW)
    ldr(r2, [r0, _OUT_WIDTH])
    data(2, 0x9202)  # str r2, [sp, #8]
    label(PIXEL)
    # r0 the code's place, r1 columns left, r2 the code, r3 the sum, r4 the largest, r5 the kernel's columns, r6 rows.
    ldr(r5, [r0, _RUN])
    ldr(r6, [r0, _KERNEL_ROWS])
    data(2, 0x9805)  # ldr r0, [sp, #20]
    mov(r3, 0)
    mov(r4, 0)
    label(KERNEL_ROW)
    mov(r8, r0)
    mov(r1, r5)
    label(CODE)
    ldrb(r2, [r0, 0])
    add(r3, r3, r2)
    cmp(r2, r4)
    bls(LESS)
    mov(r4, r2)
    label(LESS)
    add(r0, r0, r7)
    sub(r1, 1)
    bne(CODE)
    mov(r0, r8)
    data(2, 0x4448)  # add r0, r9
    sub(r6, 1)
    bne(KERNEL_ROW)
    data(2, 0x9804)  # ldr r0, [sp, #16]
    ldr(r2, [r0, _MULTIPLIER])
    cmp(r2, 0)
    beq(OUT)
    mul(r3, r2)
    ldr(r2, [r0, _BIAS])
    add(r3, r3, r2)
    ldr(r2, [r0, _SHIFT])
    asr(r3, r2)
    mov(r4, r3)
    cmp(r4, 255)
    bls(OUT)
    asr(r4, r4, 31)
    mvn(r4, r4)
    label(OUT)
    data(2, 0x9B06)  # ldr r3, [sp, #24]
    strb(r4, [r3, 0])
    ldr(r2, [r0, _OUT_STEP])
    add(r3, r3, r2)
    data(2, 0x9306, 0x9B05)  # str r3, [sp, #24]; ldr r3, [sp, #20]
    ldr(r2, [r0, _X_STEP])
    add(r3, r3, r2)
    data(2, 0x9305, 0x9A02)  # str r3, [sp, #20]; ldr r2, [sp, #8]
    sub(r2, 1)
    data(2, 0x9202)  # str r2, [sp, #8]
    bne(PIXEL)
    ldr(r2, [r0, _X_DOWN])
    add(r3, r3, r2)
    data(2, 0x9305, 0x9B06)  # str r3, [sp, #20]; ldr r3, [sp, #24]
    ldr(r2, [r0, _OUT_DOWN])
    add(r3, r3, r2)
    data(2, 0x9306, 0x9A01)  # str r3, [sp, #24]; ldr r2, [sp, #4]
    sub(r2, 1)
    data(2, 0x9201)  # str r2, [sp, #4]
    bne(ROW)
    mov(r3, r11)
    add(r3, 1)
    mov(r11, r3)
    data(2, 0x9A00)  # ldr r2, [sp, #0]
    sub(r2, 1)
    bne(UNIT)
    data(2, 0xB007)  # add sp, #28
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    mov(r0, 0)


@micropython.asm_thumb
def add(r0, r1, r2, r3):
    # r0 the plan, r1 a, r2 b, r3 the output, r4..r6 at hand, r7 units left, r8 rows left, r9 columns left.
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    mov(r4, r1)
    ldr(r1, [r0, _X_AT])
    add(r1, r1, r4)
    ldr(r2, [r0, _B_AT])
    add(r2, r2, r4)
    ldr(r3, [r0, _OUT_AT])
    add(r3, r3, r4)
    ldr(r4, [r0, _OUT_HEIGHT])
    mov(r8, r4)
    label(ROW)
    ldr(r4, [r0, _OUT_WIDTH])
    mov(r9, r4)
    label(PIXEL)
    ldr(r7, [r0, _UNITS])
    label(UNIT)
    sub(r7, 1)
    data(2, 0x5DCC)  # ldrb r4, [r1, r7]
    ldr(r5, [r0, _MULTIPLIER])
    mul(r4, r5)
    data(2, 0x5DD5)  # ldrb r5, [r2, r7]
    ldr(r6, [r0, _B_MULTIPLIER])
    mul(r5, r6)
    add(r4, r4, r5)
    ldr(r5, [r0, _BIAS])
    add(r4, r4, r5)
    ldr(r5, [r0, _SHIFT])
    asr(r4, r5)
    cmp(r4, 255)
    bls(OUT)
    asr(r4, r4, 31)
    mvn(r4, r4)
    label(OUT)
    data(2, 0x55DC)  # strb r4, [r3, r7]
    cmp(r7, 0)
    bne(UNIT)
    ldr(r4, [r0, _X_STEP])
    add(r1, r1, r4)
    ldr(r4, [r0, _B_STEP])
    add(r2, r2, r4)
    ldr(r4, [r0, _OUT_STEP])
    add(r3, r3, r4)
    mov(r4, r9)
    sub(r4, 1)
    mov(r9, r4)
    cmp(r4, 0)
    bne(PIXEL)
    ldr(r4, [r0, _X_DOWN])
    add(r1, r1, r4)
    ldr(r4, [r0, _B_DOWN])
    add(r2, r2, r4)
    ldr(r4, [r0, _OUT_DOWN])
    add(r3, r3, r4)
    mov(r4, r8)
    sub(r4, 1)
    mov(r8, r4)
    cmp(r4, 0)
    bne(ROW)
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    mov(r0, 0)
