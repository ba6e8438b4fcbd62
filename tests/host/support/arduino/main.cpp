/* Runs the sketch until its input ends. */
#include SKETCH
int main() {
  setup();
  for (;;) loop();
}
