/* Bare metal in QEMU's micro:bit: how many instructions a function takes, by TIMER2 under -icount shift=8.
   Without {{...}} filled in by cortex_m0.py it doesn't compile. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
typedef uint32_t Word;
typedef Word Function(Word *self, Word arguments, Word keywords, Word *argument);
typedef Word Kernel(Word *plan, const int32_t *row);

{{tables}}

/* What the VM's helpers would do with an argument or a result: everything here is a plain number already. */
static Word same(Word value) { return value; }

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

#define THUMB(code) ((Word)(code) | 1)

static Word self[4];

static Word thumb(const int32_t *row) { return ((Kernel *)THUMB(thumb_code))(plan, row); }

static Word viper(const int32_t *row) {
    Word arguments[] = {(Word)plan, (Word)row};
    return ((Function *)THUMB(viper_code))(self, 2, 0, arguments);
}

static Word nothing(const int32_t *row) { return 0; }

/* Prints a call's answer and its ticks, less those of a call that does nothing. */
static void count(Word (*volatile call)(const int32_t *), const int32_t *row) {
    Word (*volatile empty)(const int32_t *) = nothing;
    Word start = now();
    empty(row);
    Word between = now();
    Word answer = call(row);
    Word end = now();
    print(answer & 0x3FFFFFFF);
    print(end - between - (between - start));
}

int main(void) {
    static Word helpers[80];
    static const Word *objects[1] = {helpers};
    static Word context[4];
    plan[0] = (Word)blob;
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
