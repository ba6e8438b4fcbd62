/* Replays rows in flash on an ATmega328P and prints over the serial line, at the fastest it has; see replay.h.
 * Then it sleeps with interrupts off, which ends the simulation. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

#include "rows.h"

#define HERE() ((uint8_t *)SP + 1)
#define FLOOR (&_end)

extern uint8_t _end;
typedef void (*call_t)(node_t *, const int32_t *, int32_t);

static void put(char c)
{
    while (!(UCSR0A & 1 << UDRE0)) {
    }
    UDR0 = (uint8_t)c;
}

/* In cycles. Timer 1 counts 64 of them a tick, timer 0 each: the one tells how often the other has gone around. */
static uint32_t cost_of(call_t call, node_t *node, const int32_t *readings, int32_t elapsed)
{
    const uint16_t coarse = TCNT1;
    const uint8_t fine = TCNT0;
    call(node, readings, elapsed);
    {
        const uint8_t low = (uint8_t)(TCNT0 - fine);
        const uint32_t about = (uint32_t)(uint16_t)(TCNT1 - coarse) << 6;
        return about + (uint32_t)(int32_t)(int8_t)(uint8_t)(low - (uint8_t)about);
    }
}

#include "replay.h"

int main(void)
{
    UCSR0A = 1 << U2X0;
    UBRR0 = 0;
    UCSR0B = 1 << TXEN0;
    TCCR0B = 1 << CS00;
    TCCR1B = 1 << CS11 | 1 << CS10;
    replay();
    cli();
    sleep_enable();
    sleep_cpu();
    return 0;
}
