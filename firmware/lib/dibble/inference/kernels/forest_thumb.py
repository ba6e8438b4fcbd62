"""The forest family's kernel in assembler, where MicroPython has one for Cortex-M: see forest_plan.py.

ARMv6-M's instructions only, so that it runs on each of them. The assembler knows no loads with a register as
their offset and none of several words: these are given as data, with their name beside them.
"""

import micropython
from micropython import const

# Words of the plan, in bytes, as in plan.py and forest_plan.py.
_UNSURE_BELOW = const(8)
_STEADY = const(12)
_FLAGS = const(16)
_VALUES_AT = const(20)
_FOURS = const(24)
_ONES = const(28)
_RANKED_AT = const(32)
_RANKED_END = const(36)
_BASE_AT = const(40)
_SUMS_AT = const(44)
_SUMS_BYTES = const(48)
_CLASSES_BYTES = const(52)
_PAGES_AT = const(56)
_TREES_END = const(60)
_LEAVES_AT = const(64)
_LEAVES_END = const(68)
_NODES = const(72)
_RANGES_AT = const(76)


@micropython.asm_thumb
def classify(r0, r1):
    # r0 the plan, r1 the inputs; both are needed again for the ranks.
    push({r0, r1})
    # Each input less its low becomes a byte: r2 where it goes, r3 it, r4..r7 low and span of two, r12 the end.
    ldr(r2, [r0, _VALUES_AT])
    add(r2, r2, r0)
    ldr(r3, [r0, _FOURS])
    add(r3, r3, r1)
    mov(r12, r3)
    add(r0, _RANGES_AT)
    b(FOURS)
    label(FOUR)
    data(2, 0xC8F0, 0xC908)  # ldmia r0!, {r4, r5, r6, r7}; ldmia r1!, {r3}
    sub(r3, r3, r4)
    cmp(r5, r3)
    bcc(BEYOND)
    strb(r3, [r2, 0])
    data(2, 0xC908)  # ldmia r1!, {r3}
    sub(r3, r3, r6)
    cmp(r7, r3)
    bcc(BEYOND)
    strb(r3, [r2, 1])
    data(2, 0xC8F0, 0xC908)  # ldmia r0!, {r4, r5, r6, r7}; ldmia r1!, {r3}
    sub(r3, r3, r4)
    cmp(r5, r3)
    bcc(BEYOND)
    strb(r3, [r2, 2])
    data(2, 0xC908)  # ldmia r1!, {r3}
    sub(r3, r3, r6)
    cmp(r7, r3)
    bcc(BEYOND)
    strb(r3, [r2, 3])
    add(r2, 4)
    label(FOURS)
    data(2, 0x4561)  # cmp r1, r12
    bne(FOUR)
    # What is left of them, one by one: r6 the end.
    data(2, 0x9E00)  # ldr r6, [sp, #0]
    ldr(r6, [r6, _ONES])
    add(r6, r6, r1)
    b(ONES)
    label(ONE)
    data(2, 0xC830, 0xC908)  # ldmia r0!, {r4, r5}; ldmia r1!, {r3}
    sub(r3, r3, r4)
    cmp(r5, r3)
    bcc(BEYOND)
    strb(r3, [r2, 0])
    add(r2, 1)
    label(ONES)
    cmp(r1, r6)
    bne(ONE)
    pop({r0, r1})
    b(RANKS)
    label(BEYOND)
    pop({r0, r1})
    mov(r0, 0)
    mvn(r0, r0)
    b(END)

    # Values of features with thresholds become their rank. r2 the feature, r12 the end of these; r3 the value,
    # r4 what lies before the first threshold in question, r5 and r6 how far to look and to go, in bytes.
    label(RANKS)
    ldr(r2, [r0, _RANKED_END])
    add(r2, r2, r0)
    mov(r12, r2)
    ldr(r2, [r0, _RANKED_AT])
    add(r2, r2, r0)
    b(RANKED)
    label(RANK)
    ldr(r3, [r2, 0])
    data(2, 0x58CB)  # ldr r3, [r1, r3]
    ldr(r4, [r2, 4])
    sub(r3, r3, r4)
    ldr(r4, [r2, 8])
    ldr(r5, [r0, 0])
    add(r4, r4, r5)
    ldr(r5, [r2, 12])
    ldr(r6, [r2, 16])
    ldr(r7, [r2, 20])
    cmp(r7, 1)
    bhi(WORDS)
    beq(HALVES)
    label(BYTES)
    data(2, 0x5D67)  # ldrb r7, [r4, r5]
    cmp(r3, r7)
    bls(BYTE)
    add(r4, r4, r6)
    label(BYTE)
    lsr(r5, r5, 1)
    mov(r6, r5)
    bne(BYTES)
    b(FOUND)
    label(HALVES)
    data(2, 0x5B67)  # ldrh r7, [r4, r5]
    cmp(r3, r7)
    bls(HALF)
    add(r4, r4, r6)
    label(HALF)
    lsr(r5, r5, 1)
    mov(r6, r5)
    cmp(r5, 1)
    bhi(HALVES)
    b(FOUND)
    label(WORDS)
    data(2, 0x5967)  # ldr r7, [r4, r5]
    cmp(r3, r7)
    bls(WORD)
    add(r4, r4, r6)
    label(WORD)
    lsr(r5, r5, 1)
    mov(r6, r5)
    cmp(r5, 2)
    bhi(WORDS)
    label(FOUND)
    ldr(r7, [r2, 8])
    sub(r4, r4, r7)
    ldr(r7, [r0, 0])
    sub(r4, r4, r7)
    ldr(r7, [r2, 20])
    lsr(r4, r7)
    ldr(r7, [r2, 24])
    data(2, 0x55C4)  # strb r4, [r0, r7]
    add(r2, 28)
    label(RANKED)
    data(2, 0x4562)  # cmp r2, r12
    bne(RANK)

    # Each class's sum begins with its base, four at a time.
    ldr(r1, [r0, _BASE_AT])
    add(r1, r1, r0)
    ldr(r2, [r0, _SUMS_AT])
    add(r2, r2, r0)
    ldr(r3, [r0, _SUMS_BYTES])
    label(BASE)
    data(2, 0xC9F0, 0xC2F0)  # ldmia r1!, {r4, r5, r6, r7}; stmia r2!, {r4, r5, r6, r7}
    sub(r3, 16)
    bne(BASE)

    # The walk. r0..r3 features, codes, lefts, rights of a page, r4 the values, r5 the node or a reference,
    # r6, r7 at hand; r12 the first reference that is no leaf's, r14 the file.
    push({r0})
    ldr(r4, [r0, _VALUES_AT])
    add(r4, r4, r0)
    ldr(r7, [r0, _LEAVES_END])
    mov(r12, r7)
    ldr(r7, [r0, 0])
    mov(r14, r7)
    ldr(r2, [r0, _SUMS_AT])
    add(r2, r2, r0)
    ldr(r1, [r0, _LEAVES_AT])
    add(r1, r1, r0)
    sub(r1, 128)
    sub(r1, 128)
    ldr(r6, [r0, _TREES_END])
    add(r6, r6, r0)
    ldr(r5, [r0, _PAGES_AT])
    add(r5, r5, r0)
    mov(r3, r12)
    lsl(r3, r3, 3)
    sub(r7, r5, r3)
    ldr(r0, [r0, _NODES])
    # On the stack from now on: nodes, leaves, sums, the page's followers, the next tree's page, the last one's end,
    # and the pages, less what the first reference to one adds.
    push({r0, r1, r2, r3, r5, r6, r7})
    b(TREES)
    label(TREE)
    data(2, 0xCF41, 0x9704)  # ldmia r7!, {r0, r6}; str r7, [sp, #16]
    label(PAGE)
    data(2, 0x9603, 0x9E00, 0x4470)  # str r6, [sp, #12]; ldr r6, [sp, #0]; add r0, lr
    add(r1, r0, r6)
    add(r2, r1, r6)
    add(r3, r2, r6)
    mov(r5, 0)
    label(NODE)
    data(2, 0x5D46, 0x5DA7, 0x5D4E)  # ldrb r6, [r0, r5]; ldrb r7, [r4, r6]; ldrb r6, [r1, r5]
    cmp(r7, r6)
    bhi(RIGHT)
    data(2, 0x5D55)  # ldrb r5, [r2, r5]
    cmp(r5, 128)
    bcc(NODE)
    b(OUT)
    label(RIGHT)
    data(2, 0x5D5D)  # ldrb r5, [r3, r5]
    cmp(r5, 128)
    bcc(NODE)
    label(OUT)
    data(2, 0x4565)  # cmp r5, r12
    bcc(LEAF)
    lsl(r5, r5, 3)
    data(2, 0x9E03)  # ldr r6, [sp, #12]
    add(r6, r6, r5)
    data(2, 0x9D06)  # ldr r5, [sp, #24]
    add(r6, r6, r5)
    data(2, 0xCE81)  # ldmia r6!, {r0, r7}
    mov(r6, r7)
    b(PAGE)
    label(LEAF)
    lsl(r5, r5, 1)
    data(2, 0x9E01, 0x5B75)  # ldr r6, [sp, #4]; ldrh r5, [r6, r5]
    lsr(r6, r5, 8)
    lsl(r6, r6, 2)
    data(2, 0xB2ED, 0x9802, 0x5987)  # uxtb r5, r5; ldr r0, [sp, #8]; ldr r7, [r0, r6]
    add(r7, r7, r5)
    data(2, 0x5187)  # str r7, [r0, r6]
    label(TREES)
    data(2, 0x9F04, 0x9E05)  # ldr r7, [sp, #16]; ldr r6, [sp, #20]
    cmp(r7, r6)
    bne(TREE)

    # Winner and runner-up. r0 the next sum, r1 and r2 the two, r3 a sum, r4 where the winner's ends, r5 the end.
    pop({r0, r1, r2, r3, r4, r5, r6})
    pop({r6})
    ldr(r5, [r6, _CLASSES_BYTES])
    mov(r0, r2)
    mov(r7, r2)
    add(r5, r5, r0)
    mov(r1, 0)
    mvn(r1, r1)
    mov(r2, r1)
    label(SUM)
    data(2, 0xC808)  # ldmia r0!, {r3}
    cmp(r3, r1)
    bgt(FIRST)
    cmp(r3, r2)
    ble(NEXT)
    mov(r2, r3)
    label(NEXT)
    cmp(r0, r5)
    bne(SUM)
    sub(r0, r4, r7)
    sub(r0, 4)
    lsr(r0, r0, 2)
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
