/* See kernels.h. */
#include "kernels.h"

#include "fixed.h"

static int8_t scaled(const edge_scaling *scaling, int32_t channel, int32_t sum) {
  int32_t value = edge_scale(sum, scaling->multiplier[channel], scaling->shift[channel]);
  return (int8_t)edge_clamp(value + scaling->zero, scaling->min, scaling->max);
}

/* The part of a window, from *first* up to *end*, that lies within *length*. */
typedef struct {
  int32_t start, first, end;
} span;

static span inside(int32_t start, int32_t size, int32_t dilation, int32_t length) {
  span found = {start, 0, 0};
  if (start < 0) found.first = (dilation - 1 - start) / dilation;
  if (start < length) found.end = (length - start + dilation - 1) / dilation;
  if (found.end > size) found.end = size;
  return found;
}

static span rows_of(const edge_window *w, int32_t y) {
  return inside(y * w->stride_h - w->pad_h, w->size_h, w->dilation_h, w->in_h);
}

static span columns_of(const edge_window *w, int32_t x) {
  return inside(x * w->stride_w - w->pad_w, w->size_w, w->dilation_w, w->in_w);
}

static int32_t dot(const int8_t *in, const int8_t *weights, int32_t count, int32_t zero) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; i++) sum += (in[i] - zero) * weights[i];
  return sum;
}

/* The sum of one filter at one place. */
static int32_t conv_sum(const edge_conv *layer, const int8_t *in, const int8_t *filter, span rows,
                        span columns) {
  const edge_window *w = &layer->window;
  int32_t sum = 0;
  for (int32_t i = rows.first; i < rows.end; i++) {
    const int8_t *row = in + (size_t)(rows.start + i * w->dilation_h) * w->in_w * w->in_c;
    const int8_t *taps = filter + (size_t)i * w->size_w * layer->filter_c;
    for (int32_t j = columns.first; j < columns.end; j++) {
      const int8_t *pixel = row + (size_t)(columns.start + j * w->dilation_w) * w->in_c;
      sum += dot(pixel, taps + (size_t)j * layer->filter_c, layer->filter_c, layer->in_zero);
    }
  }
  return sum;
}

void edge_conv_2d(const edge_conv *layer, const int8_t *in, int8_t *out) {
  const edge_window *w = &layer->window;
  int32_t filter = w->size_h * w->size_w * layer->filter_c;
  int32_t in_group = w->out_c / (w->in_c / layer->filter_c); /* filters of a group */
  for (int32_t b = 0; b < w->batches; b++, in += (size_t)w->in_h * w->in_w * w->in_c) {
    for (int32_t y = 0; y < w->out_h; y++) {
      span rows = rows_of(w, y);
      for (int32_t x = 0; x < w->out_w; x++) {
        span columns = columns_of(w, x);
        for (int32_t c = 0; c < w->out_c; c++) {
          const int8_t *channels = in + c / in_group * layer->filter_c;
          const int8_t *weights = layer->weights + (size_t)c * filter;
          int32_t sum = layer->bias ? layer->bias[c] : 0;
          sum += conv_sum(layer, channels, weights, rows, columns);
          *out++ = scaled(&layer->scaling, c, sum);
        }
      }
    }
  }
}

static int32_t depthwise_sum(const edge_conv *layer, const int8_t *in, const int8_t *weights,
                             span rows, span columns) {
  const edge_window *w = &layer->window;
  int32_t sum = 0;
  for (int32_t i = rows.first; i < rows.end; i++) {
    const int8_t *row = in + (size_t)(rows.start + i * w->dilation_h) * w->in_w * w->in_c;
    const int8_t *taps = weights + (size_t)i * w->size_w * w->out_c;
    for (int32_t j = columns.first; j < columns.end; j++) {
      int32_t value = row[(size_t)(columns.start + j * w->dilation_w) * w->in_c];
      sum += (value - layer->in_zero) * taps[(size_t)j * w->out_c];
    }
  }
  return sum;
}

void edge_depthwise(const edge_conv *layer, const int8_t *in, int8_t *out) {
  const edge_window *w = &layer->window;
  for (int32_t b = 0; b < w->batches; b++, in += (size_t)w->in_h * w->in_w * w->in_c) {
    for (int32_t y = 0; y < w->out_h; y++) {
      span rows = rows_of(w, y);
      for (int32_t x = 0; x < w->out_w; x++) {
        span columns = columns_of(w, x);
        for (int32_t c = 0; c < w->out_c; c++) {
          int32_t sum = layer->bias ? layer->bias[c] : 0;
          const int8_t *channel = in + c / layer->filter_c;
          sum += depthwise_sum(layer, channel, layer->weights + c, rows, columns);
          *out++ = scaled(&layer->scaling, c, sum);
        }
      }
    }
  }
}

void edge_fully_connected(const edge_dense *layer, const int8_t *in, int8_t *out) {
  for (int32_t row = 0; row < layer->rows; row++, in += layer->inputs) {
    const int8_t *weights = layer->weights;
    for (int32_t unit = 0; unit < layer->units; unit++, weights += layer->inputs) {
      int32_t sum = layer->bias ? layer->bias[unit] : 0;
      if (layer->weights_zero) {
        for (int32_t i = 0; i < layer->inputs; i++)
          sum += (in[i] - layer->in_zero) * (weights[i] - layer->weights_zero);
      } else {
        sum += dot(in, weights, layer->inputs, layer->in_zero);
      }
      *out++ = scaled(&layer->scaling, layer->one_scale ? 0 : unit, sum);
    }
  }
}

/* The average of *count* numbers, rounded to nearest, ties away from zero. */
static int32_t average(int32_t sum, int32_t count) {
  return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

static int32_t pooled(const edge_window *w, const int8_t *in, span rows, span columns,
                      int average_of) {
  int32_t sum = 0, most = INT8_MIN;
  for (int32_t i = rows.first; i < rows.end; i++) {
    for (int32_t j = columns.first; j < columns.end; j++) {
      int32_t value = in[((size_t)(rows.start + i) * w->in_w + (columns.start + j)) * w->in_c];
      sum += value;
      if (value > most) most = value;
    }
  }
  int32_t count = (rows.end - rows.first) * (columns.end - columns.first);
  return average_of ? average(sum, count) : most;
}

static void pool(const edge_pool *layer, const int8_t *in, int8_t *out, int average_of) {
  const edge_window *w = &layer->window;
  for (int32_t b = 0; b < w->batches; b++, in += (size_t)w->in_h * w->in_w * w->in_c) {
    for (int32_t y = 0; y < w->out_h; y++) {
      span rows = rows_of(w, y);
      for (int32_t x = 0; x < w->out_w; x++) {
        span columns = columns_of(w, x);
        for (int32_t c = 0; c < w->out_c; c++) {
          int32_t value = pooled(w, in + c, rows, columns, average_of);
          *out++ = (int8_t)edge_clamp(value, layer->min, layer->max);
        }
      }
    }
  }
}

void edge_average_pool(const edge_pool *layer, const int8_t *in, int8_t *out) {
  pool(layer, in, out, 1);
}

void edge_max_pool(const edge_pool *layer, const int8_t *in, int8_t *out) {
  pool(layer, in, out, 0);
}

/* The steps of a walk through four dimensions. */
typedef int8_t (*edge_pair)(const edge_binary *layer, int32_t a, int32_t b);

static void each_pair(const edge_binary *layer, const int8_t *a, const int8_t *b, int8_t *out,
                      edge_pair pair) {
  const int32_t *dims = layer->dims, *sa = layer->strides_a, *sb = layer->strides_b;
  for (int32_t i = 0; i < dims[0]; i++)
    for (int32_t j = 0; j < dims[1]; j++)
      for (int32_t k = 0; k < dims[2]; k++) {
        const int8_t *left = a + (size_t)i * sa[0] + (size_t)j * sa[1] + (size_t)k * sa[2];
        const int8_t *right = b + (size_t)i * sb[0] + (size_t)j * sb[1] + (size_t)k * sb[2];
        for (int32_t l = 0; l < dims[3]; l++, left += sa[3], right += sb[3])
          *out++ = pair(layer, *left, *right);
      }
}

static int8_t sum_of(const edge_binary *layer, int32_t a, int32_t b) {
  int32_t left = edge_shift_left(a - layer->zero_a, layer->left);
  int32_t right = edge_shift_left(b - layer->zero_b, layer->left);
  int32_t sum = edge_scale(left, layer->multiplier_a, layer->shift_a) +
                edge_scale(right, layer->multiplier_b, layer->shift_b);
  int32_t value = edge_scale(sum, layer->multiplier, layer->shift) + layer->zero;
  return (int8_t)edge_clamp(value, layer->min, layer->max);
}

static int8_t product_of(const edge_binary *layer, int32_t a, int32_t b) {
  int32_t product = (a - layer->zero_a) * (b - layer->zero_b);
  int32_t value = edge_scale(product, layer->multiplier, layer->shift) + layer->zero;
  return (int8_t)edge_clamp(value, layer->min, layer->max);
}

void edge_add(const edge_binary *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  each_pair(layer, a, b, out, sum_of);
}

void edge_mul(const edge_binary *layer, const int8_t *a, const int8_t *b, int8_t *out) {
  each_pair(layer, a, b, out, product_of);
}

void edge_requantize_all(const edge_requantize *layer, const int8_t *in, int8_t *out) {
  for (int32_t i = 0; i < layer->count; i++) {
    int32_t value = edge_scale(in[i] - layer->in_zero, layer->multiplier, layer->shift);
    out[i] = (int8_t)edge_clamp(value + layer->zero, layer->min, layer->max);
  }
}

/* Rounded to nearest, ties away from zero; what is no number becomes 0. */
static int32_t rounded(float x) {
  if (x != x) return 0;
  if (x >= 1e6f) return 1000000;
  if (x <= -1e6f) return -1000000;
  int32_t whole = (int32_t)x;
  float rest = x - (float)whole;
  if (rest >= 0.5f) return whole + 1;
  return rest <= -0.5f ? whole - 1 : whole;
}

void edge_quantize(const edge_affine *layer, const float *in, int8_t *out) {
  for (int32_t i = 0; i < layer->count; i++)
    out[i] = (int8_t)edge_clamp(rounded(in[i] / layer->scale) + layer->zero, -128, 127);
}

void edge_dequantize(const edge_affine *layer, const int8_t *in, float *out) {
  for (int32_t i = 0; i < layer->count; i++)
    out[i] = layer->scale * (float)(in[i] - layer->zero);
}

void edge_pad_all(const edge_pad *layer, const int8_t *in, int8_t *out) {
  const int32_t *n = layer->out, *size = layer->in, *before = layer->before;
  for (int32_t i = 0; i < n[0]; i++)
    for (int32_t j = 0; j < n[1]; j++)
      for (int32_t k = 0; k < n[2]; k++) {
        int32_t a = i - before[0], b = j - before[1], c = k - before[2];
        int within = a >= 0 && a < size[0] && b >= 0 && b < size[1] && c >= 0 && c < size[2];
        const int8_t *row = in + (((size_t)a * size[1] + b) * size[2] + c) * size[3];
        for (int32_t l = 0; l < n[3]; l++) {
          int32_t d = l - before[3];
          *out++ = within && d >= 0 && d < size[3] ? row[d] : (int8_t)layer->value;
        }
      }
}

void edge_copy_rows(const edge_copy *layer, const int8_t *in, int8_t *out) {
  for (int32_t i = 0; i < layer->rows; i++, out += layer->stride)
    for (int32_t j = 0; j < layer->width; j++) out[j] = *in++;
}

void edge_look_up(const edge_table *layer, const int8_t *in, int8_t *out) {
  for (int32_t i = 0; i < layer->count; i++) out[i] = layer->answers[in[i] + 128];
}

void edge_mean_rows(const edge_mean *layer, const int8_t *in, int8_t *out) {
  for (int32_t b = 0; b < layer->batches; b++, in += (size_t)layer->area * layer->depth) {
    for (int32_t c = 0; c < layer->depth; c++) {
      int32_t sum = -layer->area * layer->in_zero;
      for (int32_t i = 0; i < layer->area; i++) sum += in[(size_t)i * layer->depth + c];
      int32_t value = edge_scale(sum, layer->multiplier, layer->shift);
      *out++ = (int8_t)edge_clamp(value + layer->zero, -128, 127);
    }
  }
}
