/* Arithmetic on buffers: the door of the kernels room.
 *
 * A backend owns memory and the machine's way of computing on it; models are written once over the table of operations
 * below and run on any backend. Hidden behind the door: threads, instruction sets, streams, the layout of weights.
 *
 * Numbers are float32 unless said otherwise. A tensor of shape [n, d] is n rows of d consecutive values. Operations are
 * queued in order and never fail by return value: the first failure (memory, device) stays in the backend, later work is
 * skipped, and `backend_status` reports it. What a backend computes for one row never depends on how many rows were asked
 * for, so cached, batched and single evaluations agree bit for bit. One exception: where a GPU computes fast instead of
 * exactly, passes over more than 16 rows are rounded otherwise than shorter ones; among either kind all agree.
 *
 * Lifetimes: buffers and matrices belong to whoever created them and must be destroyed before their backend. One thread
 * uses a backend at a time. Destructors accept NULL.
 */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Storage of one number. */
enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
};

/* Bytes of one number. */
size_t dtype_bytes(enum dtype dtype);

/* Widens `count` numbers at `source` (no alignment needed) to float32; exact for every dtype. */
void dtype_widen(enum dtype dtype, const void *source, float *destination, size_t count);

enum backend_status {
    BACKEND_OK,
    BACKEND_OUT_OF_MEMORY,
    BACKEND_DEVICE_LOST,
};

struct backend; /* a device that computes, with its threads or streams */
struct buffer;  /* float32 memory of a backend */
struct matrix;  /* a weight matrix in a backend's own layout */

/* A place in a buffer: `offset` counts float32 values. */
struct slice {
    struct buffer *buffer;
    size_t offset;
};

static inline struct slice slice_at(struct buffer *buffer, size_t offset)
{
    return (struct slice){buffer, offset};
}

/* A weight matrix [rows, cols] as a checkpoint holds it. Either dense (`codebook` NULL, `data` of `dtype`) or HXQ: `data`
 * holds uint8 indices into `codebook`, and each sidecar value replaces the number at its flat position row * cols + col.
 * Positions may come in any order; where one occurs twice the last value counts. The caller has checked that indices are
 * below `codebook_size` and positions inside the matrix.
 *
 * Everything is copied, `data` into the backend's own layout; dense float32 numbers that all are
 * bfloat16 may be copied narrowed: nothing is lost. What matrices held may come back with the backend only. */
struct matrix_source {
    int64_t rows, cols;
    enum dtype dtype;
    const void *data;
    const float *codebook;            /* [codebook_size] or NULL */
    int codebook_size;                /* 1..256 */
    const int64_t *sidecar_positions; /* [sidecar_count] */
    const float *sidecar_values;      /* [sidecar_count] */
    int64_t sidecar_count;
};

/* One layer's attention over a key-value cache. Rows of the caches are positions, each [kv_heads * head_dim]; query row i
 * stands at position first + i and sees positions 0..first + i. Query head h reads key-value head h / (heads / kv_heads). */
struct attention_shape {
    int heads, kv_heads, head_dim;
};

/* What a layer does between the residual stream and attention, and what it does before the MLP's last product. */
struct qkv_weights {
    struct slice norm; /* [hidden] of rms_norm */
    float eps;
    const struct matrix *q, *k, *v;
    struct slice q_bias, k_bias, v_bias; /* buffer NULL: none */
};
struct gate_up_weights {
    struct slice norm;
    float eps;
    const struct matrix *gate, *up;
};

/* What likeliest finds among logits. */
struct likeliest {
    int32_t index; /* of the largest, the lowest of equals */
    float value;   /* the largest */
    float log_sum; /* of the exponentials of all: value - log_sum is its log-probability */
};

/* Facts about a backend; strings live as long as it does. */
struct backend_info {
    const char *device;   /* "cpu", "cuda" */
    const char *hardware; /* what the maker calls it; "" where that says nothing */
    const char *kernels;  /* what they were compiled for: "avx512", "sm_86" */
    int threads;          /* computing threads; 0 on a GPU */
    bool is_exact;        /* nothing is rounded below float32 */
    bool is_host;         /* its memory is the machine's: where it runs out, nobody has any */
    double peak_bytes_per_second; /* of its memory: clock times bus width; 0: not known */
    int64_t memory_bytes;         /* of the device's own that is taken; 0: it has none */
};

/* The operations, one table per backend. `n` is a number of rows (tokens). */
struct ops {
    const char *name; /* "cpu" */

    void (*destroy)(struct backend *backend);
    void (*describe)(const struct backend *backend, struct backend_info *info);
    /* Bytes per second that it reads from its memory, the median of several readings; 0 when memory is exhausted. */
    double (*read_bandwidth)(struct backend *backend);

    /* NULL, and a sticky status, when memory is exhausted. New buffers hold zeros. */
    struct buffer *(*buffer_create)(struct backend *backend, size_t count);
    void (*buffer_destroy)(struct buffer *buffer);
    void (*write)(struct backend *backend, struct slice to, const float *from, size_t count);
    /* Waits for everything queued before. */
    void (*read)(struct backend *backend, struct slice from, float *to, size_t count);

    struct matrix *(*matrix_create)(struct backend *backend, const struct matrix_source *source);
    void (*matrix_destroy)(struct matrix *matrix);
    /* Bytes of numbers or indices that a product with it reads, in the backend's layout. */
    int64_t (*matrix_bytes)(const struct matrix *matrix);

    /* out [n, cols] = rows `ids[i]` of the matrix; ids are below its row count. */
    void (*embed)(struct backend *backend, const struct matrix *matrix, const int32_t *ids, int n,
                  struct slice out);

    /* out [n, d] = in / sqrt(mean(in^2) + eps) * weight [d]. `out` may be `in`. (Zhang & Sennrich, arXiv 1910.07467) */
    void (*rms_norm)(struct backend *backend, struct slice in, struct slice weight, float eps,
                     int n, int d, struct slice out);

    /* out [n, rows] = in [n, cols] * transposed matrix, plus `bias` [rows] where bias.buffer is set, plus what `out` held
     * when `accumulate`. Products are summed in float32. */
    void (*matmul)(struct backend *backend, const struct matrix *matrix, struct slice in,
                   struct slice bias, bool accumulate, int n, struct slice out);

    /* Rotates x [n, heads * head_dim] in place; row i stands at position first + i. `table` [positions, head_dim] holds
     * head_dim/2 cosines, then head_dim/2 sines per position; value j pairs with j + head_dim/2. (arXiv 2104.09864, in the
     * half-split form of Hugging Face's Llama and Qwen2) */
    void (*rope)(struct backend *backend, struct slice x, struct slice table, int first, int n,
                 int heads, int head_dim);

    /* out [n, heads * head_dim] = softmax(q * keys / sqrt(head_dim)) * values, causal. */
    void (*attention)(struct backend *backend, struct slice q, struct slice keys,
                      struct slice values, struct attention_shape shape, int first, int n,
                      struct slice out);

    /* gate [count] = silu(gate) * up. */
    void (*silu_mul)(struct backend *backend, struct slice gate, struct slice up, size_t count);

    /* Several of the operations above in one, with the same results up to rounding. Either may be NULL: then the model calls
     * the others one by one. */

    /* rms_norm of in [n, hidden]; of that the products with q, k and v plus biases; rope of q and k. Row i goes to row i of `q`
     * and to row first + i of the caches `keys` and `values`. */
    void (*project_qkv)(struct backend *backend, const struct qkv_weights *weights, struct slice in,
                        struct slice table, struct attention_shape shape, int first, int n,
                        struct slice q, struct slice keys, struct slice values);

    /* out [n, rows of gate] = silu(gate products) * up products of the rms_norm of in [n, hidden]. */
    void (*gate_up)(struct backend *backend, const struct gate_up_weights *weights, struct slice in,
                    int n, struct slice out);

    /* Finds it in `in` [count], count >= 1, and waits as `read` does. NULL where `read` costs next to nothing. */
    void (*likeliest)(struct backend *backend, struct slice in, int count, struct likeliest *found);

    /* Either both or neither. What stands between them is a part of a pass over `n` tokens of `owner` from position `first` on:
     * the same operations on the same memory whenever owner, part and n are the same, but for `first`. A backend may record it
     * and give it again: then part_begin returns false, and what stands between, with part_end, is to be left out. Buffers that
     * were destroyed since count as other memory. Work does not run far ahead: part_begin may wait for earlier parts. */
    bool (*part_begin)(struct backend *backend, const void *owner, int part, int first, int n);
    void (*part_end)(struct backend *backend);
};

enum { BACKEND_PROBLEM_BYTES = 160 };

/* What every backend begins with. */
struct backend {
    const struct ops *ops;
    enum backend_status status;
    char problem[BACKEND_PROBLEM_BYTES]; /* the first failure, with figures; "" for none to tell */
};

/* First failure since creation. */
enum backend_status backend_status(const struct backend *backend);

/* A sentence for a user. */
const char *backend_status_text(enum backend_status status);

/* The device's words for its first failure where it has any, else the general sentence. */
const char *backend_problem(const struct backend *backend);

/* Fills what `ops->describe` gives. */
void backend_describe(const struct backend *backend, struct backend_info *info);

/* CPU backend with `threads` computing threads (0: one per processor); NULL when threads or memory cannot be had. With `exact`
 * nothing is rounded below float32; without it, products may take 16-bit inputs and codebooks where that is faster. */
struct backend *cpu_backend_create(int threads, bool exact);

/* --- CUDA ------------------------------------------------------------------------------------------------------------- */

/* A GPU as its driver tells of it. */
struct cuda_device {
    char name[64];
    int major, minor;             /* compute capability */
    int64_t total_bytes;          /* of its memory */
    int64_t free_bytes;           /* once this process has what the driver takes for it */
    double peak_bytes_per_second; /* memory clock times bus width; 0: not known */
};

/* The first GPU that the driver shows ($CUDA_VISIBLE_DEVICES counts). False where there is none that can be used, with the
 * reason as half a sentence: this build has no CUDA, no driver, no device, one that is too old. Works without a driver. */
bool cuda_device_find(struct cuda_device *device, char problem[BACKEND_PROBLEM_BYTES]);

/* CUDA backend on that device, which takes at most `memory_bytes` of its memory (0: all there is). NULL with a reason. */
struct backend *cuda_backend_create(bool exact, int64_t memory_bytes,
                                    char problem[BACKEND_PROBLEM_BYTES]);

/* What the CUDA backend takes of a device's memory, for plans made before there is one; builds without CUDA know too. A
 * matrix is HXQ where `codebook_size` is above 0, else dense of `dtype`, which is what it is after narrowing. */
int64_t cuda_matrix_bytes(int64_t rows, int64_t cols, enum dtype dtype, int codebook_size,
                          int64_t sidecar_count);
int64_t cuda_buffer_bytes(size_t count);

/* Of its own: scratch of operations, whatever the model. */
int64_t cuda_workspace_bytes(void);

#endif
