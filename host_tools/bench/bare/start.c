#include <stdint.h>
extern int main(void);
extern uint32_t _estack;
void reset(void){ main(); for(;;); }
__attribute__((section(".vectors"))) const void *vectors[]={&_estack,reset,reset,reset};
