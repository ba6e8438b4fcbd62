/* Replays the rows twice: once to count and to see how deep the stack gets, once to print. Prints
 *
 *   test RESULT        of the self-test
 *   stack BYTES        the deepest a prediction reached below its caller, all rows considered; 65535: too deep
 *   cost MEAN MOST     of a prediction
 *   CLASS MARGIN FLAGS CHANNEL HELD, a line a row
 *   node HEX           what the node holds at the end, NODE_BYTES a line
 *   end
 *
 * Before it is included there have to be put(char), cost_of(call, elapsed), HERE(), the stack pointer, and FLOOR,
 * the lowest address that the stack may reach.
 */
#define PAINT 0xC5
#define NODE_BYTES 32
#ifndef COUNTED
#define COUNTED decide /* a benchmark counts something else */
#endif

#include "print.h"

static node_t node;
static int32_t readings[CHANNELS];

static void __attribute__((noinline)) nothing(node_t *at, const int32_t *row, int32_t elapsed)
{
    __asm__ volatile("" : : "r"(at), "r"(row), "r"(elapsed));
}

static void replay(void)
{
    const uint8_t *at;
    const uint8_t *byte;
    volatile uint8_t *spot, *here; /* volatile, or the compiler calls memset(), whose own frame lies there */
    uint32_t total = 0, most = 0, empty, rows = 0;
    int32_t elapsed = 0;

    text("test ");
    number(self_test(&node), '\n');

    here = HERE();
    for (spot = FLOOR; spot < here; spot++)
        *spot = PAINT;
    begin(&node);
    empty = cost_of(nothing, &node, readings, elapsed);
    for (at = rows_begin; at < rows_end; rows++) {
        uint32_t cost;
        at = row_at(at, &elapsed, readings);
        cost = cost_of(COUNTED, &node, readings, elapsed) - empty;
        total += cost;
        most = cost > most ? cost : most;
    }
    for (spot = FLOOR; *spot == PAINT; spot++) {
    }
    text("stack ");
    number(spot == FLOOR ? UINT16_MAX : (uint32_t)(here - spot), '\n');
    text("cost ");
    number(rows ? total / rows : 0, ' ');
    number(most, '\n');

    begin(&node);
    for (at = rows_begin; at < rows_end;) {
        at = row_at(at, &elapsed, readings);
        decide(&node, readings, elapsed);
        number(node.class_index, ' ');
        number((uint32_t)node.margin, ' ');
        number(node.flags, ' ');
        number(node.channel, ' ');
        number(node.held_index, '\n');
    }
    for (byte = (const uint8_t *)&node; byte < (const uint8_t *)(&node + 1); byte++) {
        if ((byte - (const uint8_t *)&node) % NODE_BYTES == 0)
            text(byte == (const uint8_t *)&node ? "node " : "\nnode ");
        put("0123456789abcdef"[*byte >> 4]);
        put("0123456789abcdef"[*byte & 15]);
    }
    text("\nend\n");
}
