/* A Cortex-M0, bare metal: the micro:bit's nRF51, in QEMU with -icount shift=8. From power-on to work(), which whoever
 * includes this has, and to the end; put(char) by semihosting, TIMER2's ticks. */
#include <stddef.h>
#include <stdint.h>

#define REGISTER(at) (*(volatile uint32_t *)(at))
#define TIMER2 0x4000A000u /* nRF51 reference manual, chapter 18 */
#define SYS_WRITE0 4
#define SYS_EXIT 0x18
#define APPLICATION_EXIT 0x20026

extern uint32_t stack_top[], data_begin[], data_end[], data_load[], bss_begin[], bss_end[];
static void work(void);
void power_on(void);
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[2] = {(uintptr_t)stack_top, (uintptr_t)power_on};

static void host(int32_t what, uintptr_t with)
{
    register int32_t r0 __asm__("r0") = what;
    register uintptr_t r1 __asm__("r1") = with;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static void put(char c)
{
    static char line[64];
    static uint8_t length;
    line[length++] = c;
    if (c == '\n' || length == sizeof line - 1) {
        line[length] = 0;
        length = 0;
        host(SYS_WRITE0, (uintptr_t)line);
    }
}

static uint32_t ticks(void)
{
    REGISTER(TIMER2 + 0x040) = 1; /* capture */
    return REGISTER(TIMER2 + 0x540);
}

/* One instruction takes 256 ns of QEMU's time, so 4.096 ticks of 16 MHz: the whole ticks round back. */
static uint32_t instructions(uint32_t between)
{
    return (between * 125 + 256) / 512;
}

void power_on(void)
{
    uint32_t *to, *from;
    for (to = data_begin, from = data_load; to < data_end;)
        *to++ = *from++;
    for (to = bss_begin; to < bss_end;)
        *to++ = 0;
    REGISTER(TIMER2 + 0x508) = 3; /* 32 bits */
    REGISTER(TIMER2 + 0x510) = 0; /* 16 MHz */
    REGISTER(TIMER2 + 0x504) = 0; /* a timer */
    REGISTER(TIMER2 + 0x000) = 1;
    work();
    host(SYS_EXIT, APPLICATION_EXIT);
    for (;;) {
    }
}
