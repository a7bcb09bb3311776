/* The CUDA backend's own things: what its memory, its matrices and its operations share. Private to this folder.
 *
 * The first failure of the device stays in the backend with a text; everything looks at its status before it does anything.
 */
#ifndef KERNELS_CUDA_CUDA_BACKEND_CUH
#define KERNELS_CUDA_CUDA_BACKEND_CUH

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include "kernels/kernels.h"
}
#include "kernels/cuda/kernels.cuh"

enum {
    PIECES_MAX = 1024, /* allocations of a device */
    /* of pinned memory: one half is filled while the other is on its way */
    STAGING_HALF_BYTES = 4 << 20,
    /* of the workspace; the rest makes up for ends of pieces that stay empty */
    SCRATCH_BYTES = 24 << 20,
    GRAPH_TOKENS_MAX = 9, /* passes over up to so many tokens are recorded */
    GRAPH_PARTS_MAX = 256,
};

/* A large allocation, of which blocks are cut from the start on; empty once all of them are given back. */
struct piece {
    unsigned char *memory;
    size_t bytes, used;
    int blocks;
};

/* What a recorded part of a pass needs to be the same. */
struct recording {
    const void *owner;
    bool is_seen; /* its kernels have run once: they are loaded */
    cudaGraphExec_t graph;
};

struct cuda_backend {
    struct backend base;
    struct cuda_device device;
    char kernels[16]; /* "sm_86" */
    bool is_exact;
    cudaStream_t stream;

    /* memory: blocks are counted as cuda_memory.c does, pieces as the device does */
    struct piece pieces[PIECES_MAX];
    int piece_count;
    int64_t limit_bytes; /* of all pieces; 0: none */
    int64_t piece_bytes, block_bytes;

    /* pinned memory on the way to the device, and when each half has arrived */
    unsigned char *staging; /* [2, STAGING_HALF_BYTES] */
    cudaEvent_t arrived[2];
    int half;

    float *scratch;  /* on the device: [SCRATCH_BYTES] */
    int *first;      /* on the device: position of the pass under way */
    int first_value; /* what is there, once all that is queued has run */

    /* by part and number of tokens */
    struct recording recordings[GRAPH_PARTS_MAX][GRAPH_TOKENS_MAX + 1];
    struct recording *recorded; /* under way */
    cudaEvent_t passed[2];      /* the end of each of the last two parts */
    int part;
};

struct buffer {
    struct cuda_backend *backend;
    float *values;
    size_t count;
};

struct matrix {
    struct cuda_backend *backend;
    struct device_matrix device;
    /* of its memory: numbers, codebook, then starts, columns, deltas, values of exceptions */
    void *blocks[6];
    size_t sizes[6];
};

/* --- device.cu -------------------------------------------------------------------------------------------------------- */

/* Keeps the first failure; false where there is one, also of launches before. */
bool device_check(struct cuda_backend *backend, cudaError_t error);

/* --- memory.cu -------------------------------------------------------------------------------------------------------- */

bool memory_init(struct cuda_backend *backend);
void memory_finish(struct cuda_backend *backend);

/* A block of device memory, its content undefined; NULL with the status kept. */
void *block_create(struct cuda_backend *backend, size_t bytes);
void block_destroy(struct cuda_backend *backend, void *block, size_t bytes);

/* The half of the staging memory that is to be filled next, free again; then sends `bytes` of it. NULL after a failure. */
unsigned char *staging_take(struct cuda_backend *backend);
void staging_send(struct cuda_backend *backend, void *to, size_t bytes);

void memory_upload(struct cuda_backend *backend, void *to, const void *from, size_t bytes);
/* Waits for everything queued before. */
void memory_download(struct cuda_backend *backend, void *to, const void *from, size_t bytes);

/* --- graph.cu --------------------------------------------------------------------------------------------------------- */

bool graph_init(struct cuda_backend *backend);
void graph_finish(struct cuda_backend *backend);

/* Forgets what was recorded: memory that it names is about to go. */
void graph_forget(struct cuda_backend *backend);

/* Sees to it that `first` stands in device memory for what is queued from here on. */
void place_set(struct cuda_backend *backend, int first);

bool cuda_part_begin(struct backend *base, const void *owner, int part, int first, int n);
void cuda_part_end(struct backend *base);

/* --- matrix.cu -------------------------------------------------------------------------------------------------------- */

struct matrix *cuda_matrix_create(struct backend *base, const struct matrix_source *source);
void cuda_matrix_destroy(struct matrix *matrix);
int64_t cuda_matrix_held_bytes(const struct matrix *matrix);

static inline struct cuda_backend *cuda_backend_of(struct backend *base)
{
    return (struct cuda_backend *)base;
}

static inline float *slice_values(struct slice slice)
{
    return slice.buffer ? slice.buffer->values + slice.offset : NULL;
}

#endif
