/* One pass that counts keys; then the keys are walked in the order of their values: negative numbers from the largest
 * pattern down, then positive ones up. Signed zeros are one value. */
#include "infer/compress/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

enum {
    KEYS_16 = 1 << 16,
    KEYS_32 = 1 << HISTOGRAM_F32_KEY_BITS,
    FEW_VALUES = 256, /* F32: as many are kept apart exactly */
};

/* What is known of the numbers of one key. */
struct bin {
    double count, sum, squares;
};

static bool refuse_not_finite(const struct tensor *tensor, struct error *error)
{
    return error_set(error, ERROR_INPUT, "%s: tensor %s: holds a number that is not finite",
                     tensor->file, tensor->name);
}

static bool refuse_memory(const struct tensor *tensor, struct error *error)
{
    return error_set(error, ERROR_MEMORY, "%s: not enough memory to count its values",
                     tensor->name);
}

/* Appends a point; equal values (signed zeros) become one. */
static void add_point(struct histogram *histogram, double value, double weight, uint32_t key)
{
    const size_t last = histogram->count - 1;

    if (histogram->count > 0 && histogram->points[last].value == value) {
        histogram->points[last].weight += weight;
        return;
    }
    histogram->points[histogram->count] = (struct point){value, weight};
    histogram->keys[histogram->count++] = key;
}

static bool reserve(struct histogram *histogram, size_t points)
{
    histogram->points = malloc((points + 1) * sizeof *histogram->points);
    histogram->keys = malloc((points + 1) * sizeof *histogram->keys);
    return histogram->points && histogram->keys;
}

/* i-th key of `keys` in order of value; the upper half of keys are the negative numbers. */
static uint32_t key_in_order(uint32_t i, uint32_t keys)
{
    return i < keys / 2 ? keys - 1 - i : i - keys / 2;
}

/* --- 16 bits ---------------------------------------------------------------------------------------------------------- */

static bool count_block(void *user, const void *numbers, int64_t first, int64_t count)
{
    const uint16_t *patterns = numbers;
    uint32_t *counts = user;

    (void)first;
    for (int64_t i = 0; i < count; i++)
        counts[patterns[i]]++;
    return true;
}

static bool count_patterns(struct histogram *histogram, const struct tensor *tensor,
                           struct error *error)
{
    const enum dtype dtype = tensor->type == TENSOR_F16 ? DTYPE_F16 : DTYPE_BF16;
    uint32_t *counts = calloc(KEYS_16, sizeof *counts);
    bool counted = false;
    size_t distinct = 0;

    if (!counts) {
        refuse_memory(tensor, error);
        goto done;
    }
    if (!safetensors_walk(tensor, count_block, counts, error))
        goto done;

    for (uint32_t key = 0; key < KEYS_16; key++)
        distinct += counts[key] > 0;
    if (!reserve(histogram, distinct)) {
        refuse_memory(tensor, error);
        goto done;
    }
    for (uint32_t i = 0; i < KEYS_16; i++) {
        const uint32_t key = key_in_order(i, KEYS_16);
        const uint16_t pattern = (uint16_t)key;
        float value;
        if (counts[key] == 0)
            continue;
        dtype_widen(dtype, &pattern, &value, 1);
        if (!isfinite(value)) {
            refuse_not_finite(tensor, error);
            goto done;
        }
        add_point(histogram, (double)value, (double)counts[key], key);
    }
    counted = true;

done:
    free(counts);
    return counted;
}

/* --- 32 bits ---------------------------------------------------------------------------------------------------------- */

/* Place of a value among sorted points [count], or where it belongs. */
static size_t place_of(const struct point *points, size_t count, double value)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (points[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Values in ascending order, as long as they are few. */
struct few {
    struct point points[FEW_VALUES];
    size_t count;
};

/* Stops where a number is not finite, or one value too many. */
static bool add_few(void *user, const void *numbers, int64_t first, int64_t count)
{
    const float *values = numbers;
    struct few *few = user;

    (void)first;
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)values[i];
        struct point *at = few->points + place_of(few->points, few->count, value);
        const size_t after = (size_t)(few->points + few->count - at);
        if (after == 0 || at->value != value) {
            if (!isfinite(value) || few->count == FEW_VALUES)
                return false;
            memmove(at + 1, at, after * sizeof *at);
            *at = (struct point){value, 0.0};
            few->count++;
        }
        at->weight += 1.0;
    }
    return true;
}

/* Tensors of up to FEW_VALUES values, which a codebook holds exactly; false for others. Keys are all 0: nothing of such a
 * tensor is ever an outlier. */
static bool count_few(struct histogram *histogram, const struct tensor *tensor)
{
    struct few few = {.count = 0};

    if (!safetensors_walk(tensor, add_few, &few, NULL))
        return false;
    if (!reserve(histogram, few.count)) {
        histogram_finish(histogram);
        return false;
    }
    for (size_t i = 0; i < few.count; i++)
        add_point(histogram, few.points[i].value, few.points[i].weight, 0);
    return true;
}

/* What a walk that fills bins needs to know. */
struct binning {
    struct bin *bins;
    const struct tensor *tensor;
    struct error *error;
};

static bool fill_bins(void *user, const void *numbers, int64_t first, int64_t count)
{
    const struct binning *binning = user;
    const float *values = numbers;
    const uint32_t *patterns = numbers;

    (void)first;
    for (int64_t i = 0; i < count; i++) {
        const double value = (double)values[i];
        struct bin *bin = &binning->bins[patterns[i] >> (32 - HISTOGRAM_F32_KEY_BITS)];
        if (!isfinite(value))
            return refuse_not_finite(binning->tensor, binning->error);
        bin->count += 1.0;
        bin->sum += value;
        bin->squares += value * value;
    }
    return true;
}

static bool count_bins(struct histogram *histogram, const struct tensor *tensor,
                       struct error *error)
{
    struct binning binning = {calloc(KEYS_32, sizeof *binning.bins), tensor, error};
    bool counted = false;

    if (!binning.bins || !reserve(histogram, KEYS_32)) {
        refuse_memory(tensor, error);
        goto done;
    }
    if (!safetensors_walk(tensor, fill_bins, &binning, error))
        goto done;
    for (uint32_t i = 0; i < KEYS_32; i++) {
        const struct bin *bin = &binning.bins[key_in_order(i, KEYS_32)];
        if (bin->count == 0.0)
            continue;
        const double mean = bin->sum / bin->count;
        histogram->scatter += fmax(bin->squares - bin->sum * mean, 0.0);
        add_point(histogram, mean, bin->count, key_in_order(i, KEYS_32));
    }
    counted = true;

done:
    free(binning.bins);
    return counted;
}

bool histogram_init(struct histogram *histogram, const struct tensor *tensor, struct error *error)
{
    *histogram = (struct histogram){0};
    if (tensor->count > UINT32_MAX)
        return error_set(error, ERROR_LIMIT, "%s: tensor %s: more than %u numbers", tensor->file,
                         tensor->name, UINT32_MAX);
    switch (tensor->type) {
    case TENSOR_F16:
    case TENSOR_BF16:
        return count_patterns(histogram, tensor, error);
    case TENSOR_F32:
        return count_few(histogram, tensor) || count_bins(histogram, tensor, error);
    default:
        return error_set(error, ERROR_INPUT, "%s: tensor %s: F32, F16 or BF16 is expected",
                         tensor->file, tensor->name);
    }
}

void histogram_finish(struct histogram *histogram)
{
    free(histogram->points);
    free(histogram->keys);
    *histogram = (struct histogram){0};
}
