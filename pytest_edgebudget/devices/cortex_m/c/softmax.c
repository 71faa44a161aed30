/*
 * Softmax of 8-bit rows, in fixed point.
 *
 * A number with n integer bits is raw * 2^(n - 31). The exponential and the
 * reciprocal are gemmlowp's (fixedpoint.h: exp_on_negative_values and
 * one_over_one_plus_x_for_x_in_0_1), with 5 integer bits for differences and 12
 * for their sum, as TensorFlow Lite's reference kernel has them.
 */
#include "fixed.h"
#include "kernels.h"

enum { DIFFERENCE_BITS = 5, SUM_BITS = 12, FRACTION = 31 - DIFFERENCE_BITS };

static int32_t saturating_left(int32_t x, int32_t exponent) {
  int32_t most = INT32_MAX >> exponent;
  if (x > most) return INT32_MAX;
  if (x < -most) return INT32_MIN;
  return edge_shift_left(x, exponent);
}

/* exp(a) for -1/4 <= a < 0, no integer bits: a Taylor series around -1/8. */
static int32_t exp_of_little(int32_t a) {
  const int32_t exp_of_eighth = 1895147668, third = 715827883;
  int32_t x = a + (1 << 28);
  int32_t x2 = edge_high_mul(x, x);
  int32_t x3 = edge_high_mul(x2, x);
  int32_t x4 = edge_high_mul(x2, x2);
  int32_t rest = edge_high_mul(edge_shift_right(x4, 2) + x3, third) + x2;
  return exp_of_eighth + edge_high_mul(exp_of_eighth, x + edge_shift_right(rest, 1));
}

/* exp(a) for a <= 0 with 5 integer bits; the result has none. */
static int32_t exp_of(int32_t a) {
  /* exp(-2^k) for k = -2 .. 4 */
  static const int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308,
                                   39332535,   720401,     242};
  const int32_t quarter = 1 << (FRACTION - 2);
  int32_t little = (a & (quarter - 1)) - quarter;
  int32_t result = exp_of_little(saturating_left(little, DIFFERENCE_BITS));
  int32_t rest = little - a;
  if (a == 0) return INT32_MAX;
  for (int32_t k = 0; k < 7; k++)
    if (rest & (1 << (FRACTION - 2 + k))) result = edge_high_mul(result, powers[k]);
  return result;
}

/* 1 / (1 + a) for 0 <= a < 1 without integer bits: three steps of Newton's method. */
static int32_t reciprocal_above_one(int32_t a) {
  const int32_t of_48_17 = 1515870810, of_minus_32_17 = -1010580540; /* 2 integer bits */
  int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
  int32_t x = of_48_17 + edge_high_mul(half, of_minus_32_17);
  for (int32_t i = 0; i < 3; i++) {
    int32_t error = (1 << 29) - edge_high_mul(half, x);
    x += saturating_left(edge_high_mul(x, error), 2);
  }
  return saturating_left(x, 1);
}

static int32_t exponential(const edge_softmax *layer, int32_t difference) {
  int32_t scaled = edge_high_mul(edge_shift_left(difference, layer->shift), layer->multiplier);
  return exp_of(scaled);
}

static void softmax_row(const edge_softmax *layer, const int8_t *in, int8_t *out) {
  int32_t most = INT8_MIN, sum = 0;
  for (int32_t i = 0; i < layer->depth; i++)
    if (in[i] > most) most = in[i];
  for (int32_t i = 0; i < layer->depth; i++)
    if (in[i] - most >= layer->lowest)
      sum += edge_shift_right(exponential(layer, in[i] - most), SUM_BITS);
  int32_t headroom = __builtin_clz((uint32_t)sum);
  int32_t above_one = (int32_t)(((uint32_t)sum << headroom) - (1u << 31));
  int32_t scale = reciprocal_above_one(above_one);
  int32_t exponent = SUM_BITS - headroom + 31 - 8;
  for (int32_t i = 0; i < layer->depth; i++) {
    int32_t value = INT8_MIN;
    /* Of a sum of 512 and more nothing is left; the reference shifts by more than there is. */
    if (in[i] - most >= layer->lowest && exponent < 32)
      value += edge_shift_right(edge_high_mul(scale, exponential(layer, in[i] - most)), exponent);
    out[i] = (int8_t)edge_clamp(value, INT8_MIN, INT8_MAX);
  }
}

void edge_softmax_rows(const edge_softmax *layer, const int8_t *in, int8_t *out) {
  for (int32_t i = 0; i < layer->rows; i++, in += layer->depth, out += layer->depth)
    softmax_row(layer, in, out);
}
