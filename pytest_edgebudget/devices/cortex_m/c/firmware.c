/* The model alone, over and over: the program whose flash and RAM the linker tells. */
#include "program.h"
#include "start.h"

void edge_fault(void) {
  for (;;) {
  }
}

void edge_tick(void) {}

int main(void) {
  for (;;) edge_invoke();
}
