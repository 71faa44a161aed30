/* Fixed point as gemmlowp and TensorFlow Lite define it. */
#ifndef EDGE_FIXED_H
#define EDGE_FIXED_H

#include <stdint.h>

/* The high 32 bits of 2ab, rounded to nearest (ties up). */
static inline int32_t edge_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^exponent, rounded to nearest, ties away from zero. */
static inline int32_t edge_shift_right(int32_t x, int32_t exponent) {
  int32_t mask = (int32_t)((1u << exponent) - 1);
  int32_t rest = x & mask;
  int32_t half = (mask >> 1) + (x < 0);
  return (x >> exponent) + (rest > half);
}

static inline int32_t edge_shift_left(int32_t x, int32_t exponent) {
  return (int32_t)((uint32_t)x << exponent);
}

/* x * multiplier * 2^(shift - 31) */
static inline int32_t edge_scale(int32_t x, int32_t multiplier, int32_t shift) {
  if (shift > 0) return edge_high_mul(edge_shift_left(x, shift), multiplier);
  return edge_shift_right(edge_high_mul(x, multiplier), -shift);
}

static inline int32_t edge_clamp(int32_t x, int32_t min, int32_t max) {
  if (x < min) return min;
  return x > max ? max : x;
}

#endif
