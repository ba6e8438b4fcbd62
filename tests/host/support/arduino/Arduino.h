/* As much of Arduino's core as an exported sketch needs, on this computer: Serial is standard input and output. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGMEM
class __FlashStringHelper;
#define F(text) (reinterpret_cast<const __FlashStringHelper *>(text))

struct SerialPort {
  void begin(long) {}
  int available() {
    const int c = getchar();
    if (c == EOF) exit(0);
    ungetc(c, stdin);
    return 1;
  }
  int read() { return getchar(); }
  void print(const __FlashStringHelper *text) { fputs(reinterpret_cast<const char *>(text), stdout); }
  void print(long number) { printf("%ld", number); }
  void println() { putchar('\n'); }
  template <typename T> void println(T what) { print(what); println(); }
};
static SerialPort Serial;
static inline void delay(unsigned long) { exit(0); }
