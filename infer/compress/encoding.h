/* One matrix in HXQ form: the best codebook and the outliers that are kept exactly.
 *
 * An encoding is fitted to all of a tensor's numbers, without looking at more than their histogram; applying it to the
 * tensor gives indices and the outliers' places. It is a plain value that can be stored and read back; whoever fits it
 * finishes it. Encodings of different tensors may be worked on by several threads.
 */
#ifndef INFER_COMPRESS_ENCODING_H
#define INFER_COMPRESS_ENCODING_H

#include "infer/safetensors.h"

enum { ENCODING_CODES = 256, ENCODING_SIDECAR_MAX = 1 << 16 };

/* The first `count` numbers, in flat order, of one key of the histogram. */
struct outlier {
    uint32_t key, count;
};

struct encoding {
    int codes;                      /* min(ENCODING_CODES, distinct values) */
    float codebook[ENCODING_CODES]; /* [codes] ascending */
    int64_t sidecar_count;          /* numbers kept exactly */
    int outlier_count;
    struct outlier *outliers; /* [outlier_count] */
    double
        squared_error; /* of all numbers, outliers kept; an upper bound where F32 was counted in bins */
    double squared_norm; /* sum of squares of all numbers */
};

/* Fits a codebook and the choice of at most `sidecar_max` outliers (0..ENCODING_SIDECAR_MAX) so that the squared error is
 * least. False with an error that names the tensor; finish it all the same. */
bool encoding_fit(struct encoding *encoding, const struct tensor *tensor, int64_t sidecar_max,
                  struct error *error);
void encoding_finish(struct encoding *encoding);

/* Where results of applying an encoding go. */
struct encoded {
    int64_t *positions; /* [sidecar_count] ascending flat positions */
    float *values;      /* [sidecar_count] exact */
    /* Takes the indices of the numbers [first, first + count); false stops. */
    bool (*on_indices)(void *user, const uint8_t *indices, int64_t first, int64_t count);
    void *user;
};

/* Applies an encoding to the tensor it was fitted to: every number's index is that of the nearest code, the lower one of
 * two equally near. False with an error, or when on_indices says so (which then fills an error of its own). */
bool encoding_apply(const struct encoding *encoding, const struct tensor *tensor,
                    const struct encoded *out, struct error *error);

#endif
