/* Every operation of the CPU backend, with every instruction set that this machine has, exact and fast, or of the CUDA backend
 * with `ops cuda`, against plain loops in double precision over ragged shapes; and the promise that a row's result does not
 * depend on how many rows or threads there were, bit for bit. */
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sample.h"

static struct backend *backend; /* two threads */
static bool is_fast;            /* products take bfloat16 inputs and codebooks */

static struct buffer *upload(const float *values, size_t count)
{
    struct buffer *buffer = backend->ops->buffer_create(backend, count);

    assert_non_null(buffer);
    if (values)
        backend->ops->write(backend, slice_at(buffer, 0), values, count);
    return buffer;
}

static float *download(struct buffer *buffer, size_t count)
{
    float *values = malloc(count * sizeof *values);

    backend->ops->read(backend, slice_at(buffer, 0), values, count);
    return values;
}

static void assert_close(const float *values, const double *expected, size_t count)
{
    double scale = 1e-3;

    for (size_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(expected[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)values[i] - expected[i]) <= 1e-5 * scale))
            fail_msg("value %zu is %.9g, expected %.9g", i, (double)values[i], expected[i]);
}

/* The way of computing that is under test. */
static const struct way {
    const char *isa;
    bool exact;
} * way;

static struct backend *create(int threads)
{
    char problem[BACKEND_PROBLEM_BYTES];

    if (strcmp(way->isa, "cuda") == 0)
        return cuda_backend_create(way->exact, 0, problem);
    setenv("HXQD_ISA", way->isa, 1);
    return cpu_backend_create(threads, way->exact);
}

static int setup(void **state)
{
    struct backend_info info = {0};

    (void)state;
    sample_seed(7);
    backend = create(2);
    if (backend)
        backend_describe(backend, &info);
    is_fast = !info.is_exact;
    return backend ? 0 : -1;
}

/* Whether this machine computes this way; says so otherwise. */
static bool is_available(void)
{
    struct backend *tried = create(1);
    struct backend_info info = {.kernels = "", .device = ""};

    if (tried)
        backend_describe(tried, &info);
    const bool available =
        (strcmp(info.kernels, way->isa) == 0 || strcmp(info.device, way->isa) == 0) &&
        info.is_exact == way->exact;
    if (tried)
        tried->ops->destroy(tried);
    if (!available)
        print_message("skipped: no %s %s products on this machine\n", way->isa,
                      way->exact ? "exact" : "fast");
    return available;
}

static int teardown(void **state)
{
    (void)state;
    backend->ops->destroy(backend);
    return 0;
}

static const int64_t shapes[][2] = {{3, 1},    {1, 5},   {7, 16},  {16, 17}, {33, 100},
                                    {64, 360}, {13, 64}, {9, 129}, {18, 832}};

/* One product as the backend should make it: fast ones round both sides, but add what exceptions change in float32. */
static double product(const struct sample_matrix *m, int64_t at, float in)
{
    const float weight = m->dense[at];

    if (!is_fast || m->storage == STORAGE_F32 || m->storage == STORAGE_F16)
        return (double)weight * (double)in;
    if (m->storage == STORAGE_BF16 || m->storage == STORAGE_F32_OF_BF16)
        return (double)weight * (double)rounded(in);
    return (double)rounded(m->plain[at]) * (double)rounded(in) +
           (double)(weight - m->plain[at]) * (double)in;
}

static void check_matmul(const struct sample_matrix *m, int n, bool with_bias, bool accumulate)
{
    const size_t in_count = (size_t)(n * m->cols), out_count = (size_t)(n * m->rows);
    float *in = random_floats(in_count), *held = random_floats(out_count);
    float *bias = random_floats((size_t)m->rows);
    double *expected = malloc(out_count * sizeof *expected);

    for (int64_t t = 0; t < n; t++)
        for (int64_t r = 0; r < m->rows; r++) {
            double sum = with_bias ? (double)bias[r] : 0.0;
            for (int64_t c = 0; c < m->cols; c++)
                sum += product(m, r * m->cols + c, in[t * m->cols + c]);
            expected[t * m->rows + r] = sum + (accumulate ? (double)held[t * m->rows + r] : 0.0);
        }

    struct buffer *x = upload(in, in_count), *y = upload(held, out_count);
    struct buffer *b = upload(bias, (size_t)m->rows);
    backend->ops->matmul(backend, m->matrix, slice_at(x, 0),
                         with_bias ? slice_at(b, 0) : slice_at(NULL, 0), accumulate, n,
                         slice_at(y, 0));
    float *out = download(y, out_count);
    assert_close(out, expected, out_count);

    struct buffer *buffers[] = {x, y, b};
    for (int i = 0; i < 3; i++)
        backend->ops->buffer_destroy(buffers[i]);
    free(in);
    free(held);
    free(bias);
    free(expected);
    free(out);
}

static void matmul_of_every_storage_and_shape_equals_plain_loops(void **state)
{
    static const int batches[] = {1, 2, 3, 4, 5, 8, 13};

    (void)state;
    for (int storage = 0; storage < STORAGES; storage++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct sample_matrix sample;
            sample_create(&sample, backend, (enum storage)storage, shapes[s][0], shapes[s][1]);
            for (int variant = 0; variant < 28; variant++)
                check_matmul(&sample, batches[variant / 4], variant & 1, variant & 2);
            sample_destroy(&sample, backend);
        }
}

static void check_batches(enum storage storage, int64_t rows, int64_t cols)
{
    static const size_t batches[] = {1, 3, 4, 8, 9, 12, 20};
    enum { BATCH = 20 };
    const size_t row_bytes = (size_t)rows * sizeof(float);
    struct sample_matrix sample;

    sample_create(&sample, backend, storage, rows, cols);
    float *in = random_floats(BATCH * (size_t)cols);
    struct buffer *x = upload(in, BATCH * (size_t)cols);
    struct buffer *y = upload(NULL, BATCH * (size_t)rows);
    backend->ops->matmul(backend, sample.matrix, slice_at(x, 0), slice_at(NULL, 0), false, BATCH,
                         slice_at(y, 0));
    float *whole = download(y, BATCH * (size_t)rows);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        const size_t first = BATCH - batches[i];
        backend->ops->matmul(backend, sample.matrix, slice_at(x, first * (size_t)cols),
                             slice_at(NULL, 0), false, (int)batches[i], slice_at(y, 0));
        float *part = download(y, batches[i] * (size_t)rows);
        assert_memory_equal(part, whole + first * (size_t)rows, batches[i] * row_bytes);
        free(part);
    }

    backend->ops->buffer_destroy(x);
    backend->ops->buffer_destroy(y);
    free(whole);
    free(in);
    sample_destroy(&sample, backend);
}

/* Shapes on both sides of every limit at which the work is divided otherwise. */
static void matmul_row_is_the_same_for_any_batch(void **state)
{
    (void)state;
    for (int storage = 0; storage < STORAGES; storage++) {
        check_batches((enum storage)storage, 33, 100);
        check_batches((enum storage)storage, 20, 128);
        check_batches((enum storage)storage, 18, 1664);
        check_batches((enum storage)storage, 5, 1700);
        check_batches((enum storage)storage, 21, 4300);
        check_batches((enum storage)storage, 5, 16500);
    }
}

static void embed_gives_rows_of_every_storage(void **state)
{
    const int32_t ids[] = {4, 0, 6, 4};

    (void)state;
    for (int storage = 0; storage < STORAGES; storage++) {
        struct sample_matrix sample;
        sample_create(&sample, backend, (enum storage)storage, 7, 17);
        struct buffer *out = upload(NULL, 4 * 17);
        backend->ops->embed(backend, sample.matrix, ids, 4, slice_at(out, 0));
        float *rows = download(out, 4 * 17);
        for (int i = 0; i < 4; i++)
            assert_memory_equal(rows + i * 17, sample.dense + ids[i] * 17, 17 * sizeof *rows);
        backend->ops->buffer_destroy(out);
        free(rows);
        sample_destroy(&sample, backend);
    }
}

/* What a speed is measured by: float32 numbers that are bfloat16 are read as such. */
static void matrix_bytes_are_of_what_is_held(void **state)
{
    static const int64_t bytes[STORAGES] = {
        [STORAGE_HXQ] = 1, [STORAGE_SMALL_CODEBOOK] = 1,
        [STORAGE_F32] = 4, [STORAGE_F32_OF_BF16] = 2,
        [STORAGE_F16] = 2, [STORAGE_BF16] = 2,
    };

    (void)state;
    for (int storage = 0; storage < STORAGES; storage++) {
        struct sample_matrix sample;
        sample_create(&sample, backend, (enum storage)storage, 8, 128);
        assert_int_equal(backend->ops->matrix_bytes(sample.matrix), 8 * 128 * bytes[storage]);
        sample_destroy(&sample, backend);
    }
}

/* --- the rest --------------------------------------------------------------------------------------------------------- */

static void rms_norm_equals_its_formula(void **state)
{
    enum { N = 3, D = 37 };
    float *in = random_floats(N * D), *weight = random_floats(D);
    double expected[N * D];

    (void)state;
    for (int row = 0; row < N; row++) {
        double squares = 0.0;
        for (int i = 0; i < D; i++)
            squares += (double)in[row * D + i] * (double)in[row * D + i];
        for (int i = 0; i < D; i++)
            expected[row * D + i] =
                (double)in[row * D + i] / sqrt(squares / D + 1e-6) * (double)weight[i];
    }

    /* in place, as the final norm may be */
    struct buffer *x = upload(in, N * D), *w = upload(weight, D);
    backend->ops->rms_norm(backend, slice_at(x, 0), slice_at(w, 0), 1e-6f, N, D, slice_at(x, 0));
    float *out = download(x, N * D);
    assert_close(out, expected, N * D);
    backend->ops->buffer_destroy(x);
    backend->ops->buffer_destroy(w);
    free(in);
    free(weight);
    free(out);
}

static void rope_rotates_pairs_half_a_head_apart(void **state)
{
    enum { N = 2, HEADS = 3, DIM = 6, FIRST = 1, POSITIONS = 3 };
    float *x = random_floats(N * HEADS * DIM);
    float table[POSITIONS * DIM];
    double expected[N * HEADS * DIM];

    (void)state;
    for (int p = 0; p < POSITIONS; p++)
        for (int j = 0; j < DIM / 2; j++) {
            table[p * DIM + j] = cosf((float)(p * (j + 1)));
            table[p * DIM + DIM / 2 + j] = sinf((float)(p * (j + 1)));
        }
    for (int row = 0; row < N * HEADS; row++)
        for (int j = 0; j < DIM / 2; j++) {
            const double angle = (FIRST + row / HEADS) * (j + 1);
            const double a = (double)x[row * DIM + j], b = (double)x[row * DIM + DIM / 2 + j];
            expected[row * DIM + j] = a * cos(angle) - b * sin(angle);
            expected[row * DIM + DIM / 2 + j] = b * cos(angle) + a * sin(angle);
        }

    struct buffer *values = upload(x, N * HEADS * DIM), *angles = upload(table, POSITIONS * DIM);
    backend->ops->rope(backend, slice_at(values, 0), slice_at(angles, 0), FIRST, N, HEADS, DIM);
    float *out = download(values, N * HEADS * DIM);
    assert_close(out, expected, N * HEADS * DIM);
    backend->ops->buffer_destroy(values);
    backend->ops->buffer_destroy(angles);
    free(x);
    free(out);
}

enum { ATTENTION_POSITIONS = 170 };

/* One query in double precision. */
static void attend_plainly(const float *q, const float *keys, const float *values,
                           struct attention_shape shape, int head, int positions, double *out)
{
    const int width = shape.kv_heads * shape.head_dim;
    const int kv = head / (shape.heads / shape.kv_heads) * shape.head_dim;
    double weights[ATTENTION_POSITIONS], sum = 0.0;

    for (int p = 0; p < positions; p++) {
        double score = 0.0;
        for (int i = 0; i < shape.head_dim; i++)
            score += (double)q[i] * (double)keys[p * width + kv + i];
        weights[p] = exp(score / sqrt(shape.head_dim));
        sum += weights[p];
    }
    for (int i = 0; i < shape.head_dim; i++) {
        out[i] = 0.0;
        for (int p = 0; p < positions; p++)
            out[i] += weights[p] / sum * (double)values[p * width + kv + i];
    }
}

static void attention_of_grouped_heads_equals_plain_loops(void **state)
{
    static const struct {
        struct attention_shape shape;
        int first, n;
    } cases[] = {
        {{1, 1, 2}, 0, 1},    {{4, 2, 16}, 0, 7},  {{6, 2, 34}, 13, 3},   {{8, 8, 10}, 5, 1},
        {{3, 1, 64}, 20, 20}, {{6, 2, 64}, 60, 8}, {{4, 2, 72}, 120, 50}, {{7, 1, 128}, 130, 2},
    };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct attention_shape shape = cases[c].shape;
        const int first = cases[c].first, n = cases[c].n;
        const size_t row = (size_t)(shape.heads * shape.head_dim);
        const size_t cache = (size_t)((first + n) * shape.kv_heads * shape.head_dim);
        float *q = random_floats((size_t)n * row);
        float *k = random_floats(cache), *v = random_floats(cache);
        double *expected = malloc((size_t)n * row * sizeof *expected);
        for (int t = 0; t < n; t++)
            for (int h = 0; h < shape.heads; h++) {
                const size_t at = (size_t)t * row + (size_t)(h * shape.head_dim);
                attend_plainly(q + at, k, v, shape, h, first + t + 1, expected + at);
            }

        struct buffer *buffers[] = {upload(q, (size_t)n * row), upload(k, cache), upload(v, cache),
                                    upload(NULL, (size_t)n * row)};
        backend->ops->attention(backend, slice_at(buffers[0], 0), slice_at(buffers[1], 0),
                                slice_at(buffers[2], 0), shape, first, n, slice_at(buffers[3], 0));
        float *out = download(buffers[3], (size_t)n * row);
        assert_close(out, expected, (size_t)n * row);

        for (int i = 0; i < 4; i++)
            backend->ops->buffer_destroy(buffers[i]);
        free(q);
        free(k);
        free(v);
        free(out);
        free(expected);
    }
}

static void attention_of_a_token_is_the_same_for_any_batch(void **state)
{
    enum { FIRST = 100, N = 40 };
    const struct attention_shape shape = {6, 2, 32};
    const size_t row = 6 * 32, width = 2 * 32;
    float *q = random_floats(N * row);
    float *k = random_floats((FIRST + N) * width), *v = random_floats((FIRST + N) * width);

    (void)state;
    struct buffer *buffers[] = {upload(q, N * row), upload(k, (FIRST + N) * width),
                                upload(v, (FIRST + N) * width), upload(NULL, N * row)};
    const struct slice keys = slice_at(buffers[1], 0), values = slice_at(buffers[2], 0);
    backend->ops->attention(backend, slice_at(buffers[0], 0), keys, values, shape, FIRST, N,
                            slice_at(buffers[3], 0));
    float *whole = download(buffers[3], N * row);
    for (size_t t = 0; t < N; t++) {
        backend->ops->attention(backend, slice_at(buffers[0], t * row), keys, values, shape,
                                FIRST + (int)t, 1, slice_at(buffers[3], 0));
        float *alone = download(buffers[3], row);
        assert_memory_equal(alone, whole + t * row, row * sizeof *alone);
        free(alone);
    }

    for (int i = 0; i < 4; i++)
        backend->ops->buffer_destroy(buffers[i]);
    free(q);
    free(k);
    free(v);
    free(whole);
}

static void silu_mul_equals_its_formula(void **state)
{
    enum { COUNT = 29 };
    float *gate = random_floats(COUNT), *up = random_floats(COUNT);
    double expected[COUNT];

    (void)state;
    gate[0] = 90.0f;
    gate[1] = -90.0f;
    for (int i = 0; i < COUNT; i++)
        expected[i] = (double)gate[i] / (1.0 + exp(-(double)gate[i])) * (double)up[i];
    struct buffer *g = upload(gate, COUNT), *u = upload(up, COUNT);
    backend->ops->silu_mul(backend, slice_at(g, 0), slice_at(u, 0), COUNT);
    float *out = download(g, COUNT);
    assert_close(out, expected, COUNT);
    backend->ops->buffer_destroy(g);
    backend->ops->buffer_destroy(u);
    free(gate);
    free(up);
    free(out);
}

/* Both fused operations on `n` rows against the operations that they stand for. */
static void check_fused(enum storage q_storage, enum storage v_storage, int n)
{
    enum { HIDDEN = 100, FIRST = 3, ROWS = FIRST + 20, INTERMEDIATE = 33 };
    const struct attention_shape shape = {4, 2, 10};
    const size_t q_row = 40, kv_row = 20, in_count = (size_t)n * HIDDEN;
    struct sample_matrix q, k, v, gate, up;
    float *in = random_floats(in_count), *weight = random_floats(HIDDEN);
    float *table = random_floats(ROWS * 10), *bias = random_floats(q_row);

    sample_create(&q, backend, q_storage, (int64_t)q_row, HIDDEN);
    sample_create(&k, backend, q_storage, (int64_t)kv_row, HIDDEN);
    sample_create(&v, backend, v_storage, (int64_t)kv_row, HIDDEN);
    sample_create(&gate, backend, q_storage, INTERMEDIATE, HIDDEN);
    sample_create(&up, backend, v_storage, INTERMEDIATE, HIDDEN);
    struct buffer *buffers[] = {
        upload(in, in_count), upload(weight, HIDDEN), upload(table, ROWS * 10),
        upload(bias, q_row),  upload(NULL, in_count), /* normed */
    };
    const struct slice x = slice_at(buffers[0], 0), norm = slice_at(buffers[1], 0);
    const struct slice angles = slice_at(buffers[2], 0), q_bias = slice_at(buffers[3], 0);
    const struct slice normed = slice_at(buffers[4], 0), none = slice_at(NULL, 0);
    /* of either way: q, keys, values, gate; the last is the parts' up */
    const size_t counts[] = {(size_t)n * q_row, ROWS * kv_row, ROWS * kv_row,
                             (size_t)n * INTERMEDIATE, (size_t)n * INTERMEDIATE};
    struct buffer *fused[4], *parts[5];
    for (int i = 0; i < 5; i++)
        parts[i] = upload(NULL, counts[i]);
    for (int i = 0; i < 4; i++)
        fused[i] = upload(NULL, counts[i]);

    const struct ops *ops = backend->ops;
    ops->project_qkv(
        backend,
        &(struct qkv_weights){norm, 1e-6f, q.matrix, k.matrix, v.matrix, q_bias, none, none}, x,
        angles, shape, FIRST, n, slice_at(fused[0], 0), slice_at(fused[1], 0),
        slice_at(fused[2], 0));
    ops->gate_up(backend, &(struct gate_up_weights){norm, 1e-6f, gate.matrix, up.matrix}, x, n,
                 slice_at(fused[3], 0));

    const struct slice rows = slice_at(parts[1], FIRST * kv_row);
    ops->rms_norm(backend, x, norm, 1e-6f, n, HIDDEN, normed);
    ops->matmul(backend, q.matrix, normed, q_bias, false, n, slice_at(parts[0], 0));
    ops->matmul(backend, k.matrix, normed, none, false, n, rows);
    ops->matmul(backend, v.matrix, normed, none, false, n, slice_at(parts[2], FIRST * kv_row));
    ops->rope(backend, slice_at(parts[0], 0), angles, FIRST, n, shape.heads, shape.head_dim);
    ops->rope(backend, rows, angles, FIRST, n, shape.kv_heads, shape.head_dim);
    ops->matmul(backend, gate.matrix, normed, none, false, n, slice_at(parts[3], 0));
    ops->matmul(backend, up.matrix, normed, none, false, n, slice_at(parts[4], 0));
    ops->silu_mul(backend, slice_at(parts[3], 0), slice_at(parts[4], 0), counts[3]);

    for (int i = 0; i < 4; i++) {
        float *got = download(fused[i], counts[i]), *wanted = download(parts[i], counts[i]);
        double *expected = malloc(counts[i] * sizeof *expected);
        for (size_t j = 0; j < counts[i]; j++)
            expected[j] = (double)wanted[j];
        assert_close(got, expected, counts[i]);
        free(got);
        free(wanted);
        free(expected);
    }
    for (int i = 0; i < 5; i++) {
        ops->buffer_destroy(buffers[i]);
        ops->buffer_destroy(parts[i]);
        ops->buffer_destroy(i < 4 ? fused[i] : NULL);
    }
    struct sample_matrix *samples[] = {&q, &k, &v, &gate, &up};
    for (int i = 0; i < 5; i++)
        sample_destroy(samples[i], backend);
    free(in);
    free(weight);
    free(table);
    free(bias);
}

static void fused_operations_equal_their_parts(void **state)
{
    static const int batches[] = {1, 4, 8, 9, 20};

    (void)state;
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        check_fused(STORAGE_HXQ, STORAGE_HXQ, batches[i]);
        check_fused(STORAGE_HXQ, STORAGE_F32, batches[i]);
        check_fused(STORAGE_BF16, STORAGE_BF16, batches[i]);
    }
}

/* Every bit pattern against the fields of the format. */
static void widening_of_every_half_is_exact(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits <= 0xffff; bits++) {
        const uint16_t half = (uint16_t)bits;
        const int exponent = half >> 10 & 31, mantissa = half & 1023;
        float value;
        dtype_widen(DTYPE_F16, &half, &value, 1);
        if (exponent == 31) {
            assert_true(mantissa ? isnan(value) : isinf(value));
            continue;
        }
        const double magnitude =
            exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
        assert_true((double)value == (half & 0x8000 ? -magnitude : magnitude));
        assert_int_equal(signbit(value) != 0, half >> 15);
    }
}

static void buffer_too_large_is_a_status(void **state)
{
    struct backend *other = create(1);

    (void)state;
    assert_null(other->ops->buffer_create(other, SIZE_MAX / 2));
    assert_int_equal(backend_status(other), BACKEND_OUT_OF_MEMORY);
    other->ops->destroy(other);
}

int main(int argc, char **argv)
{
    static const struct way ways[] = {{"portable", true}, {"avx2", true},    {"avx512vbmi", true},
                                      {"avx512", true},   {"avx512", false}, {"cuda", true}};
    const size_t cuda = sizeof ways / sizeof *ways - 1;
    const bool is_cuda = argc > 1 && strcmp(argv[1], "cuda") == 0;
    int failed = 0;

    for (size_t i = is_cuda ? cuda : 0; i < (is_cuda ? cuda + 1 : cuda); i++) {
        way = &ways[i];
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(matmul_of_every_storage_and_shape_equals_plain_loops),
            cmocka_unit_test(matmul_row_is_the_same_for_any_batch),
            cmocka_unit_test(embed_gives_rows_of_every_storage),
            cmocka_unit_test(matrix_bytes_are_of_what_is_held),
            cmocka_unit_test(rms_norm_equals_its_formula),
            cmocka_unit_test(rope_rotates_pairs_half_a_head_apart),
            cmocka_unit_test(attention_of_grouped_heads_equals_plain_loops),
            cmocka_unit_test(attention_of_a_token_is_the_same_for_any_batch),
            cmocka_unit_test(silu_mul_equals_its_formula),
            cmocka_unit_test(fused_operations_equal_their_parts),
            cmocka_unit_test(widening_of_every_half_is_exact),
            cmocka_unit_test(buffer_too_large_is_a_status),
        };
        if (!is_available())
            continue;
        print_message("%s, %s\n", way->isa, way->exact ? "exact" : "fast");
        failed += cmocka_run_group_tests(tests, setup, teardown);
    }
    return failed;
}
