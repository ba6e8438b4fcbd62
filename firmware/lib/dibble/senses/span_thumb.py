"""How far samples span, in Thumb assembler: see span.py."""

import micropython


@micropython.asm_thumb
def span_of(r0, r1):  # samples, their count
    mov(r4, 1)
    lsl(r4, r4, 15)  # by which they are in order without their sign
    mov(r2, 0)
    mvn(r2, r2)
    lsr(r2, r2, 16)  # the least
    mov(r3, 0)  # the most
    label(NEXT)
    ldrh(r5, [r0, 0])
    add(r0, 2)
    eor(r5, r4)
    cmp(r5, r2)
    bge(NOT_LESS)
    mov(r2, r5)
    label(NOT_LESS)
    cmp(r5, r3)
    ble(NOT_MORE)
    mov(r3, r5)
    label(NOT_MORE)
    sub(r1, 1)
    bne(NEXT)
    sub(r0, r3, r2)
