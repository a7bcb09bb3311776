/* The distinct values of a float tensor and how often each occurs.
 *
 * Numbers are told apart by a key: all 16 bits of BF16 and F16, so that the histogram is exact; the upper 20 bits of F32
 * (11 of mantissa), where a point stands for its numbers' mean. F32 tensors of few values, or that hold widened 16-bit
 * numbers, are exact too. Refuses numbers that are not finite. Whoever makes a histogram finishes it; any thread.
 */
#ifndef INFER_COMPRESS_HISTOGRAM_H
#define INFER_COMPRESS_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/compress/kmeans.h"
#include "infer/error.h"
#include "infer/safetensors.h"

enum { HISTOGRAM_F32_KEY_BITS = 20 };

struct histogram {
    struct point *points; /* [count] sorted by value */
    uint32_t *keys;       /* [count] of the points */
    size_t count;
    double scatter; /* sum of squared distances of numbers from their points */
};

/* Counts a tensor of F32, F16 or BF16. False with an error that names the tensor. */
bool histogram_init(struct histogram *histogram, const struct tensor *tensor, struct error *error);
void histogram_finish(struct histogram *histogram);

#endif
