/*
 * What a program needs before main: a vector table and memory in place.
 *
 * Included once by each program; the addresses come from the linker script.
 */
#ifndef EDGE_START_H
#define EDGE_START_H

#include <stdint.h>

extern uint32_t edge_stack_top[], edge_data[], edge_data_end[], edge_data_load[];
extern uint32_t edge_bss[], edge_bss_end[];

int main(void);
void edge_fault(void);
void edge_tick(void);

#define EDGE_REGISTER(address) (*(volatile uint32_t *)(address))

static void start(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  EDGE_REGISTER(0xE000ED88) |= 0xFu << 20; /* CPACR: the floating-point unit */
  __asm volatile("dsb\n isb" ::: "memory");
#endif
  for (uint32_t *to = edge_data, *from = edge_data_load; to < edge_data_end;) *to++ = *from++;
  for (uint32_t *to = edge_bss; to < edge_bss_end;) *to++ = 0;
  main();
}

/* Stack, reset, NMI, faults, system calls, PendSV and SysTick. */
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    edge_stack_top, (void *)start, (void *)edge_fault, (void *)edge_fault,
    (void *)edge_fault, (void *)edge_fault, (void *)edge_fault, (void *)edge_fault,
    0, 0, 0, (void *)edge_fault, (void *)edge_fault, 0, (void *)edge_fault, (void *)edge_tick,
};

#endif
