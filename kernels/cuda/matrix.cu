/* Matrices in device memory. Rows are lengthened to whole steps of the kernels and sent as they come from the source, which may
 * be a file that is being read: nothing is held twice on the host. Float32 numbers that all are bfloat16 become it. */
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/cuda_backend.cuh"

extern "C" {
#include "kernels/hxq_layout.h"
}

enum { CODES = 256 };

static size_t number_bytes(enum device_storage storage)
{
    return storage == DEVICE_HXQ ? 1 : storage == DEVICE_F32 ? 4 : 2;
}

/* Whether dense float32 numbers say no more than bfloat16 can: the lower halves of all are zero. */
static bool is_narrow(const struct matrix_source *source)
{
    const unsigned char *bytes = (const unsigned char *)source->data;
    const int64_t count = source->rows * source->cols;
    uint32_t lost = 0, bits;

    for (int64_t i = 0; i < count && lost == 0; i++) {
        memcpy(&bits, bytes + i * 4, sizeof bits);
        lost = bits & 0xffff;
    }
    return lost == 0;
}

static enum device_storage storage_of(const struct matrix_source *source)
{
    if (source->codebook)
        return DEVICE_HXQ;
    if (source->dtype == DTYPE_F16)
        return DEVICE_F16;
    return source->dtype == DTYPE_F32 && !is_narrow(source) ? DEVICE_F32 : DEVICE_BF16;
}

/* One row as the device has it, its end filled with zeros. */
static void row_write(unsigned char *to, const struct device_matrix *matrix,
                      const struct matrix_source *source, int64_t row)
{
    const size_t width = number_bytes(matrix->storage);
    const size_t given = source->codebook ? 1 : dtype_bytes(source->dtype);
    const size_t used = (size_t)source->cols * width;
    const unsigned char *from =
        (const unsigned char *)source->data + (size_t)row * (size_t)source->cols * given;

    if (given == width)
        memcpy(to, from, used);
    for (int64_t i = 0; given != width && i < source->cols; i++)
        memcpy(to + i * 2, from + i * 4 + 2, 2); /* the upper half */
    memset(to + used, 0, (size_t)matrix->row_bytes - used);
}

static void rows_upload(struct cuda_backend *backend, const struct device_matrix *matrix,
                        const struct matrix_source *source)
{
    const size_t stride = (size_t)matrix->row_bytes;
    const int64_t at_once = STAGING_HALF_BYTES / (int64_t)stride;

    for (int64_t row = 0; row < source->rows; row += at_once) {
        const int64_t left = source->rows - row, count = left < at_once ? left : at_once;
        unsigned char *half = staging_take(backend);
        if (!half)
            return;
        for (int64_t i = 0; i < count; i++)
            row_write(half + (size_t)i * stride, matrix, source, row + i);
        staging_send(backend, (unsigned char *)matrix->data + (size_t)row * stride,
                     (size_t)count * stride);
    }
}

/* --- memory ----------------------------------------------------------------------------------------------------------- */

/* What a matrix has on the device beside its numbers; sizes by what the source gives, as plans count. */
static void sizes_of(const struct device_matrix *matrix, int64_t exceptions, size_t sizes[6])
{
    sizes[0] = (size_t)(matrix->rows * matrix->row_bytes);
    sizes[1] = CODES * sizeof(float);
    sizes[2] = ((size_t)matrix->rows + 1) * sizeof(int32_t);
    sizes[3] = (size_t)exceptions * sizeof(int32_t);
    sizes[4] = sizes[5] = (size_t)exceptions * sizeof(float);
}

static bool blocks_create(struct matrix *matrix, int64_t exceptions)
{
    struct device_matrix *device = &matrix->device;
    const int count = device->storage == DEVICE_HXQ ? 6 : 1;

    sizes_of(device, exceptions, matrix->sizes);
    for (int i = 0; i < count; i++) {
        if (i > 2 && exceptions == 0)
            continue;
        matrix->blocks[i] = block_create(matrix->backend, matrix->sizes[i]);
        if (!matrix->blocks[i])
            return false;
    }
    device->data = (const uint8_t *)matrix->blocks[0];
    device->codebook = (const float *)matrix->blocks[1];
    device->starts = (const int32_t *)matrix->blocks[2];
    device->columns = (const int32_t *)matrix->blocks[3];
    device->deltas = (const float *)matrix->blocks[4];
    device->values = (const float *)matrix->blocks[5];
    return true;
}

/* The codebook, filled up with zeros, and the exceptions. False when the host's memory is exhausted. */
static bool book_upload(struct matrix *matrix, const struct matrix_source *source)
{
    struct cuda_backend *backend = matrix->backend;
    float codebook[CODES] = {0};
    struct sidecar_rows sidecar;
    int32_t *starts = (int32_t *)malloc(matrix->sizes[2]);

    if (!starts || !sidecar_rows_init(&sidecar, source)) {
        free(starts);
        return false;
    }
    for (int64_t row = 0; row <= source->rows; row++)
        starts[row] = (int32_t)sidecar.starts[row];
    const size_t count = (size_t)starts[source->rows];
    memcpy(codebook, source->codebook, (size_t)source->codebook_size * sizeof *codebook);
    memory_upload(backend, matrix->blocks[1], codebook, sizeof codebook);
    memory_upload(backend, matrix->blocks[2], starts, matrix->sizes[2]);
    memory_upload(backend, matrix->blocks[3], sidecar.columns, count * sizeof(int32_t));
    memory_upload(backend, matrix->blocks[4], sidecar.deltas, count * sizeof(float));
    memory_upload(backend, matrix->blocks[5], sidecar.values, count * sizeof(float));
    sidecar_rows_finish(&sidecar);
    free(starts);
    return true;
}

/* Whether kernels can count in it, and a row goes through the staging memory. */
static bool is_countable(const struct matrix_source *source)
{
    return source->rows > 0 && source->rows < INT32_MAX && source->cols > 0 &&
           source->cols <= STAGING_HALF_BYTES / (int64_t)sizeof(float) - DEVICE_STEP &&
           source->sidecar_count < INT32_MAX;
}

struct matrix *cuda_matrix_create(struct backend *base, const struct matrix_source *source)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    struct matrix *matrix = (struct matrix *)calloc(1, sizeof *matrix);
    bool has_room = false;

    if (!matrix || !is_countable(source))
        goto exhausted;
    matrix->backend = backend;
    matrix->device.storage = storage_of(source);
    matrix->device.rows = (int)source->rows;
    matrix->device.cols = (int)source->cols;
    matrix->device.row_bytes = (source->cols + DEVICE_STEP - 1) / DEVICE_STEP * DEVICE_STEP *
                               (int64_t)number_bytes(matrix->device.storage);
    has_room = blocks_create(matrix, source->sidecar_count);
    if (!has_room || (source->codebook && !book_upload(matrix, source)))
        goto exhausted;
    rows_upload(backend, &matrix->device, source);
    if (base->status == BACKEND_OK)
        return matrix;

exhausted:
    device_check(backend, cudaErrorMemoryAllocation);
    cuda_matrix_destroy(matrix);
    return NULL;
}

int64_t cuda_matrix_held_bytes(const struct matrix *matrix)
{
    return matrix->device.rows * matrix->device.row_bytes;
}

void cuda_matrix_destroy(struct matrix *matrix)
{
    for (int i = 0; matrix && matrix->backend && i < 6; i++)
        block_destroy(matrix->backend, matrix->blocks[i], matrix->sizes[i]);
    free(matrix);
}
