/* A generated model. */
#ifndef EDGE_PROGRAM_H
#define EDGE_PROGRAM_H

#include <stdint.h>

extern int8_t edge_arena[];
extern void (*const edge_layers[])(void);
extern const int32_t edge_layer_count;

/* One inference: inputs and outputs lie in the arena. */
static inline void edge_invoke(void) {
  for (int32_t i = 0; i < edge_layer_count; i++) edge_layers[i]();
}

#endif
