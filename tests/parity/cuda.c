/* Every operation of the CUDA backend against the CPU backend over ragged shapes: cuda [exact|fast]; both where none is
 * said.
 *
 * An ordinary program through the doors of the kernels room, so that it runs on a GPU as well as on the fibers that stand in
 * for one. Prints one line per operation with the largest difference, relative to the largest number that was expected. Exit
 * status 0: all agree; 1: some differ; 77: there is no GPU, with the reason. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

#undef NDEBUG /* memory for tests is there, or nothing is */
#include <assert.h>

enum { CPU, GPU, SIDES, NO_GPU = 77 };

static struct backend *sides[SIDES];
static bool is_exact;
static double worst; /* of the operation under test */
static int failures;
static uint64_t random_state = 11;

/* Memory with the same content on both sides. */
struct twin {
    struct buffer *on[SIDES];
    size_t count;
};

struct twin_matrix {
    struct matrix *on[SIDES];
    int rows, cols;
};

static float random_float(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(random_state >> 40) * 0x1p-23 - 1.0);
}

static struct twin twin_create(size_t count)
{
    struct twin twin = {.count = count};
    float *values = malloc(count * sizeof *values);

    assert(values);
    for (size_t i = 0; i < count; i++)
        values[i] = random_float();
    for (int side = 0; side < SIDES; side++) {
        twin.on[side] = sides[side]->ops->buffer_create(sides[side], count);
        assert(twin.on[side]);
        sides[side]->ops->write(sides[side], slice_at(twin.on[side], 0), values, count);
    }
    free(values);
    return twin;
}

static void twin_destroy(struct twin *twin)
{
    for (int side = 0; side < SIDES; side++)
        sides[side]->ops->buffer_destroy(twin->on[side]);
}

/* Reads both sides and keeps the largest difference. */
static void twin_compare(const struct twin *twin)
{
    float *values[SIDES];
    double scale = 1e-3, difference = 0.0;

    for (int side = 0; side < SIDES; side++) {
        values[side] = calloc(twin->count, sizeof(float));
        assert(values[side]);
        sides[side]->ops->read(sides[side], slice_at(twin->on[side], 0), values[side], twin->count);
    }
    for (size_t i = 0; i < twin->count; i++)
        scale = fmax(scale, fabs((double)values[CPU][i]));
    for (size_t i = 0; i < twin->count; i++) {
        const double off = fabs((double)values[GPU][i] - (double)values[CPU][i]) / scale;
        /* written so that NaN counts */
        if (!(off <= difference))
            difference = isnan(off) ? INFINITY : off;
    }
    worst = fmax(worst, difference);
    for (int side = 0; side < SIDES; side++)
        free(values[side]);
}

/* Ends an operation's checks. */
static void report(const char *operation, double tolerance)
{
    const bool is_well = worst <= tolerance && backend_status(sides[GPU]) == BACKEND_OK;

    printf("%-5s %-12s largest difference %.1e of %.0e%s\n", is_exact ? "exact" : "fast", operation,
           worst, tolerance, is_well ? "" : "  WRONG");
    if (backend_status(sides[GPU]) != BACKEND_OK)
        printf("      %s\n", backend_problem(sides[GPU]));
    failures += !is_well;
    worst = 0.0;
}

/* --- matrices --------------------------------------------------------------------------------------------------------- */

enum storage { HXQ, HXQ_SMALL, F32, F32_OF_BF16, F16, BF16, STORAGES };

static void twin_matrix_place(struct twin_matrix *twin, const struct matrix_source *source)
{
    twin->rows = (int)source->rows;
    twin->cols = (int)source->cols;
    for (int side = 0; side < SIDES; side++) {
        twin->on[side] = sides[side]->ops->matrix_create(sides[side], source);
        assert(twin->on[side]);
    }
}

/* `data` goes to the caller, who frees it after the matrix: a backend may borrow it. */
static void compressed_create(struct twin_matrix *twin, int codes, int rows, int cols, void **data)
{
    const int64_t count = (int64_t)rows * cols, exceptions = count / 50 + 2;
    uint8_t *indices = malloc((size_t)count);
    float codebook[256], *values = malloc((size_t)exceptions * sizeof *values);
    int64_t *positions = malloc((size_t)exceptions * sizeof *positions);

    assert(indices && values && positions);
    for (int i = 0; i < codes; i++)
        codebook[i] = random_float();
    for (int64_t i = 0; i < count; i++)
        indices[i] = (uint8_t)((random_float() + 1.0f) / 2.0f * (float)(codes - 1));
    for (int64_t i = 0; i < exceptions; i++) {
        positions[i] = (int64_t)((random_float() + 1.0f) / 2.0f * (float)(count - 1));
        values[i] = 4.0f * random_float();
    }
    positions[0] = count - 1;
    positions[1] = 0;
    twin_matrix_place(twin, &(struct matrix_source){.rows = rows,
                                                    .cols = cols,
                                                    .data = indices,
                                                    .codebook = codebook,
                                                    .codebook_size = codes,
                                                    .sidecar_positions = positions,
                                                    .sidecar_values = values,
                                                    .sidecar_count = exceptions});
    free(values);
    free(positions);
    *data = indices;
}

static void dense_create(struct twin_matrix *twin, enum storage storage, int rows, int cols,
                         void **data)
{
    const size_t count = (size_t)rows * (size_t)cols;
    const enum dtype dtype = storage == F16 ? DTYPE_F16 : storage == BF16 ? DTYPE_BF16 : DTYPE_F32;
    unsigned char *bytes = malloc(count * sizeof(float));

    assert(bytes);
    for (size_t i = 0; i < count; i++) {
        const float value = random_float();
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        /* sixteen bits of a moderate size, either way read */
        const uint16_t half = (uint16_t)(storage == F16 ? 0x3400 + i * 37 % 0x800 : bits >> 16);
        bits &= storage == F32_OF_BF16 ? 0xffff0000u : 0xffffffffu;
        if (dtype == DTYPE_F32)
            memcpy(bytes + 4 * i, &bits, sizeof bits);
        else
            memcpy(bytes + 2 * i, &half, sizeof half);
    }
    twin_matrix_place(
        twin, &(struct matrix_source){.rows = rows, .cols = cols, .dtype = dtype, .data = bytes});
    *data = bytes;
}

static struct twin_matrix matrix_create(enum storage storage, int rows, int cols, void **data)
{
    struct twin_matrix twin;

    if (storage == HXQ || storage == HXQ_SMALL)
        compressed_create(&twin, storage == HXQ ? 256 : 5, rows, cols, data);
    else
        dense_create(&twin, storage, rows, cols, data);
    return twin;
}

static void matrix_destroy(struct twin_matrix *twin, void *data)
{
    for (int side = 0; side < SIDES; side++)
        sides[side]->ops->matrix_destroy(twin->on[side]);
    free(data);
}

/* --- operations ------------------------------------------------------------------------------------------------------- */

/* Rounding of 16-bit inputs and codebooks shows in passes over more than 16 rows. */
static double tolerance(bool is_rounded)
{
    return is_rounded && !is_exact ? 1e-3 : 1e-5;
}

static const int batches[] = {1, 2, 3, 4, 5, 7, 8, 9, 17, 70};
enum { BATCHES = sizeof batches / sizeof *batches, BATCHES_FEW = BATCHES - 1 };

/* Which of them: rounds repeat themselves in exact mode, and only long passes are other than there in fast mode. */
static int batches_begin(void)
{
    return is_exact ? 0 : BATCHES - 3;
}

static int batches_end(void)
{
    return is_exact ? BATCHES_FEW : BATCHES;
}

static void check_product(const struct twin_matrix *matrix, int n, bool with_bias, bool accumulate)
{
    struct twin x = twin_create((size_t)(n * matrix->cols));
    struct twin y = twin_create((size_t)(n * matrix->rows));
    struct twin bias = twin_create((size_t)matrix->rows);

    for (int side = 0; side < SIDES; side++)
        sides[side]->ops->matmul(sides[side], matrix->on[side], slice_at(x.on[side], 0),
                                 slice_at(with_bias ? bias.on[side] : NULL, 0), accumulate, n,
                                 slice_at(y.on[side], 0));
    twin_compare(&y);
    twin_destroy(&x);
    twin_destroy(&y);
    twin_destroy(&bias);
}

static void check_matmul(void)
{
    static const int shapes[][2] = {{1, 1},    {3, 5},    {7, 16},   {16, 17},  {33, 100},
                                    {64, 360}, {13, 513}, {130, 64}, {257, 72}, {40, 1540}};
    void *data;

    for (int storage = 0; storage < (is_exact ? STORAGES : F32); storage++) {
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct twin_matrix matrix =
                matrix_create((enum storage)storage, shapes[s][0], shapes[s][1], &data);
            for (int b = batches_begin(); b < batches_end(); b++)
                check_product(&matrix, batches[b], b & 1, b & 2);
            matrix_destroy(&matrix, data);
        }
        static const char *const names[] = {"hxq",      "hxq, 5 codes", "float32",
                                            "narrowed", "float16",      "bfloat16"};
        report(names[storage], tolerance(storage == HXQ || storage == HXQ_SMALL));
    }
}

static void check_embed(void)
{
    static const int32_t ids[] = {4, 0, 6, 4};
    void *data;

    for (int storage = 0; storage < STORAGES; storage++) {
        struct twin_matrix matrix = matrix_create((enum storage)storage, 7, 37, &data);
        struct twin out = twin_create(4 * 37);
        for (int side = 0; side < SIDES; side++)
            sides[side]->ops->embed(sides[side], matrix.on[side], ids, 4,
                                    slice_at(out.on[side], 0));
        twin_compare(&out);
        twin_destroy(&out);
        matrix_destroy(&matrix, data);
    }
    report("embed", 0.0);
}

static void check_small(void)
{
    static const int widths[] = {1, 37, 256, 1030};

    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const int d = widths[i];
        struct twin x = twin_create((size_t)(3 * d)), weight = twin_create((size_t)d);
        for (int side = 0; side < SIDES; side++)
            sides[side]->ops->rms_norm(sides[side], slice_at(x.on[side], 0),
                                       slice_at(weight.on[side], 0), 1e-6f, 3, d,
                                       slice_at(x.on[side], 0));
        twin_compare(&x);
        twin_destroy(&x);
        twin_destroy(&weight);
    }
    report("rms_norm", 1e-5);

    struct twin x = twin_create(5 * 3 * 34), table = twin_create(12 * 34);
    for (int side = 0; side < SIDES; side++)
        sides[side]->ops->rope(sides[side], slice_at(x.on[side], 0), slice_at(table.on[side], 0), 7,
                               5, 3, 34);
    twin_compare(&x);
    report("rope", 1e-5);
    for (int side = 0; side < SIDES; side++)
        sides[side]->ops->silu_mul(sides[side], slice_at(x.on[side], 0),
                                   slice_at(table.on[side], 0), 300);
    twin_compare(&x);
    report("silu_mul", 1e-5);
    twin_destroy(&x);
    twin_destroy(&table);
}

/* Numbers of a few values, so that the largest comes several times, against plain loops; the first of them is nowhere near the
 * beginning. A backend without the operation has nothing to check. */
static void check_likeliest(void)
{
    static const int counts[] = {1, 31, 33, 1023, 1024, 1025, 5000};
    const struct backend *gpu = sides[GPU];

    for (size_t c = 0; gpu->ops->likeliest && c < sizeof counts / sizeof *counts; c++) {
        const int count = counts[c], before = 3;
        float *values = malloc((size_t)(before + count) * sizeof *values);
        double sum = 0.0;
        int32_t largest = 0;
        struct likeliest found;
        assert(values);
        for (int i = 0; i < before; i++)
            values[i] = 100.0f;
        for (int i = 0; i < count; i++)
            values[before + i] = i < count / 3 ? -9.0f : floorf(4.0f * random_float()) - 5.0f;
        for (int i = 0; i < count; i++) {
            sum += exp((double)values[before + i]);
            largest = values[before + i] > values[before + largest] ? i : largest;
        }
        struct buffer *buffer = gpu->ops->buffer_create(sides[GPU], (size_t)(before + count));
        assert(buffer);
        gpu->ops->write(sides[GPU], slice_at(buffer, 0), values, (size_t)(before + count));
        gpu->ops->likeliest(sides[GPU], slice_at(buffer, (size_t)before), count, &found);
        worst = fmax(worst, fabs((double)found.log_sum - log(sum)));
        if (found.index != largest || found.value != values[before + largest])
            worst = INFINITY;
        gpu->ops->buffer_destroy(buffer);
        free(values);
    }
    report("likeliest", 1e-5);
}

/* Chunks of keys on both sides of their ends, groups of 1 to 7, heads of any size up to 128. */
static void check_attention(void)
{
    static const struct {
        struct attention_shape shape;
        int first, n, positions;
    } cases[] = {
        {{1, 1, 2}, 0, 1, 1},         {{4, 2, 16}, 0, 7, 100},    {{6, 2, 34}, 13, 3, 16},
        {{8, 8, 10}, 63, 1, 130},     {{8, 8, 10}, 64, 1, 130},   {{3, 1, 64}, 20, 20, 300},
        {{10, 2, 64}, 60, 8, 70},     {{4, 2, 72}, 120, 50, 170}, {{7, 1, 128}, 130, 2, 400},
        {{14, 2, 128}, 190, 17, 210}, {{6, 1, 96}, 255, 16, 300}, {{2, 1, 128}, 0, 70, 70},
    };

    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct attention_shape shape = cases[c].shape;
        const size_t row = (size_t)(shape.heads * shape.head_dim);
        const size_t cache = (size_t)(cases[c].positions * shape.kv_heads * shape.head_dim);
        struct twin q = twin_create((size_t)cases[c].n * row), keys = twin_create(cache);
        struct twin values = twin_create(cache), out = twin_create(q.count);
        for (int side = 0; side < SIDES; side++)
            sides[side]->ops->attention(sides[side], slice_at(q.on[side], 0),
                                        slice_at(keys.on[side], 0), slice_at(values.on[side], 0),
                                        shape, cases[c].first, cases[c].n,
                                        slice_at(out.on[side], 0));
        twin_compare(&out);
        twin_destroy(&q);
        twin_destroy(&keys);
        twin_destroy(&values);
        twin_destroy(&out);
    }
    report("attention", 1e-5);
}

/* What both fused operations and a replayed part need. */
struct sample_layer {
    struct twin_matrix q, k, v, gate, up;
    void *data[5];
    struct twin norm, bias, table, x, queries, keys, values, out;
    struct attention_shape shape;
};

enum { HIDDEN = 100, INNER = 70, POSITIONS = 90, MOST = 70 };

static struct sample_layer layer_create(enum storage storage, enum storage other,
                                        struct attention_shape shape)
{
    const int q = shape.heads * shape.head_dim, kv = shape.kv_heads * shape.head_dim;
    struct sample_layer layer = {.shape = shape};

    layer.q = matrix_create(storage, q, HIDDEN, &layer.data[0]);
    layer.k = matrix_create(storage, kv, HIDDEN, &layer.data[1]);
    layer.v = matrix_create(other, kv, HIDDEN, &layer.data[2]);
    layer.gate = matrix_create(storage, INNER, HIDDEN, &layer.data[3]);
    layer.up = matrix_create(other, INNER, HIDDEN, &layer.data[4]);
    layer.norm = twin_create(HIDDEN);
    layer.bias = twin_create((size_t)q);
    layer.table = twin_create((size_t)(POSITIONS * shape.head_dim));
    layer.x = twin_create(MOST * HIDDEN);
    layer.queries = twin_create((size_t)(MOST * q));
    layer.keys = twin_create((size_t)(POSITIONS * kv));
    layer.values = twin_create((size_t)(POSITIONS * kv));
    layer.out = twin_create(MOST * INNER);
    return layer;
}

static void layer_destroy(struct sample_layer *layer)
{
    struct twin *twins[] = {&layer->norm,    &layer->bias, &layer->table,  &layer->x,
                            &layer->queries, &layer->keys, &layer->values, &layer->out};
    struct twin_matrix *matrices[] = {&layer->q, &layer->k, &layer->v, &layer->gate, &layer->up};

    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        twin_destroy(twins[i]);
    for (int i = 0; i < 5; i++)
        matrix_destroy(matrices[i], layer->data[i]);
}

static void layer_run(const struct sample_layer *layer, int side, int first, int n)
{
    struct backend *backend = sides[side];
    const struct slice norm = slice_at(layer->norm.on[side], 0), none = {NULL, 0};
    const struct slice x = slice_at(layer->x.on[side], 0);
    const struct qkv_weights qkv = {
        norm,
        1e-6f,
        layer->q.on[side],
        layer->k.on[side],
        layer->v.on[side],
        slice_at(layer->bias.on[side], 0),
        none,
        none,
    };
    const struct gate_up_weights mlp = {norm, 1e-6f, layer->gate.on[side], layer->up.on[side]};

    if (backend->ops->part_begin && !backend->ops->part_begin(backend, layer, 0, first, n))
        return;
    backend->ops->project_qkv(backend, &qkv, x, slice_at(layer->table.on[side], 0), layer->shape,
                              first, n, slice_at(layer->queries.on[side], 0),
                              slice_at(layer->keys.on[side], 0),
                              slice_at(layer->values.on[side], 0));
    backend->ops->gate_up(backend, &mlp, x, n, slice_at(layer->out.on[side], 0));
    if (backend->ops->part_end)
        backend->ops->part_end(backend);
}

/* Passes of all sizes, some at three places in a row: launched, recorded, replayed. */
static void check_layers(void)
{
    static const struct {
        enum storage storage, other;
        struct attention_shape shape;
    } cases[] = {
        {HXQ, HXQ, {4, 2, 10}},
        {HXQ, F32, {6, 2, 16}},
        {BF16, BF16, {3, 1, 34}},
        {HXQ_SMALL, HXQ, {14, 2, 64}},
    };

    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct sample_layer layer = layer_create(cases[c].storage, cases[c].other, cases[c].shape);
        for (int b = batches_begin(); b < batches_end(); b++)
            for (int first = 3; first <= 9; first += 3) {
                for (int side = 0; side < SIDES; side++)
                    layer_run(&layer, side, first, batches[b]);
                const struct twin *results[] = {&layer.queries, &layer.keys, &layer.values,
                                                &layer.out};
                for (int i = 0; i < 4; i++)
                    twin_compare(results[i]);
            }
        layer_destroy(&layer);
    }
    report("fused", tolerance(true));
}

/* False where there is no GPU. */
static bool check_all(bool exact)
{
    char problem[BACKEND_PROBLEM_BYTES] = "";
    struct backend_info info;

    is_exact = exact;
    sides[CPU] = cpu_backend_create(0, true);
    sides[GPU] = cuda_backend_create(exact, 0, problem);
    assert(sides[CPU]);
    if (!sides[GPU]) {
        printf("no GPU to test: %s\n", problem);
        sides[CPU]->ops->destroy(sides[CPU]);
        return false;
    }
    backend_describe(sides[GPU], &info);
    printf("%s, %s\n", info.hardware, info.kernels);
    check_matmul();
    check_layers();
    if (exact) { /* the rest is the same either way */
        check_embed();
        check_small();
        check_likeliest();
        check_attention();
    }
    for (int side = 0; side < SIDES; side++)
        sides[side]->ops->destroy(sides[side]);
    return true;
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";

    for (int exact = 1; exact >= 0; exact--)
        if (strcmp(only, exact ? "fast" : "exact") != 0 && !check_all(exact))
            return NO_GPU;
    printf(failures ? "%d operations differ from the CPU\n" : "all operations agree\n", failures);
    return failures ? 1 : 0;
}
