/* The smallest node with a model: readings come over the serial line, 4 bytes each, lowest first; the held class
 * and the flags go back. What it takes of flash and RAM is what the model costs. */
#include <avr/io.h>

#include "binding.h"

static node_t node;
static union {
    int32_t readings[CHANNELS];
    uint8_t bytes[4 * CHANNELS];
} row;

static uint8_t get(void)
{
    while (!(UCSR0A & 1 << RXC0)) {
    }
    return UDR0;
}

static void put(uint8_t byte)
{
    while (!(UCSR0A & 1 << UDRE0)) {
    }
    UDR0 = byte;
}

int main(void)
{
    UBRR0 = 103; /* 9600 baud at 16 MHz */
    UCSR0B = 1 << TXEN0 | 1 << RXEN0;
    restart(&node);
    for (;;) {
        uint16_t i;
        for (i = 0; i < 4 * CHANNELS; i++)
            row.bytes[i] = get();
        predict(&node, row.readings);
        put(node.held_index);
        put(node.flags);
    }
}
