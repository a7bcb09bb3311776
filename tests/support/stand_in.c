/* Every operation is the CPU backend's, behind a gate that counts. Buffers and matrices are the CPU's too; a list keeps what
 * each takes of the device. */
#include "tests/support/stand_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

#undef NDEBUG /* the asserts are what this file does */
#include <assert.h>

enum { BODIES_MAX = 512 };

/* Something on the device. */
struct body {
    const void *handle; /* of the CPU's; NULL: free */
    int64_t bytes;
};

struct stand_in_backend {
    struct backend base;
    struct backend *cpu;
};

static struct stand_in device = {.fails_after_bodies = -1, .lost_after_ops = -1};
static struct body bodies[BODIES_MAX];
static int64_t used_bytes, limit_bytes;
static int made_bodies, run_ops;

void stand_in_set(const struct stand_in *wanted)
{
    device = *wanted;
    made_bodies = run_ops = 0;
}

int64_t stand_in_used(void)
{
    return used_bytes;
}

int stand_in_ops(void)
{
    return run_ops;
}

static struct backend *cpu_of(struct backend *backend)
{
    return ((struct stand_in_backend *)backend)->cpu;
}

static bool fail(struct backend *backend, enum backend_status status, const char *problem)
{
    if (backend->status == BACKEND_OK) {
        backend->status = status;
        snprintf(backend->problem, sizeof backend->problem, "%s", problem);
    }
    return false;
}

/* Whether there is room for another body; the failure stays in the backend. */
static bool has_room(struct backend *backend, int64_t bytes)
{
    const bool is_full =
        used_bytes + bytes > limit_bytes ||
        (device.fails_after_bodies >= 0 && made_bodies >= device.fails_after_bodies);

    if (backend->status != BACKEND_OK)
        return false;
    return !is_full || fail(backend, BACKEND_OUT_OF_MEMORY, "out of memory: it has no room left");
}

static void keep(const void *handle, int64_t bytes)
{
    for (int i = 0; i < BODIES_MAX; i++)
        if (!bodies[i].handle) {
            bodies[i] = (struct body){handle, bytes};
            used_bytes += bytes;
            made_bodies++;
            return;
        }
    assert(!"more bodies than the stand-in has room for");
}

static void give_back(const void *handle)
{
    for (int i = 0; i < BODIES_MAX; i++)
        if (bodies[i].handle == handle) {
            used_bytes -= bodies[i].bytes;
            bodies[i] = (struct body){0};
            return;
        }
    assert(!"not of this device");
}

/* Whether an operation may run. */
static bool may_run(struct backend *backend)
{
    if (device.lost_after_ops >= 0 && run_ops >= device.lost_after_ops)
        return fail(backend, BACKEND_DEVICE_LOST, "it fell off the bus");
    run_ops++;
    return backend->status == BACKEND_OK;
}

/* --- the table -------------------------------------------------------------------------------------------------------- */

static void destroy(struct backend *backend)
{
    cpu_of(backend)->ops->destroy(cpu_of(backend));
    free(backend);
}

static void describe(const struct backend *backend, struct backend_info *info)
{
    (void)backend;
    *info = (struct backend_info){
        .device = "cuda",
        .hardware = "Stand-in 1",
        .kernels = "sm_00",
        .is_exact = true,
        .peak_bytes_per_second = 1e11,
        .memory_bytes = used_bytes,
    };
}

static double read_bandwidth(struct backend *backend)
{
    (void)backend;
    return 9e10;
}

static struct buffer *buffer_create(struct backend *backend, size_t count)
{
    const int64_t bytes = cuda_buffer_bytes(count);
    struct buffer *buffer = has_room(backend, bytes)
                                ? cpu_of(backend)->ops->buffer_create(cpu_of(backend), count)
                                : NULL;

    if (buffer)
        keep(buffer, bytes);
    return buffer;
}

static const struct ops *cpu_table; /* destructors are not told of a backend */

static void buffer_destroy(struct buffer *buffer)
{
    if (buffer)
        give_back(buffer);
    cpu_table->buffer_destroy(buffer);
}

static struct matrix *matrix_create(struct backend *backend, const struct matrix_source *source)
{
    const int64_t bytes =
        cuda_matrix_bytes(source->rows, source->cols, source->dtype,
                          source->codebook ? source->codebook_size : 0, source->sidecar_count);

    if (!has_room(backend, bytes))
        return NULL;
    struct matrix *matrix = cpu_of(backend)->ops->matrix_create(cpu_of(backend), source);
    assert(matrix);
    keep(matrix, bytes);
    return matrix;
}

static void matrix_destroy(struct matrix *matrix)
{
    if (matrix)
        give_back(matrix);
    cpu_table->matrix_destroy(matrix);
}

static int64_t matrix_bytes(const struct matrix *matrix)
{
    return cpu_table->matrix_bytes(matrix);
}

static void write_values(struct backend *backend, struct slice to, const float *from, size_t count)
{
    if (may_run(backend))
        cpu_table->write(cpu_of(backend), to, from, count);
}

static void read_values(struct backend *backend, struct slice from, float *to, size_t count)
{
    if (may_run(backend))
        cpu_table->read(cpu_of(backend), from, to, count);
}

static void embed(struct backend *backend, const struct matrix *matrix, const int32_t *ids, int n,
                  struct slice out)
{
    if (may_run(backend))
        cpu_table->embed(cpu_of(backend), matrix, ids, n, out);
}

static void rms_norm(struct backend *backend, struct slice in, struct slice weight, float eps,
                     int n, int d, struct slice out)
{
    if (may_run(backend))
        cpu_table->rms_norm(cpu_of(backend), in, weight, eps, n, d, out);
}

static void matmul(struct backend *backend, const struct matrix *matrix, struct slice in,
                   struct slice bias, bool accumulate, int n, struct slice out)
{
    if (may_run(backend))
        cpu_table->matmul(cpu_of(backend), matrix, in, bias, accumulate, n, out);
}

static void rope(struct backend *backend, struct slice x, struct slice table, int first, int n,
                 int heads, int head_dim)
{
    if (may_run(backend))
        cpu_table->rope(cpu_of(backend), x, table, first, n, heads, head_dim);
}

static void attention(struct backend *backend, struct slice q, struct slice keys,
                      struct slice values, struct attention_shape shape, int first, int n,
                      struct slice out)
{
    if (may_run(backend))
        cpu_table->attention(cpu_of(backend), q, keys, values, shape, first, n, out);
}

static void silu_mul(struct backend *backend, struct slice gate, struct slice up, size_t count)
{
    if (may_run(backend))
        cpu_table->silu_mul(cpu_of(backend), gate, up, count);
}

static const struct ops table = {
    .name = "cuda",
    .destroy = destroy,
    .describe = describe,
    .read_bandwidth = read_bandwidth,
    .buffer_create = buffer_create,
    .buffer_destroy = buffer_destroy,
    .write = write_values,
    .read = read_values,
    .matrix_create = matrix_create,
    .matrix_destroy = matrix_destroy,
    .matrix_bytes = matrix_bytes,
    .embed = embed,
    .rms_norm = rms_norm,
    .matmul = matmul,
    .rope = rope,
    .attention = attention,
    .silu_mul = silu_mul,
};

/* --- the door --------------------------------------------------------------------------------------------------------- */

/* In a program of its own the device comes from the environment: its bytes, and the operations that it lives for. */
static void read_environment(void)
{
    const char *bytes = getenv("HXQD_STAND_IN_BYTES"), *ops = getenv("HXQD_STAND_IN_OPS");

    if (bytes) {
        device.is_present = true;
        device.free_bytes = strtoll(bytes, NULL, 10);
    }
    if (ops)
        device.lost_after_ops = (int)strtol(ops, NULL, 10);
}

bool cuda_device_find(struct cuda_device *found, char problem[BACKEND_PROBLEM_BYTES])
{
    read_environment();
    *found = (struct cuda_device){
        .name = "Stand-in 1",
        .total_bytes = device.free_bytes,
        .free_bytes = device.free_bytes,
    };
    if (!device.is_present)
        snprintf(problem, BACKEND_PROBLEM_BYTES, "no device stands in");
    return device.is_present;
}

struct backend *cuda_backend_create(bool exact, int64_t memory_bytes,
                                    char problem[BACKEND_PROBLEM_BYTES])
{
    struct stand_in_backend *backend = calloc(1, sizeof *backend);

    (void)exact;
    (void)problem;
    assert(backend && device.is_present && used_bytes == 0);
    limit_bytes = device.real_bytes ? device.real_bytes : device.free_bytes;
    if (memory_bytes > 0 && memory_bytes < limit_bytes)
        limit_bytes = memory_bytes;
    backend->base.ops = &table;
    backend->cpu = cpu_backend_create(1, true);
    assert(backend->cpu);
    cpu_table = backend->cpu->ops;
    return &backend->base;
}
