/* Kernels of maps in machine code on a Cortex-M0, step by step: how many instructions each takes, and the scores.
   Without {{...}} filled in by bench/maps.py it doesn't compile. */
#include "cortex_m0.h"

#include "print.h"

typedef uint32_t Word;
typedef Word Function(Word *self, Word arguments, Word keywords, Word *argument);
typedef Word Kernel(const int32_t *plan, uint8_t *arena, const uint8_t *source, Word *scratch);

{{tables}}

/* What the VM's helpers would do with an argument or a result: everything here is a plain number already. */
static Word same(Word value) { return value; }

static void print(Word value) { number(value, '\n'); }

static Word self[4];

static Word viper(const uint8_t *code, const int32_t *plan, const uint8_t *source) {
    Word arguments[] = {(Word)plan, (Word)arena, (Word)source, (Word)scratch};
    return ((Function *)((Word)code | 1))(self, 4, 0, arguments);
}

static Word thumb(const uint8_t *code, const int32_t *plan, const uint8_t *source) {
    return ((Kernel *)((Word)code | 1))(plan, arena, source, scratch);
}

static Word nothing(const uint8_t *code, const int32_t *plan, const uint8_t *source) { return 0; }

typedef Word Call(const uint8_t *code, const int32_t *plan, const uint8_t *source);

/* Prints a call's instructions, less those of a call that does nothing. */
static void count(Call *volatile call, const uint8_t *code, const int32_t *plan, const uint8_t *source) {
    Call *volatile empty = nothing;
    Word start = ticks();
    empty(code, plan, source);
    Word between = ticks();
    Word answer = call(code, plan, source);
    Word end = ticks();
    print(answer);
    print((Word)(((uint64_t)(end - between - (between - start)) * 125 + 256) / 512)); /* as instructions(), beyond 2^32 */
}

static void work(void) {
    static Word helpers[80];
    static const Word *objects[1] = {helpers};
    static Word context[4];
    for (int i = 0; i < 80; i++) helpers[i] = (Word)same;
    context[3] = (Word)objects;
    self[1] = (Word)context;
{{calls}}
}
