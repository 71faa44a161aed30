/*
 * The model on an emulated board: samples from memory, answers through a serial port.
 *
 * The emulator has put a header and the samples' inputs at EDGE_SAMPLES. Answers
 * are bytes: for each sample "S" and the outputs; with COUNT, for each layer (and
 * first for one that does nothing) "L" and SysTick's count, 8 bytes; then "E", the
 * bytes of stack that were used, 4 bytes, and the board is reset, which ends QEMU.
 * After a fault "F" and the address. There is no other way out: no files, no commands.
 */
#include "program.h"
#include "start.h"

typedef struct {
  uint32_t magic, samples, mode;
} header;

enum { MAGIC = 0x45444745, ANSWER = 1, COUNT = 2, WRAPS = 4 };

/* Where the model's inputs and outputs lie, ended by a size of 0; of the generator. */
typedef struct {
  int32_t offset, size;
} slot;

extern const slot edge_inputs[], edge_outputs[];
extern uint32_t edge_stack_limit[];

#define SAMPLES ((const header *)EDGE_SAMPLES)
#define UART(offset) EDGE_REGISTER(EDGE_UART + (offset))
#define SYSTICK_CONTROL EDGE_REGISTER(0xE000E010)
#define SYSTICK_RELOAD EDGE_REGISTER(0xE000E014)
#define SYSTICK_NOW EDGE_REGISTER(0xE000E018)
#define RESET EDGE_REGISTER(0xE000ED0C)

enum { PAINT = 0x5A5A5A5A, PERIOD = 1 << 24 };

static volatile uint32_t wraps;

static void put(uint8_t byte) {
  while (UART(4) & 1) {
  }
  UART(0) = byte;
}

static void put_word(uint32_t word) {
  for (int i = 0; i < 4; i++) put((uint8_t)(word >> 8 * i));
}

static void end(void) {
  for (;;) RESET = 0x05FA0004; /* AIRCR: SYSRESETREQ */
}

/* The interrupted program counter is the seventh word of the frame. */
__attribute__((used)) static void fault_at(const uint32_t *frame) {
  put('F');
  put_word(frame[6]);
  end();
}

__attribute__((naked)) void edge_fault(void) {
  __asm volatile("mrs r0, msp\n b fault_at");
}

void edge_tick(void) { wraps = wraps + 1; }

/* Paint what lies under the stack, from here down. */
static __attribute__((noinline)) void paint(void) {
  uint32_t *here = __builtin_frame_address(0);
  for (uint32_t *at = edge_stack_limit; at < here - 8; at++) *at = PAINT;
}

static uint32_t unpainted(void) {
  const uint32_t *at = edge_stack_limit;
  while (at < edge_stack_top && *at == PAINT) at++;
  return (uint32_t)((const uint8_t *)edge_stack_top - (const uint8_t *)at);
}

/* Bytes of stack under the caller that *run* takes. */
static __attribute__((noinline)) uint32_t stack_of(void (*run)(void)) {
  paint();
  uint32_t before = (uint32_t)((const uint8_t *)edge_stack_top -
                               (const uint8_t *)__builtin_frame_address(0));
  run();
  uint32_t after = unpainted();
  return after > before ? after - before : 0;
}

static __attribute__((noinline)) void invoke(void) { edge_invoke(); }

static void nothing(void) {}

static const uint8_t *fill(const uint8_t *from) {
  for (const slot *in = edge_inputs; in->size; in++)
    for (int32_t i = 0; i < in->size; i++) edge_arena[in->offset + i] = (int8_t)*from++;
  return from;
}

static void answer(void) {
  put('S');
  for (const slot *out = edge_outputs; out->size; out++)
    for (int32_t i = 0; i < out->size; i++) put((uint8_t)edge_arena[out->offset + i]);
}

/* Ticks while *run* runs, and a few instructions around, the same for each. */
static __attribute__((noinline)) void count(void (*run)(void)) {
  wraps = 0;
  SYSTICK_NOW = 0;
  uint32_t before = SYSTICK_NOW;
  run();
  uint32_t after = SYSTICK_NOW;
  put('L');
  put_word((before - after) & (PERIOD - 1));
  put_word(wraps);
}

static void count_all(void) {
  SYSTICK_RELOAD = PERIOD - 1;
  SYSTICK_CONTROL = SAMPLES->mode & WRAPS ? 7 : 5; /* processor clock, with interrupts or not */
  count(nothing);
  for (int32_t i = 0; i < edge_layer_count; i++) count(edge_layers[i]);
  SYSTICK_CONTROL = 0;
}

int main(void) {
  UART(16) = 16; /* BAUDDIV: the least */
  UART(8) = 1;   /* CTRL: transmit */
  uint32_t stack = 0;
  if (SAMPLES->magic != MAGIC) end();
  const uint8_t *from = (const uint8_t *)(SAMPLES + 1);
  for (uint32_t i = 0; i < SAMPLES->samples; i++) {
    from = fill(from);
    uint32_t used = 0;
    if (SAMPLES->mode & COUNT)
      count_all();
    else
      used = stack_of(invoke);
    if (used > stack) stack = used;
    answer();
  }
  put('E');
  put_word(stack);
  end();
}
