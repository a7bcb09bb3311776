/* Matrix products over HXQ and dense weights.
 *
 * Several products of the same inputs are one piece of work: their blocks of BLOCK_ROWS rows stand in one queue that the
 * threads share. For a few inputs the instruction set multiplies straight from the indices; for many, a member expands a
 * block of rows, a few hundred columns at a time, into scratch that stays in its fastest cache and multiplies it with every
 * input there. Either way the compressed form is what travels from memory, once, and every sum is made in the same order.
 *
 * Exceptions of a row come last: the sum of their deltas times the float32 inputs is added to the row's result. */
#include "kernels/cpu/cpu_backend.h"

#include <string.h>

enum {
    BLOCK_TILES = ISA_DIRECT_TILES, /* tiles of rows that a member works on at a time */
    BLOCK_ROWS = BLOCK_TILES * ISA_TILE_ROWS,
    NARROW_INPUTS = 2 * ISA_TILE_INPUTS, /* inputs up to which rows in memory are read in one go */
    PACK_GRAIN = 8,                      /* inputs that a thread is woken for */
};

/* Inputs in one number format and one order, as the products read them: blocks of columns, in each panels of some inputs. */
struct packed {
    const struct number_format *format;
    unsigned char *panels;
    int64_t block_cols; /* a multiple of ISA_STEP */
    int panel_inputs;
    bool is_looked_up;
};

struct matmul {
    struct cpu_backend *backend;
    const struct cpu_product *products; /* [count], all of one number of columns */
    int count;
    struct packed packed;
    const float *in; /* [n, cols] */
    int64_t cols;
    int n;
    bool is_gated; /* two products make one output: silu of the first times the second */
};

/* A member's scratch. */
struct workplace {
    unsigned char *tiles; /* [BLOCK_TILES, tile_bytes] expanded */
    size_t tile_bytes;
    unsigned char *carried; /* [inputs, BLOCK_ROWS, ISA_CARRY_BYTES] */
    float *sums[2];         /* [n, BLOCK_ROWS] */
};

static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

/* Whether a dense matrix holds its numbers as the format wants them. */
static bool is_direct(const struct matrix *matrix, const struct number_format *format)
{
    return !matrix->compressed && matrix->dtype == (format->bytes == 2 ? DTYPE_BF16 : DTYPE_F32);
}

/* Whether the product is made straight from the indices. */
static bool is_multiplied_directly(const struct matmul *job, const struct matrix *matrix)
{
    return matrix->compressed && job->packed.format->multiply && job->n <= ISA_DIRECT_INPUTS;
}

static const void *table_of(const struct matmul *job, const struct matrix *matrix)
{
    return job->packed.format == job->backend->isa->fast ? matrix->fast_table : matrix->exact_table;
}

/* The panel of inputs from `first` on, in the block of `width` columns from `col` on. */
static unsigned char *panel_at(const struct matmul *job, int64_t col, int64_t width, int first)
{
    const struct packed *packed = &job->packed;

    return packed->panels + (size_t)(col * job->n + (int64_t)first * width) * packed->format->bytes;
}

/* Brings inputs [first, last) into the panels. */
static void pack_inputs(void *argument, int member, int64_t first, int64_t last)
{
    const struct matmul *job = argument;
    const struct packed *packed = &job->packed;
    const int64_t padded = (int64_t)round_up((size_t)job->cols, ISA_STEP);

    (void)member;
    for (int64_t t = first; t < last; t++) {
        const int panel = (int)(t - t % packed->panel_inputs);
        const int beside =
            job->n - panel < packed->panel_inputs ? job->n - panel : packed->panel_inputs;
        for (int64_t col = 0; col < job->cols; col += packed->block_cols) {
            const int64_t left = job->cols - col, room = padded - col;
            unsigned char *to =
                panel_at(job, col, room < packed->block_cols ? room : packed->block_cols, panel) +
                (size_t)(t - panel) * ISA_STEP * packed->format->bytes;
            packed->format->pack(job->in + t * job->cols + col,
                                 left < packed->block_cols ? left : packed->block_cols,
                                 packed->is_looked_up, to, beside * ISA_STEP);
        }
    }
}

/* A tile's columns [col, col + width) in the format, where they stand or in `expanded`. */
static const void *find_tile(const struct matmul *job, const struct matrix *matrix, int64_t row,
                             int64_t col, int64_t width, void *expanded)
{
    const struct number_format *format = job->packed.format;
    const unsigned char *numbers = matrix->tiles + matrix_offset(matrix, row, col);
    const int64_t count = width * ISA_TILE_ROWS;

    if (is_direct(matrix, format))
        return numbers;
    if (matrix->compressed)
        format->expand(table_of(job, matrix), numbers, count, expanded);
    else
        job->backend->isa->widen(matrix->dtype, numbers, expanded, (size_t)count);
    return expanded;
}

/* Tiles of a block, for one block of columns, with every input. */
static void multiply_columns(const struct matmul *job, const void *const *tiles, int tile_count,
                             struct isa_tile tile, const struct workplace *place, int64_t col,
                             float *sums)
{
    for (int t = 0; t < job->n; t += tile.inputs) {
        tile.inputs = job->n - t < job->packed.panel_inputs ? job->n - t : job->packed.panel_inputs;
        tile.panel = panel_at(job, col, tile.cols, t);
        for (int i = 0; i < tile_count; i++) {
            const int row = i * ISA_TILE_ROWS;
            tile.rows = tiles[i];
            tile.carried =
                place->carried + (size_t)(t * BLOCK_ROWS + row * tile.inputs) * ISA_CARRY_BYTES;
            tile.sums = sums + t * BLOCK_ROWS + row;
            job->packed.format->tile(&tile);
        }
        tile.is_streamed = false;
    }
}

/* sums [n, BLOCK_ROWS] of the rows from `base` on. */
static void multiply_rows(const struct matmul *job, const struct matrix *matrix, int64_t base,
                          const struct workplace *place, float *sums)
{
    const int64_t tiles_left = matrix_tiles(matrix) - base / ISA_TILE_ROWS;
    const int tile_count = tiles_left < BLOCK_TILES ? (int)tiles_left : BLOCK_TILES;
    const int64_t padded = matrix->steps * ISA_STEP;

    if (is_multiplied_directly(job, matrix)) {
        job->packed.format->multiply(table_of(job, matrix),
                                     matrix->tiles + matrix_offset(matrix, base, 0), tile_count,
                                     job->packed.panels, padded, job->n, sums, BLOCK_ROWS);
        return;
    }
    for (int64_t col = 0; col < padded; col += job->packed.block_cols) {
        const int64_t left = padded - col;
        const int64_t width = left < job->packed.block_cols ? left : job->packed.block_cols;
        const void *tiles[BLOCK_TILES];
        for (int i = 0; i < tile_count; i++)
            tiles[i] = find_tile(job, matrix, base + i * ISA_TILE_ROWS, col, width,
                                 place->tiles + (size_t)i * place->tile_bytes);
        const struct isa_tile tile = {
            .cols = width,
            .is_first = col == 0,
            .is_last = left == width,
            .is_streamed = is_direct(matrix, job->packed.format),
            .sums_stride = BLOCK_ROWS,
        };
        multiply_columns(job, tiles, tile_count, tile, place, col, sums);
    }
}

/* What the exceptions of a row add for one input. */
static float exceptions(const struct sidecar_rows *sidecar, int64_t row, const float *in)
{
    float sum = 0.0f;

    for (int64_t i = sidecar->starts[row]; i < sidecar->starts[row + 1]; i++)
        sum += sidecar->deltas[i] * in[sidecar->columns[i]];
    return sum;
}

/* Adds the exceptions of the rows from `base` on, and the bias, to sums [n, BLOCK_ROWS]. */
static void complete_sums(const struct matmul *job, const struct cpu_product *product, int64_t base,
                          float *sums)
{
    const struct matrix *matrix = product->matrix;

    for (int r = 0; r < BLOCK_ROWS && base + r < matrix->rows; r++) {
        const int64_t row = base + r;
        const bool has_exceptions =
            matrix->compressed && matrix->sidecar.starts[row] < matrix->sidecar.starts[row + 1];
        for (int t = 0; has_exceptions && t < job->n; t++)
            sums[t * BLOCK_ROWS + r] += exceptions(&matrix->sidecar, row, job->in + t * job->cols);
        for (int t = 0; product->bias && t < job->n; t++)
            sums[t * BLOCK_ROWS + r] += product->bias[row];
    }
}

static void store_sums(const struct matmul *job, const struct cpu_product *product, int64_t base,
                       const float *sums)
{
    const int64_t rows = product->matrix->rows;
    const int count = rows - base < BLOCK_ROWS ? (int)(rows - base) : BLOCK_ROWS;

    for (int t = 0; t < job->n; t++, sums += BLOCK_ROWS) {
        float *out = product->out + t * rows + base;
        for (int r = 0; r < count; r++)
            out[r] = product->accumulate ? out[r] + sums[r] : sums[r];
    }
}

static int64_t block_count(const struct matrix *matrix)
{
    return (matrix->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

static struct workplace workplace_of(const struct matmul *job, int member)
{
    unsigned char *bytes = job->backend->members[member].bytes;
    const size_t block = (size_t)job->n * BLOCK_ROWS;
    struct workplace place = {
        .carried = bytes,
        .sums = {(float *)(bytes + block * ISA_CARRY_BYTES),
                 (float *)(bytes + block * (ISA_CARRY_BYTES + sizeof(float)))},
        .tiles = bytes + block * (ISA_CARRY_BYTES + 2 * sizeof(float)),
        .tile_bytes = (size_t)job->packed.block_cols * ISA_TILE_ROWS * job->packed.format->bytes,
    };

    return place;
}

static size_t workplace_bytes(const struct matmul *job)
{
    const struct workplace place = workplace_of(job, 0);

    return (size_t)job->n * BLOCK_ROWS * (ISA_CARRY_BYTES + 2 * sizeof(float)) +
           BLOCK_TILES * place.tile_bytes;
}

/* Blocks [first, last) of all products' blocks in a row. */
static void multiply_blocks(void *argument, int member, int64_t first, int64_t last)
{
    const struct matmul *job = argument;
    const struct workplace place = workplace_of(job, member);

    for (int64_t block = first; block < last; block++) {
        const struct cpu_product *product = job->products;
        int64_t index = block;
        while (index >= block_count(product->matrix))
            index -= block_count(product++->matrix);
        const int64_t base = index * BLOCK_ROWS;
        multiply_rows(job, product->matrix, base, &place, place.sums[0]);
        complete_sums(job, product, base, place.sums[0]);
        store_sums(job, product, base, place.sums[0]);
    }
}

/* As multiply_blocks for two products of one shape, gated. */
static void multiply_gated(void *argument, int member, int64_t first, int64_t last)
{
    const struct matmul *job = argument;
    const struct workplace place = workplace_of(job, member);

    for (int64_t block = first; block < last; block++) {
        for (int i = 0; i < 2; i++) {
            const struct cpu_product *product = job->products + i;
            multiply_rows(job, product->matrix, block * BLOCK_ROWS, &place, place.sums[i]);
            complete_sums(job, product, block * BLOCK_ROWS, place.sums[i]);
        }
        job->backend->isa->silu_mul(place.sums[0], place.sums[1], (int64_t)job->n * BLOCK_ROWS);
        store_sums(job, job->products, block * BLOCK_ROWS, place.sums[0]);
    }
}

/* The 16-bit format where it is wanted and loses nothing more than it must. */
static const struct number_format *choose_format(const struct cpu_backend *backend,
                                                 const struct matrix *matrix)
{
    const bool suits = matrix->compressed || matrix->dtype == DTYPE_BF16;

    return backend->isa->fast && !backend->is_exact && suits ? backend->isa->fast
                                                             : backend->isa->exact;
}

/* How the inputs stand for a matrix. */
static void choose_panels(struct matmul *job, const struct matrix *matrix)
{
    struct packed *packed = &job->packed;
    const int64_t padded = matrix->steps * ISA_STEP;

    packed->format = choose_format(job->backend, matrix);
    packed->is_looked_up = matrix->compressed;
    const bool directly = is_multiplied_directly(job, matrix);
    const bool in_one_go =
        directly || (is_direct(matrix, packed->format) && job->n <= NARROW_INPUTS);
    packed->panel_inputs = directly ? ISA_DIRECT_INPUTS : ISA_TILE_INPUTS;
    packed->block_cols =
        in_one_go || padded < packed->format->block_cols ? padded : packed->format->block_cols;
}

/* Runs products whose inputs are packed alike. */
static void run_alike(struct matmul *job)
{
    struct cpu_backend *backend = job->backend;
    const size_t padded = round_up((size_t)job->cols, ISA_STEP);
    int64_t blocks = 0;

    choose_panels(job, job->products->matrix);
    if (!members_reserve(backend, workplace_bytes(job)) ||
        !scratch_reserve(backend, &backend->packed,
                         (size_t)job->n * padded * job->packed.format->bytes))
        return;

    job->packed.panels = backend->packed.bytes;
    threads_run(backend->threads, pack_inputs, job, job->n, PACK_GRAIN);
    for (int i = 0; i < (job->is_gated ? 1 : job->count); i++)
        blocks += block_count(job->products[i].matrix);
    threads_run(backend->threads, job->is_gated ? multiply_gated : multiply_blocks, job, blocks, 1);
}

static bool are_alike(const struct cpu_backend *backend, const struct matrix *a,
                      const struct matrix *b)
{
    return choose_format(backend, a) == choose_format(backend, b) && a->compressed == b->compressed;
}

void cpu_multiply(struct cpu_backend *backend, const struct cpu_product *products, int count,
                  const float *in, int n)
{
    for (int done = 0, alike = 1; done < count; done += alike, alike = 1) {
        while (done + alike < count &&
               are_alike(backend, products[done].matrix, products[done + alike].matrix))
            alike++;
        struct matmul job = {
            .backend = backend,
            .products = products + done,
            .count = alike,
            .in = in,
            .cols = products->matrix->cols,
            .n = n,
        };
        run_alike(&job);
    }
}

bool cpu_multiply_gated(struct cpu_backend *backend, const struct cpu_product products[2],
                        const float *in, int n)
{
    struct matmul job = {
        .backend = backend,
        .products = products,
        .count = 2,
        .in = in,
        .cols = products->matrix->cols,
        .n = n,
        .is_gated = true,
    };

    if (!are_alike(backend, products[0].matrix, products[1].matrix))
        return false;
    run_alike(&job);
    return true;
}

void cpu_matmul(struct backend *base, const struct matrix *matrix, struct slice in,
                struct slice bias, bool accumulate, int n, struct slice out)
{
    const struct cpu_product product = {
        .matrix = matrix,
        .bias = bias.buffer ? slice_values(bias) : NULL,
        .out = slice_values(out),
        .accumulate = accumulate,
    };

    cpu_multiply(cpu_backend_of(base), &product, 1, slice_values(in), n);
}
