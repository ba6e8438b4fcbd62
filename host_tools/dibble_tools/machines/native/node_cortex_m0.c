/* The smallest program with a model on a Cortex-M0: what it takes of flash and RAM is what the model costs. */
#include <stdint.h>

#include "binding.h"

extern uint32_t stack_top[], bss_begin[], bss_end[];
int main(void);
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[2] = {(uintptr_t)stack_top, (uintptr_t)main};

static node_t node;
static int32_t readings[CHANNELS];
volatile int32_t input, output;

int main(void)
{
    restart(&node);
    for (;;) {
        uint32_t i;
        for (i = 0; i < CHANNELS; i++)
            readings[i] = input;
        predict(&node, readings);
        output = node.held_index << 8 | node.flags;
    }
}
