/* Replays rows in flash on a Cortex-M0: see replay.h. */
#include "rows.h"

#include "cortex_m0.h"

typedef void (*call_t)(node_t *, const int32_t *, int32_t);

#define FLOOR ((uint8_t *)bss_end)
#define HERE() (__extension__({ uint8_t *sp; __asm__ volatile("mov %0, sp" : "=r"(sp)); sp; }))

static uint32_t cost_of(call_t call, node_t *node, const int32_t *readings, int32_t elapsed)
{
    const uint32_t before = ticks();
    call(node, readings, elapsed);
    return instructions(ticks() - before);
}

#include "replay.h"

static void work(void)
{
    replay();
}
