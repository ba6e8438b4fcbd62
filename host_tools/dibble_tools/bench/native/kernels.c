/* Kernels in machine code on a Cortex-M0: their answers, and how many instructions they take.
   Without {{...}} filled in by cortex_m0.py it doesn't compile. */
#include "cortex_m0.h"

#include "print.h"

typedef uint32_t Word;
typedef Word Function(Word *self, Word arguments, Word keywords, Word *argument);
typedef Word Kernel(Word *plan, const int32_t *row);

{{tables}}

/* What the VM's helpers would do with an argument or a result: everything here is a plain number already. */
static Word same(Word value) { return value; }

static void print(Word value) { number(value, '\n'); }

#define THUMB(code) ((Word)(code) | 1)

static Word self[4];

static Word thumb(const int32_t *row) { return ((Kernel *)THUMB(thumb_code))(plan, row); }

static Word viper(const int32_t *row) {
    Word arguments[] = {(Word)plan, (Word)row};
    return ((Function *)THUMB(viper_code))(self, 2, 0, arguments);
}

#ifdef WINDOWS
/* Each has a past of its own. */
static uint32_t of_thumb[sizeof windows / 4], of_viper[sizeof windows / 4];

static Word windows_thumb(const int32_t *row) {
    if (((Kernel *)THUMB(windows_thumb_code))((Word *)of_thumb, row)) return 1;
    return thumb((const int32_t *)((uint8_t *)of_thumb + VALUES));
}

static Word windows_viper(const int32_t *row) {
    Word arguments[] = {(Word)of_viper, (Word)row};
    if (((Function *)THUMB(windows_viper_code))(self, 2, 0, arguments)) return 1;
    return viper((const int32_t *)((uint8_t *)of_viper + VALUES));
}
#endif

/* As py/smallint.c has it; the divisors here are all above 0. */
static Word floor_divide(Word a, Word b) {
    int32_t n = (int32_t)a, d = (int32_t)b;
    return (Word)(n >= 0 ? n / d : (n - d + 1) / d);
}

static Word nothing(const int32_t *row) { return 0; }

/* Prints a call's answer and its instructions, less those of a call that does nothing. */
static void count(Word (*volatile call)(const int32_t *), const int32_t *row) {
    Word (*volatile empty)(const int32_t *) = nothing;
    Word start = ticks();
    empty(row);
    Word between = ticks();
    Word answer = call(row);
    Word end = ticks();
    print(answer & 0x3FFFFFFF);
    print(instructions(end - between - (between - start)));
}

static void work(void) {
    static Word helpers[80];
    static const Word *objects[1] = {helpers};
    static Word context[4];
    plan[0] = (Word)blob;
    for (int i = 0; i < 80; i++) helpers[i] = (Word)same;
    helpers[46] = (Word)floor_divide; /* MP_F_SMALL_INT_FLOOR_DIVIDE of py/nativeglue.h */
#ifdef WINDOWS
    for (unsigned i = 0; i < sizeof windows / 4; i++) of_thumb[i] = of_viper[i] = windows[i];
#endif
    context[3] = (Word)objects;
    self[1] = (Word)context;
{{calls}}
}
