/* Codebook and outliers depend on each other: the best outliers for a codebook are the numbers with the largest errors, the
 * best codebook for given outliers is that of the other numbers. Fitting alternates between the two, each step an optimum,
 * so the error only falls; a few rounds settle it.
 *
 * Applying reads each number once: its key leads into a table of indices, and into a table that says whether the key has
 * outliers; both fit the second-level cache. */
#include "infer/compress/encoding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/compress/histogram.h"
#include "kernels/kernels.h"

enum {
    ROUNDS_MAX = 8,
    SPAN = 1 << 10, /* numbers that are looked at again when an outlier is among them */
};
static const double settled = 1e-4; /* a round that gains a smaller part of the error is the last */

/* --- fitting ---------------------------------------------------------------------------------------------------------- */

/* What one round works on; everything is [points]. */
struct fitting {
    const struct histogram *histogram;
    double *errors;       /* squared distance of each point from its code */
    uint32_t *order;      /* points by falling error */
    uint32_t *taken;      /* how many numbers of each point are outliers */
    struct point *others; /* the numbers that are not */
};

static bool fitting_init(struct fitting *fit, const struct histogram *histogram)
{
    const size_t count = histogram->count + 1;

    *fit = (struct fitting){
        .histogram = histogram,
        .errors = malloc(count * sizeof(double)),
        .order = malloc(count * sizeof(uint32_t)),
        .taken = malloc(count * sizeof(uint32_t)),
        .others = malloc(count * sizeof(struct point)),
    };
    return fit->errors && fit->order && fit->taken && fit->others;
}

static void fitting_finish(struct fitting *fit)
{
    free(fit->errors);
    free(fit->order);
    free(fit->taken);
    free(fit->others);
}

/* Squared distances from the nearest of ascending codes. */
static void measure(struct fitting *fit, const float *codebook, int codes)
{
    const struct histogram *histogram = fit->histogram;
    int code = 0;

    for (size_t i = 0; i < histogram->count; i++) {
        const double value = histogram->points[i].value;
        while (code + 1 < codes &&
               fabs((double)codebook[code + 1] - value) < fabs((double)codebook[code] - value))
            code++;
        fit->errors[i] = ((double)codebook[code] - value) * ((double)codebook[code] - value);
    }
}

/* Squared distances from the mean: what a codebook of one would leave, a start that finds the tails. */
static void measure_spread(struct fitting *fit)
{
    const struct histogram *histogram = fit->histogram;
    double sum = 0.0, weight = 0.0;

    for (size_t i = 0; i < histogram->count; i++) {
        sum += histogram->points[i].weight * histogram->points[i].value;
        weight += histogram->points[i].weight;
    }
    const float mean = (float)(sum / weight);
    measure(fit, &mean, 1);
}

static int compare_errors(const void *left, const void *right, void *argument)
{
    const double *errors = argument;
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    if (errors[a] != errors[b])
        return errors[a] > errors[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Takes the `most` numbers with the largest errors; zero and what is exact already are never taken. */
static int64_t take_worst(struct fitting *fit, int64_t most)
{
    const struct histogram *histogram = fit->histogram;
    int64_t left = most;

    for (size_t i = 0; i < histogram->count; i++) {
        fit->order[i] = (uint32_t)i;
        fit->taken[i] = 0;
    }
    if (most > 0)
        qsort_r(fit->order, histogram->count, sizeof *fit->order, compare_errors, fit->errors);
    for (size_t i = 0; i < histogram->count && left > 0; i++) {
        const struct point *point = &histogram->points[fit->order[i]];
        if (fit->errors[fit->order[i]] == 0.0)
            break;
        if (point->value == 0.0)
            continue;
        const int64_t count = point->weight < (double)left ? (int64_t)point->weight : left;
        fit->taken[fit->order[i]] = (uint32_t)count;
        left -= count;
    }
    return most - left;
}

/* Squared error of the numbers that are not taken. */
static double remaining_error(const struct fitting *fit)
{
    const struct histogram *histogram = fit->histogram;
    double error = histogram->scatter;

    for (size_t i = 0; i < histogram->count; i++)
        error += (histogram->points[i].weight - fit->taken[i]) * fit->errors[i];
    return error;
}

/* The best codebook of what is not taken; its codes, 0 when memory is exhausted. */
static int fit_others(struct fitting *fit, float *codebook)
{
    const struct histogram *histogram = fit->histogram;
    double centroids[ENCODING_CODES];
    size_t count = 0;

    for (size_t i = 0; i < histogram->count; i++) {
        const double weight = histogram->points[i].weight - fit->taken[i];
        if (weight > 0.0)
            fit->others[count++] = (struct point){histogram->points[i].value, weight};
    }
    const int codes = kmeans_fit(fit->others, count, ENCODING_CODES, centroids);
    for (int i = 0; i < codes; i++)
        codebook[i] = (float)centroids[i];
    return codes;
}

/* Alternates until nothing is gained. Ends with `taken` as the encoding's codebook wants it. */
static bool alternate(struct encoding *encoding, struct fitting *fit, int64_t sidecar_max)
{
    float codebook[ENCODING_CODES];

    encoding->squared_error = INFINITY;
    measure_spread(fit);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        take_worst(fit, sidecar_max);
        const int codes = fit_others(fit, codebook);
        if (codes == 0)
            return false;
        measure(fit, codebook, codes);
        take_worst(fit, sidecar_max);
        const double error = remaining_error(fit), before = encoding->squared_error;
        if (error < before) {
            encoding->codes = codes;
            memcpy(encoding->codebook, codebook, sizeof codebook);
            encoding->squared_error = error;
        }
        if (sidecar_max == 0 || !(error < before - settled * before))
            break;
    }
    measure(fit, encoding->codebook, encoding->codes);
    encoding->sidecar_count = take_worst(fit, sidecar_max);
    return true;
}

static int compare_keys(const void *left, const void *right)
{
    const uint32_t a = ((const struct outlier *)left)->key,
                   b = ((const struct outlier *)right)->key;

    return (a > b) - (a < b);
}

/* Outliers in order of their keys. */
static bool list_outliers(struct encoding *encoding, const struct fitting *fit)
{
    const struct histogram *histogram = fit->histogram;

    encoding->outliers = malloc(((size_t)encoding->sidecar_count + 1) * sizeof *encoding->outliers);
    if (!encoding->outliers)
        return false;
    for (size_t i = 0; i < histogram->count; i++)
        if (fit->taken[i] > 0)
            encoding->outliers[encoding->outlier_count++] =
                (struct outlier){histogram->keys[i], fit->taken[i]};
    qsort(encoding->outliers, (size_t)encoding->outlier_count, sizeof *encoding->outliers,
          compare_keys);
    return true;
}

bool encoding_fit(struct encoding *encoding, const struct tensor *tensor, int64_t sidecar_max,
                  struct error *error)
{
    struct histogram histogram;
    struct fitting fit = {0};
    bool fitted = false;

    *encoding = (struct encoding){0};
    if (!histogram_init(&histogram, tensor, error))
        goto done;
    if (histogram.count == 0) {
        error_set(error, ERROR_INPUT, "%s: tensor %s: is empty", tensor->file, tensor->name);
        goto done;
    }
    if (sidecar_max >= tensor->count)
        sidecar_max = tensor->count - 1; /* something is left for the codebook */
    fitted = fitting_init(&fit, &histogram) && alternate(encoding, &fit, sidecar_max) &&
             list_outliers(encoding, &fit);
    if (!fitted)
        error_set(error, ERROR_MEMORY, "%s: not enough memory to fit a codebook", tensor->name);
    encoding->squared_norm = histogram.scatter;
    for (size_t i = 0; i < histogram.count; i++)
        encoding->squared_norm +=
            histogram.points[i].weight * histogram.points[i].value * histogram.points[i].value;

done:
    fitting_finish(&fit);
    histogram_finish(&histogram);
    return fitted;
}

void encoding_finish(struct encoding *encoding)
{
    free(encoding->outliers);
    *encoding = (struct encoding){0};
}

/* --- applying --------------------------------------------------------------------------------------------------------- */

/* Tables by key, and where results go. */
struct application {
    const struct encoding *encoding;
    const struct encoded *out;
    enum dtype dtype;
    uint8_t *indices;   /* [keys] nearest code; F32: that of the key's least number */
    uint8_t *marks;     /* [keys] 1: has outliers left */
    uint32_t *left;     /* [outlier_count] how many */
    int64_t found;      /* outliers so far */
    double *boundaries; /* [codes - 1] halfway between codes */
    uint8_t *block;     /* [TENSOR_BLOCK] indices that are handed out together */
};

/* A finite number of each key: its only one, or, for F32, its least. */
static float least_of_key(const struct application *apply, uint32_t key)
{
    float value;

    if (apply->dtype == DTYPE_F32) {
        const uint32_t low_bits = 32 - HISTOGRAM_F32_KEY_BITS;
        const bool negative = key >> (HISTOGRAM_F32_KEY_BITS - 1);
        const uint32_t pattern = key << low_bits | (negative ? (1u << low_bits) - 1 : 0);
        memcpy(&value, &pattern, sizeof value);
    } else {
        const uint16_t pattern = (uint16_t)key;
        dtype_widen(apply->dtype, &pattern, &value, 1);
    }
    return value;
}

static uint8_t nearest(const struct application *apply, double value)
{
    int low = 0, high = apply->encoding->codes - 1;

    while (low < high) {
        const int middle = (low + high) / 2;
        if (value > apply->boundaries[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return (uint8_t)low;
}

static bool application_init(struct application *apply, const struct encoding *encoding,
                             const struct tensor *tensor, const struct encoded *out)
{
    const bool wide = tensor->type == TENSOR_F32;
    const size_t keys = (size_t)1 << (wide ? HISTOGRAM_F32_KEY_BITS : 16);

    *apply = (struct application){
        .encoding = encoding,
        .out = out,
        .dtype = wide                         ? DTYPE_F32
                 : tensor->type == TENSOR_F16 ? DTYPE_F16
                                              : DTYPE_BF16,
        .indices = malloc(keys),
        .marks = calloc(keys, 1),
        .left = malloc(((size_t)encoding->outlier_count + 1) * sizeof(uint32_t)),
        .boundaries = malloc(ENCODING_CODES * sizeof(double)),
        .block = malloc(TENSOR_BLOCK),
    };
    if (!apply->indices || !apply->marks || !apply->left || !apply->boundaries || !apply->block)
        return false;
    for (int i = 0; i + 1 < encoding->codes; i++)
        apply->boundaries[i] =
            ((double)encoding->codebook[i] + (double)encoding->codebook[i + 1]) / 2;
    for (size_t key = 0; key < keys; key++)
        apply->indices[key] = nearest(apply, (double)least_of_key(apply, (uint32_t)key));
    for (int i = 0; i < encoding->outlier_count; i++) {
        apply->marks[encoding->outliers[i].key] = 1;
        apply->left[i] = encoding->outliers[i].count;
    }
    return true;
}

static void application_finish(struct application *apply)
{
    free(apply->indices);
    free(apply->marks);
    free(apply->left);
    free(apply->boundaries);
    free(apply->block);
}

/* Records the number at `position` if its key has outliers left. */
static void take_outlier(struct application *apply, uint32_t key, int64_t position, float value)
{
    const struct encoding *encoding = apply->encoding;
    const struct encoded *out = apply->out;
    const struct outlier wanted = {.key = key};

    if (!apply->marks[key])
        return;
    const struct outlier *outlier = bsearch(
        &wanted, encoding->outliers, (size_t)encoding->outlier_count, sizeof wanted, compare_keys);
    out->positions[apply->found] = position;
    out->values[apply->found++] = value;
    if (--apply->left[outlier - encoding->outliers] == 0)
        apply->marks[key] = 0;
}

/* Indices of up to SPAN 16-bit numbers at flat position `first`. */
static void apply_narrow(struct application *apply, const uint16_t *keys, int64_t first,
                         int64_t count, uint8_t *indices)
{
    uint8_t marked = 0;

    for (int64_t i = 0; i < count; i++) {
        indices[i] = apply->indices[keys[i]];
        marked |= apply->marks[keys[i]];
    }
    for (int64_t i = 0; marked && i < count; i++) {
        float value;
        dtype_widen(apply->dtype, &keys[i], &value, 1);
        take_outlier(apply, keys[i], first + i, value);
    }
}

/* Indices of F32 numbers: from the key's least number on, up to the nearest code. */
static void apply_wide(struct application *apply, const void *numbers, int64_t first, int64_t count,
                       uint8_t *indices)
{
    const int last = apply->encoding->codes - 1;
    const uint32_t *patterns = numbers;
    const float *values = numbers;

    for (int64_t i = 0; i < count; i++) {
        const uint32_t key = patterns[i] >> (32 - HISTOGRAM_F32_KEY_BITS);
        int index = apply->indices[key];
        while (index < last && (double)values[i] > apply->boundaries[index])
            index++;
        indices[i] = (uint8_t)index;
        take_outlier(apply, key, first + i, values[i]);
    }
}

static bool apply_block(void *user, const void *numbers, int64_t first, int64_t count)
{
    struct application *apply = user;
    const struct encoded *out = apply->out;

    if (apply->dtype == DTYPE_F32)
        apply_wide(apply, numbers, first, count, apply->block);
    for (int64_t at = 0; apply->dtype != DTYPE_F32 && at < count; at += SPAN)
        apply_narrow(apply, (const uint16_t *)numbers + at, first + at,
                     count - at < SPAN ? count - at : SPAN, apply->block + at);
    return out->on_indices(out->user, apply->block, first, count);
}

bool encoding_apply(const struct encoding *encoding, const struct tensor *tensor,
                    const struct encoded *out, struct error *error)
{
    struct application apply;
    const bool applied =
        (application_init(&apply, encoding, tensor, out) ||
         error_set(error, ERROR_MEMORY, "%s: not enough memory to encode it", tensor->name)) &&
        safetensors_walk(tensor, apply_block, &apply, error);

    application_finish(&apply);
    return applied;
}
