/* Bare metal in QEMU's micro:bit: how many instructions a function takes, by TIMER2 under -icount shift=8.
   Without {{...}} filled in by cortex_m0.py it doesn't compile. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
typedef uint32_t Word;
typedef Word Function(Word *self, Word arguments, Word keywords, Word *argument);

{{tables}}

/* What the VM's helpers would do with an argument or a result: everything here is a plain number already. */
static Word same(Word value) { return value; }
static Word nothing(Word *self, Word arguments, Word keywords, Word *argument) { return 0; }

static void put(char c) {
    REGISTER(0x4000211C) = 0;
    REGISTER(0x4000251C) = c;
    while (!REGISTER(0x4000211C)) {}
}

static void print(Word value) {
    char digits[12];
    int n = 0;
    do { digits[n++] = '0' + value % 10; value /= 10; } while (value);
    while (n) put(digits[--n]);
    put('\n');
}

static Word now(void) {
    REGISTER(0x4000A040) = 1;
    return REGISTER(0x4000A540);
}

int main(void) {
    static Word helpers[80];
    static const Word *objects[1] = {helpers};
    static Word context[4], self[4];
    Function *volatile empty = nothing;
    for (int i = 0; i < 80; i++) helpers[i] = (Word)same;
    context[3] = (Word)objects;
    self[1] = (Word)context;
    REGISTER(0x40002500) = 4; /* UART */
    REGISTER(0x40002008) = 1;
    REGISTER(0x4000A508) = 3; /* TIMER2: 32 bits, 16 MHz */
    REGISTER(0x4000A510) = 0;
    REGISTER(0x4000A504) = 0;
    REGISTER(0x4000A00C) = 1;
    REGISTER(0x4000A000) = 1;
{{calls}}
    put('.');
    put('\n');
    for (;;) {}
}
