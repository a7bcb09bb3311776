/* What the CPU backend does differently on different processors: a table of small loops per instruction set.
 *
 * Private to kernels/cpu. Everything above these loops (threads, blocks of rows, sidecars, cache layout) is written once. Each
 * set gives results that depend on its own order of sums only: never on how many rows, tokens or threads took part.
 */
#ifndef KERNELS_CPU_ISA_H
#define KERNELS_CPU_ISA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

enum {
    ISA_TILE_ROWS = 4, /* matrix rows that are multiplied together */
    ISA_EXPAND_STEP =
        64, /* expanded rows are written in steps of so many numbers: scratch must be rounded up */
    ISA_DIRECT_MAX = 8,     /* inputs that `multiply` takes at most */
    ISA_TABLE_BYTES = 1024, /* a codebook in the form that `expand` wants */
};

/* How numbers are held while they are multiplied. */
struct number_format {
    const char *name;
    size_t bytes; /* of one number */

    /* packed [cols] = in [cols]; NULL where numbers are float32 already. */
    void (*pack)(const float *in, int64_t cols, void *packed);

    /* Puts a codebook [256] into the form that `expand` wants, at most ISA_TABLE_BYTES. */
    void (*prepare)(const float *codebook, void *table);

    /* row [cols, rounded up to ISA_EXPAND_STEP] = codebook at indices [cols]. */
    void (*expand)(const void *table, const uint8_t *indices, int64_t cols, void *row);

    /* As expand and tile in one, without the way through memory, for few inputs: n <= ISA_DIRECT_MAX. The same bits as those
     * two give. NULL where it would not be faster. */
    void (*multiply)(const void *table, const uint8_t *const *indices, const void *packed,
                     int64_t stride, int64_t cols, int n, float *sums);

    /* sums [n, ISA_TILE_ROWS] = products of rows [ISA_TILE_ROWS] with n packed inputs that stand `stride` numbers apart; every
     * sum is made on its own, in one order. Rows may repeat where a matrix ends. `are_in_memory` says that the rows come
     * straight from a matrix whose next rows follow them. */
    void (*tile)(const void *const *rows, const void *packed, int64_t stride, int64_t cols, int n,
                 bool are_in_memory, float *sums);
};

struct isa {
    const char *name;
    bool (*is_supported)(void);
    const struct number_format *exact; /* float32 */
    const struct number_format
        *fast; /* 16-bit numbers, float32 sums; NULL where exact is as fast */

    float (*dot)(const float *a, const float *b, int64_t count);
    /* out [count] += weight * values [count] */
    void (*add_scaled)(float *out, const float *values, float weight, int64_t count);
    /* scores [count] become exp(score - largest) / sum */
    void (*softmax)(float *scores, int64_t count);
    void (*silu_mul)(float *gate, const float *up, int64_t count);
    /* values [count] = `source` of `dtype`, exact */
    void (*widen)(enum dtype dtype, const void *source, float *values, size_t count);
};

/* The best set that this processor has; HXQD_ISA in the environment ("portable", "avx2", "avx512") asks for another one. */
const struct isa *isa_choose(void);

/* All sets that were compiled in, best first; NULL past the end. For tests. */
const struct isa *isa_at(int index);

#endif
