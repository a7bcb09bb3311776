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
    ISA_STEP = 64,       /* numbers are taken in steps of so many: a row's last step is filled up */
    ISA_TILE_ROWS = 4,   /* matrix rows that are multiplied together */
    ISA_TILE_INPUTS = 6, /* inputs that `tile` takes at most */
    ISA_DIRECT_INPUTS = 8,  /* inputs that `multiply` takes at most */
    ISA_DIRECT_TILES = 4,   /* tiles that it takes at most */
    ISA_CARRY_BYTES = 64,   /* a sum that is not finished: one register's worth of partial sums */
    ISA_TABLE_BYTES = 1024, /* a codebook in the form that `expand` wants */
};

/* A tile of rows times a few inputs, over a block of columns. Inputs stand in panels: [cols / ISA_STEP][inputs][ISA_STEP]
 * numbers, so that a product reads them front to back. Sums go on from block to block in `carried`, and each is made on its
 * own, in one order: what comes out depends neither on the blocks nor on what is computed beside it. */
struct isa_tile {
    const void *rows; /* [cols / ISA_STEP][ISA_TILE_ROWS][ISA_STEP], 64-byte aligned */
    const void *panel;
    int64_t cols; /* of the block, a multiple of ISA_STEP */
    int inputs;   /* 1..ISA_TILE_INPUTS */
    bool is_first, is_last;
    /* [inputs][ISA_TILE_ROWS][ISA_CARRY_BYTES], 64-byte aligned; for blocks that are not both */
    void *carried;
    bool is_streamed; /* the rows come from memory, and what is read next stands behind them */
    float *sums;      /* the last block's: of input t and row r at [t * sums_stride + r] */
    int64_t sums_stride;
};

/* How numbers are held while they are multiplied. */
struct number_format {
    const char *name;
    size_t bytes;       /* of one number */
    int64_t block_cols; /* columns of a block that fits the fastest cache, a multiple of ISA_STEP */

    /* Brings one input's columns [cols] into a panel, ISA_STEP numbers at a time with `step` numbers from one to the next,
     * filled up with zeros: in the order in which `expand` leaves them where `is_looked_up`, else in that of a dense row. */
    void (*pack)(const float *in, int64_t cols, bool is_looked_up, void *panel, int64_t step);

    /* Puts a codebook [256] into the form that `expand` wants, at most ISA_TABLE_BYTES. */
    void (*prepare)(const float *codebook, void *table);

    /* numbers [count] = codebook at indices [count], a multiple of ISA_STEP, in an order of its own within each step. */
    void (*expand)(const void *table, const uint8_t *indices, int64_t count, void *numbers);

    /* As expand and tile in one over tiles <= ISA_DIRECT_TILES whole tiles of indices [tiles][cols / ISA_STEP][ISA_TILE_ROWS]
     * [ISA_STEP], without the way through memory, for n <= ISA_DIRECT_INPUTS inputs in one panel. The same bits as those two
     * give. NULL where it would not be faster. */
    void (*multiply)(const void *table, const uint8_t *indices, int tiles, const void *panel,
                     int64_t cols, int n, float *sums, int64_t sums_stride);

    void (*tile)(const struct isa_tile *tile);
};

struct isa {
    const char *name;
    bool (*is_supported)(void);
    const struct number_format *exact; /* float32 */
    const struct number_format *fast;  /* 16 bits, float32 sums; NULL where exact is as fast */

    float (*dot)(const float *a, const float *b, int64_t count);
    /* scores [count] = scale * products of q [dim] with rows of keys that stand `stride` numbers apart */
    void (*score)(const float *q, const float *keys, int64_t stride, int dim, int64_t count,
                  float scale, float *scores);
    /* out [dim] = out * factor + sum of weights [count] times rows of values that stand `stride` numbers apart */
    void (*mix)(const float *weights, const float *values, int64_t stride, int dim, int64_t count,
                float factor, float *out);
    /* values [count] = e^(value - largest); returns their sum */
    float (*exp_sum)(float *values, int64_t count, float largest);
    void (*silu_mul)(float *gate, const float *up, int64_t count);
    /* values [count] = `source` of `dtype`, exact */
    void (*widen)(enum dtype dtype, const void *source, float *values, size_t count);
};

/* The best set that this processor has; HXQD_ISA in the environment ("portable", "avx2", "avx512vbmi", "avx512") asks for
 * another one. */
const struct isa *isa_choose(void);

#endif
