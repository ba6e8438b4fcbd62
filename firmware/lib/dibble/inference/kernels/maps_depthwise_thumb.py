"""A depthwise convolution in assembler: see maps_conv_thumb.py."""

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
_WEIGHTS = const(44)
_X_PIXEL = const(48)
_KERNEL_ROWS = const(52)


@micropython.asm_thumb
def depthwise(r0, r1, r2, r3):
    # A block of up to 32 channels becomes words, bias, weights and shift of each. On the stack, in words: 0 the words'
    # end, 1 kernel rows left, 2 what leads back to the next channel, 3 the arena, 4 units of this block, 5 the inputs,
    # 6 the output, 7 the plan, 8 the scratch, 9 columns left, 10 rows left, 11 the block, 12 units left, 13 the first
    # unit, 14 columns of the kernel.
    mov(r4, r8)
    mov(r5, r9)
    mov(r6, r10)
    mov(r7, r11)
    push({r4, r5, r6, r7})
    data(
        2, 0xB08F, 0x9007, 0x9103, 0x920B, 0x9308
    )  # sub sp, #60; str r0, [sp, #28]; str r1, [sp, #12]; str r2, [sp, #44]; str r3, [sp, #32]
    ldr(r4, [r0, _UNITS])
    data(2, 0x940C)  # str r4, [sp, #48]
    mov(r4, 0)
    data(2, 0x940D)  # str r4, [sp, #52]
    ldr(r4, [r0, _RUN])
    data(2, 0x940E)  # str r4, [sp, #56]
    label(BLOCK)
    data(
        2, 0x980B, 0x9908, 0x9A0C, 0x9F07
    )  # ldr r0, [sp, #44]; ldr r1, [sp, #32]; ldr r2, [sp, #48]; ldr r7, [sp, #28]
    ldr(r7, [r7, _WEIGHTS])
    cmp(r2, 32)
    bls(FEWER)
    mov(r2, 32)
    label(FEWER)
    data(2, 0x9204)  # str r2, [sp, #16]
    # r3 the shifts, r6 the weights, r2 units left.
    lsl(r3, r2, 2)
    add(r3, r3, r0)
    add(r6, r3, r2)
    label(OF_UNIT)
    ldrb(r4, [r0, 3])
    lsl(r4, r4, 24)
    ldrb(r5, [r0, 2])
    lsl(r5, r5, 16)
    orr(r4, r5)
    ldrb(r5, [r0, 1])
    lsl(r5, r5, 8)
    orr(r4, r5)
    ldrb(r5, [r0, 0])
    orr(r4, r5)
    data(2, 0xC110)  # stmia r1!, {r4}
    add(r0, 4)
    mov(r5, r7)
    label(OF_WEIGHT)
    ldrb(r4, [r6, 0])
    sub(r4, 128)
    data(2, 0xC110)  # stmia r1!, {r4}
    add(r6, 1)
    sub(r5, 1)
    bne(OF_WEIGHT)
    ldrb(r4, [r3, 0])
    data(2, 0xC110)  # stmia r1!, {r4}
    add(r3, 1)
    sub(r2, 1)
    bne(OF_UNIT)
    data(2, 0x960B, 0x9100, 0x9807)  # str r6, [sp, #44]; str r1, [sp, #0]; ldr r0, [sp, #28]
    ldr(r2, [r0, _OUT_HEIGHT])
    data(2, 0x920A, 0x9A03, 0x9B0D)  # str r2, [sp, #40]; ldr r2, [sp, #12]; ldr r3, [sp, #52]
    add(r2, r2, r3)
    ldr(r3, [r0, _X_AT])
    add(r3, r3, r2)
    data(2, 0x9305)  # str r3, [sp, #20]
    ldr(r3, [r0, _OUT_AT])
    add(r3, r3, r2)
    data(2, 0x9306)  # str r3, [sp, #24]
    ldr(r2, [r0, _KERNEL_ROWS])
    ldr(r3, [r0, _X_ROW])
    mov(r9, r3)
    ldr(r7, [r0, _X_PIXEL])
    # Back from behind the last row to the next channel: all rows, less one byte; of three by three but two rows.
    mul(r3, r2)
    neg(r3, r3)
    add(r3, 1)
    data(2, 0x9302)  # str r3, [sp, #8]
    ldr(r5, [r0, _WEIGHTS])
    ldr(r4, [r0, _RUN])
    sub(r5, 9)
    sub(r4, 3)
    orr(r5, r4)
    mov(r6, r5)
    data(2, 0x9601)  # str r6, [sp, #4]
    mov(r4, r9)
    add(r3, r3, r4)
    mov(r11, r3)
    label(ROW)
    ldr(r2, [r0, _OUT_WIDTH])
    data(2, 0x9209)  # str r2, [sp, #36]
    label(PIXEL)
    data(2, 0x9B06)  # ldr r3, [sp, #24]
    mov(r10, r3)
    data(2, 0x9A00)  # ldr r2, [sp, #0]
    mov(r12, r2)
    data(2, 0x9805, 0x9908, 0x9A01)  # ldr r0, [sp, #20]; ldr r1, [sp, #32]; ldr r2, [sp, #4]
    cmp(r2, 0)
    beq(NINES)
    b(ANY)
    label(NINES)
    lsl(r6, r7, 1)
    # Three by three. r0 the code's place, r1 the words, r2 the sum, r7 the bytes of a pixel, r6 twice as many, r9 of a
    # row, r10 the output, r11 back to the next channel, r12 the words' end, r8 the sum.
    label(NINE)
    data(2, 0xC93C)  # ldmia r1!, {r2, r3, r4, r5}
    mov(r8, r2)
    ldrb(r2, [r0, 0])
    mul(r3, r2)
    data(2, 0x5DC2)  # ldrb r2, [r0, r7]
    mul(r4, r2)
    add(r3, r3, r4)
    data(2, 0x5D82)  # ldrb r2, [r0, r6]
    mul(r5, r2)
    add(r3, r3, r5)
    data(2, 0x4498, 0x4448)  # add r8, r3; add r0, r9
    data(2, 0xC938)  # ldmia r1!, {r3, r4, r5}
    ldrb(r2, [r0, 0])
    mul(r3, r2)
    data(2, 0x5DC2)  # ldrb r2, [r0, r7]
    mul(r4, r2)
    add(r3, r3, r4)
    data(2, 0x5D82)  # ldrb r2, [r0, r6]
    mul(r5, r2)
    add(r3, r3, r5)
    data(2, 0x4498, 0x4448)  # add r8, r3; add r0, r9
    data(2, 0xC938)  # ldmia r1!, {r3, r4, r5}
    ldrb(r2, [r0, 0])
    mul(r3, r2)
    data(2, 0x5DC2)  # ldrb r2, [r0, r7]
    mul(r4, r2)
    add(r3, r3, r4)
    data(2, 0x5D82)  # ldrb r2, [r0, r6]
    mul(r5, r2)
    add(r3, r3, r5)
    data(2, 0x4498)  # add r8, r3
    data(2, 0xC908)  # ldmia r1!, {r3}
    mov(r2, r8)
    asr(r2, r3)
    cmp(r2, 255)
    bls(OUT9)
    asr(r2, r2, 31)
    mvn(r2, r2)
    label(OUT9)
    mov(r3, r10)
    strb(r2, [r3, 0])
    add(r3, 1)
    mov(r10, r3)
    data(2, 0x4458, 0x4561)  # add r0, r11; cmp r1, r12
    bne(NINE)
    b(PIXEL_END)
    # Any other kernel. r2 the sum, r3 the code, r4 the weight, r5 columns left, r6 rows left.
    label(ANY)
    label(CHANNEL)
    data(2, 0xC904)  # ldmia r1!, {r2}
    data(2, 0x9E07)  # ldr r6, [sp, #28]
    ldr(r6, [r6, _KERNEL_ROWS])
    label(KERNEL_ROW)
    mov(r8, r0)
    data(2, 0x9D0E)  # ldr r5, [sp, #56]
    label(TAP)
    ldrb(r3, [r0, 0])
    data(2, 0xC910)  # ldmia r1!, {r4}
    mul(r3, r4)
    add(r2, r2, r3)
    add(r0, r0, r7)
    sub(r5, 1)
    bne(TAP)
    mov(r0, r8)
    data(2, 0x4448)  # add r0, r9
    sub(r6, 1)
    bne(KERNEL_ROW)
    data(2, 0xC908)  # ldmia r1!, {r3}
    asr(r2, r3)
    cmp(r2, 255)
    bls(OUT)
    asr(r2, r2, 31)
    mvn(r2, r2)
    label(OUT)
    mov(r3, r10)
    strb(r2, [r3, 0])
    add(r3, 1)
    mov(r10, r3)
    data(2, 0x9B02)  # ldr r3, [sp, #8]
    add(r0, r0, r3)
    data(2, 0x4561)  # cmp r1, r12
    bne(CHANNEL)
    label(PIXEL_END)
    data(2, 0x9907, 0x9A05, 0x9C06)  # ldr r1, [sp, #28]; ldr r2, [sp, #20]; ldr r4, [sp, #24]
    ldr(r3, [r1, _X_STEP])
    add(r2, r2, r3)
    ldr(r3, [r1, _OUT_STEP])
    add(r4, r4, r3)
    data(2, 0x9205, 0x9406, 0x9B09)  # str r2, [sp, #20]; str r4, [sp, #24]; ldr r3, [sp, #36]
    sub(r3, 1)
    data(2, 0x9309)  # str r3, [sp, #36]
    beq(ROW_END)
    b(PIXEL)
    label(ROW_END)
    ldr(r3, [r1, _X_DOWN])
    add(r2, r2, r3)
    ldr(r3, [r1, _OUT_DOWN])
    add(r4, r4, r3)
    data(2, 0x9205, 0x9406, 0x9B0A)  # str r2, [sp, #20]; str r4, [sp, #24]; ldr r3, [sp, #40]
    sub(r3, 1)
    data(2, 0x930A)  # str r3, [sp, #40]
    mov(r0, r1)
    cmp(r3, 0)
    beq(BLOCK_END)
    b(ROW)
    label(BLOCK_END)
    data(2, 0x9A04, 0x9B0D)  # ldr r2, [sp, #16]; ldr r3, [sp, #52]
    add(r3, r3, r2)
    data(2, 0x930D, 0x9B0C)  # str r3, [sp, #52]; ldr r3, [sp, #48]
    sub(r3, r3, r2)
    data(2, 0x930C)  # str r3, [sp, #48]
    beq(END)
    b(BLOCK)
    label(END)
    data(2, 0xB00F)  # add sp, #60
    pop({r4, r5, r6, r7})
    mov(r8, r4)
    mov(r9, r5)
    mov(r10, r6)
    mov(r11, r7)
    mov(r0, 0)
