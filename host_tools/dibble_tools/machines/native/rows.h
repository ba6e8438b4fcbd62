/* What the programs beside this share: the model under its own names, and rows in flash to replay.
 *
 * binding.h is written for each model: node_t, restart(), predict(), self_test(), CHANNELS, MISSING and, where
 * the model is of a time series, predict_after() and TIMED. A row is the elapsed ms (NOT_TOLD: none) and the
 * readings, each of VALUE_BYTES. initial.bin is what the batch before left in the node; empty at first.
 */
#include "binding.h"

#define NOT_TOLD (-2)

#ifdef __AVR__
#include <avr/pgmspace.h>
#define BYTE(at) pgm_read_byte(at)
#else
#define BYTE(at) (*(at))
#endif

__asm__(".section .progmem.data.rows,\"a\",%progbits\n"
        ".balign 4\n"
        ".global rows_begin\nrows_begin:\n.incbin \"rows.bin\"\n.global rows_end\nrows_end:\n"
        ".global initial_begin\ninitial_begin:\n.incbin \"initial.bin\"\n.global initial_end\ninitial_end:\n"
        ".balign 4\n"
        ".text\n");
extern const uint8_t rows_begin[], rows_end[], initial_begin[], initial_end[];

static int32_t value_at(const uint8_t *at)
{
#if VALUE_BYTES == 2
    const int16_t value = (int16_t)(BYTE(at) | (uint16_t)BYTE(at + 1) << 8);
    return value == INT16_MIN ? MISSING : value;
#else
    return (int32_t)(BYTE(at) | (uint32_t)BYTE(at + 1) << 8 | (uint32_t)BYTE(at + 2) << 16 | (uint32_t)BYTE(at + 3) << 24);
#endif
}

/* Read a row; return where the next one begins. */
static const uint8_t *row_at(const uint8_t *at, int32_t *elapsed, int32_t *readings)
{
    uint16_t i;
    *elapsed = value_at(at);
    at += VALUE_BYTES;
    for (i = 0; i < CHANNELS; i++, at += VALUE_BYTES)
        readings[i] = value_at(at);
    return at;
}

static void decide(node_t *node, const int32_t *readings, int32_t elapsed)
{
#ifdef TIMED
    if (elapsed != NOT_TOLD) {
        predict_after(node, readings, (uint32_t)elapsed);
        return;
    }
#else
    (void)elapsed;
#endif
    predict(node, readings);
}

/* Begin where the batch before ended. */
static void begin(node_t *node)
{
    const uint8_t *at;
    uint8_t *byte = (uint8_t *)node;
    restart(node);
    for (at = initial_begin; at < initial_end; at++)
        *byte++ = BYTE(at);
}
