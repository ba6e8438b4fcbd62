/* Replays rows from stdin on this computer: 32-bit little-endian ints, the elapsed ms (-2: none told) and the
 * readings. Prints what the self-test says, then class, margin, flags, channel and held class of each row. */
#include <stdint.h>
#include <stdio.h>

#include "binding.h"

static int read_ints(int32_t *out, int count)
{
    unsigned char bytes[4];
    for (; count; count--, out++) {
        if (fread(bytes, 1, 4, stdin) != 4)
            return 0;
        *out = (int32_t)((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24);
    }
    return 1;
}

int main(void)
{
    static node_t node;
    int32_t row[1 + CHANNELS];
    printf("%d\n", (int)self_test(&node));
    while (read_ints(row, 1 + CHANNELS)) {
#ifdef TIMED
        if (row[0] != -2)
            predict_after(&node, row + 1, (uint32_t)row[0]);
        else
#endif
            predict(&node, row + 1);
        printf("%d %ld %d %d %d\n", node.class_index, (long)node.margin, node.flags, node.channel, node.held_index);
    }
    return 0;
}
