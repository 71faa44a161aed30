/*
 * Layers of 8-bit models, in plain C without a library.
 *
 * The arithmetic is that of TensorFlow Lite's reference kernels, to the bit:
 * written from the formulas of its quantization specification and of gemmlowp's
 * fixed point, and compared with them by tests/devices/cortex_m.
 */
#ifndef EDGE_KERNELS_H
#define EDGE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* How sums become outputs: real factor = multiplier * 2^(shift - 31), one a channel. */
typedef struct {
  const int32_t *multiplier;
  const int8_t *shift;
  int32_t zero;     /* the output's zero point */
  int32_t min, max; /* of the activation */
} edge_scaling;

/* A window over an image, NHWC. */
typedef struct {
  int32_t batches, in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t size_h, size_w, stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w;
} edge_window;

typedef struct {
  edge_window window;
  int32_t in_zero;
  int32_t filter_c;   /* depth of a filter: in_c / groups; depthwise: the depth multiplier */
  const int8_t *weights; /* OHWI; depthwise: HWO */
  const int32_t *bias;   /* NULL: none */
  edge_scaling scaling;
} edge_conv;

typedef struct {
  int32_t rows, inputs, units;
  int32_t in_zero, weights_zero;
  int32_t one_scale; /* whether all units share multiplier[0] and shift[0] */
  const int8_t *weights;
  const int32_t *bias;
  edge_scaling scaling;
} edge_dense;

typedef struct {
  edge_window window;
  int32_t min, max;
} edge_pool;

typedef struct {
  int32_t rows, depth;
  int32_t multiplier, shift;
  int32_t lowest; /* differences below it are nothing */
} edge_softmax;

/* Two operands over an output of four dimensions; a stride of 0 repeats. */
typedef struct {
  int32_t dims[4], strides_a[4], strides_b[4];
  int32_t zero_a, zero_b, zero;
  int32_t multiplier_a, shift_a, multiplier_b, shift_b, multiplier, shift;
  int32_t left;
  int32_t min, max;
} edge_binary;

typedef struct {
  int32_t count;
  int32_t in_zero, zero, multiplier, shift;
  int32_t min, max;
} edge_requantize;

typedef struct {
  int32_t count;
  float scale;
  int32_t zero;
} edge_affine;

/* Four dimensions, as much of *value* before and behind each. */
typedef struct {
  int32_t in[4], before[4], out[4];
  int32_t value;
} edge_pad;

/* Rows of *width* bytes, *stride* bytes apart in the output. */
typedef struct {
  int32_t rows, width, stride;
} edge_copy;

/* The mean over neighbouring dimensions, *area* in all. */
typedef struct {
  int32_t batches, area, depth;
  int32_t in_zero, zero, multiplier, shift;
} edge_mean;

typedef struct {
  int32_t count;
  const int8_t *answers; /* to -128, -127, ... */
} edge_table;

void edge_conv_2d(const edge_conv *layer, const int8_t *in, int8_t *out);
void edge_depthwise(const edge_conv *layer, const int8_t *in, int8_t *out);
void edge_fully_connected(const edge_dense *layer, const int8_t *in, int8_t *out);
void edge_average_pool(const edge_pool *layer, const int8_t *in, int8_t *out);
void edge_max_pool(const edge_pool *layer, const int8_t *in, int8_t *out);
void edge_softmax_rows(const edge_softmax *layer, const int8_t *in, int8_t *out);
void edge_add(const edge_binary *layer, const int8_t *a, const int8_t *b, int8_t *out);
void edge_mul(const edge_binary *layer, const int8_t *a, const int8_t *b, int8_t *out);
void edge_requantize_all(const edge_requantize *layer, const int8_t *in, int8_t *out);
void edge_quantize(const edge_affine *layer, const float *in, int8_t *out);
void edge_dequantize(const edge_affine *layer, const int8_t *in, float *out);
void edge_pad_all(const edge_pad *layer, const int8_t *in, int8_t *out);
void edge_copy_rows(const edge_copy *layer, const int8_t *in, int8_t *out);
void edge_look_up(const edge_table *layer, const int8_t *in, int8_t *out);
void edge_mean_rows(const edge_mean *layer, const int8_t *in, int8_t *out);

#endif
