/* Device memory is taken in large pieces, because the driver rounds what it gives up to 2 MiB, and cut into blocks from
 * their starts on, each block from the first piece with room. Pieces grow; the last takes what the limit leaves, and where
 * memory is short of it they shrink to what is needed. Models of 0.5 to 7 billion parameters leave less than 2 MiB unused at
 * their limits.
 *
 * Uploads go through pinned memory in halves: one is filled, from a file perhaps, while the other is on its way. */
#include <string.h>

#include "kernels/cuda/cuda_backend.cuh"

/* Pieces begin at the first size and double up to the last. Builds for tests set both to 0: then each block is an allocation of
 * its own, whose ends a sanitizer watches. */
#ifndef PIECE_BYTES_FIRST
#define PIECE_BYTES_FIRST ((size_t)8 << 20)
#define PIECE_BYTES_LAST  ((size_t)512 << 20)
#endif

bool memory_init(struct cuda_backend *backend)
{
    cudaError_t error = cudaMallocHost((void **)&backend->staging, 2 * (size_t)STAGING_HALF_BYTES);

    for (int i = 0; error == cudaSuccess && i < 2; i++)
        error = cudaEventCreate(&backend->arrived[i]);
    for (int i = 0; error == cudaSuccess && i < 2; i++)
        error = cudaEventRecord(backend->arrived[i], backend->stream);
    return device_check(backend, error);
}

void memory_finish(struct cuda_backend *backend)
{
    for (int i = 0; i < backend->piece_count; i++)
        cudaFree(backend->pieces[i].memory);
    for (int i = 0; i < 2; i++)
        if (backend->arrived[i])
            cudaEventDestroy(backend->arrived[i]);
    cudaFreeHost(backend->staging);
}

/* --- blocks ----------------------------------------------------------------------------------------------------------- */

static struct piece *piece_with_room(struct cuda_backend *backend, size_t bytes)
{
    for (int i = 0; i < backend->piece_count; i++)
        if (backend->pieces[i].bytes - backend->pieces[i].used >= bytes)
            return &backend->pieces[i];
    return NULL;
}

/* How large the next piece may be that a block of `least` bytes goes to: larger than the last, up to what the limit leaves. */
static size_t piece_size(const struct cuda_backend *backend, size_t least)
{
    const int64_t left = backend->limit_bytes - backend->piece_bytes;
    size_t bytes = PIECE_BYTES_FIRST;

    for (int i = 0; i < backend->piece_count && bytes != PIECE_BYTES_LAST; i++)
        bytes *= 2;
    return left >= (int64_t)least && left < (int64_t)bytes ? (size_t)left : bytes;
}

/* Another piece with room for `bytes`, NULL where the device or the limit has no such room. */
static struct piece *piece_create(struct cuda_backend *backend, size_t bytes)
{
    struct piece *piece = &backend->pieces[backend->piece_count];
    size_t size = piece_size(backend, bytes);
    cudaError_t error = cudaErrorMemoryAllocation;

    if (backend->piece_count == PIECES_MAX) {
        device_check(backend, error);
        return NULL;
    }
    for (bool is_least = false; error != cudaSuccess && !is_least; size /= 2) {
        is_least = size <= bytes;
        size = is_least ? bytes : size;
        if (backend->limit_bytes == 0 ||
            backend->piece_bytes + (int64_t)size <= backend->limit_bytes)
            error = cudaMalloc((void **)&piece->memory, size);
        if (error == cudaSuccess)
            piece->bytes = size;
        else
            cudaGetLastError();
    }
    if (!device_check(backend, error))
        return NULL;
    piece->used = 0;
    piece->blocks = 0;
    backend->piece_count++;
    backend->piece_bytes += (int64_t)piece->bytes;
    return piece;
}

/* The whole of a block, in cuda_memory.c's measure. */
static size_t block_size(size_t bytes)
{
    return (size_t)cuda_buffer_bytes((bytes + sizeof(float) - 1) / sizeof(float));
}

void *block_create(struct cuda_backend *backend, size_t bytes)
{
    const size_t size = block_size(bytes > 0 ? bytes : 1);
    struct piece *piece;

    if (backend->base.status != BACKEND_OK)
        return NULL;
    piece = piece_with_room(backend, size);
    if (!piece && !(piece = piece_create(backend, size)))
        return NULL;
    void *block = piece->memory + piece->used;
    piece->used += size;
    piece->blocks++;
    backend->block_bytes += (int64_t)size;
    return block;
}

/* A piece that nothing is cut from goes back to the device: the next model may be larger. */
void block_destroy(struct cuda_backend *backend, void *block, size_t bytes)
{
    unsigned char *start = (unsigned char *)block;

    for (int i = 0; block && i < backend->piece_count; i++) {
        struct piece *piece = &backend->pieces[i];
        if (start < piece->memory || start >= piece->memory + piece->bytes)
            continue;
        backend->block_bytes -= (int64_t)block_size(bytes > 0 ? bytes : 1);
        if (--piece->blocks > 0)
            return;
        cudaFree(piece->memory);
        backend->piece_bytes -= (int64_t)piece->bytes;
        *piece = backend->pieces[--backend->piece_count];
        return;
    }
}

/* --- transfers -------------------------------------------------------------------------------------------------------- */

unsigned char *staging_take(struct cuda_backend *backend)
{
    if (backend->base.status != BACKEND_OK ||
        !device_check(backend, cudaEventSynchronize(backend->arrived[backend->half])))
        return NULL;
    return backend->staging + (size_t)backend->half * STAGING_HALF_BYTES;
}

void staging_send(struct cuda_backend *backend, void *to, size_t bytes)
{
    const unsigned char *from = backend->staging + (size_t)backend->half * STAGING_HALF_BYTES;
    cudaError_t error = cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, backend->stream);

    if (error == cudaSuccess)
        error = cudaEventRecord(backend->arrived[backend->half], backend->stream);
    device_check(backend, error);
    backend->half = !backend->half;
}

void memory_upload(struct cuda_backend *backend, void *to, const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += STAGING_HALF_BYTES) {
        const size_t left = bytes - at;
        const size_t size = left < STAGING_HALF_BYTES ? left : (size_t)STAGING_HALF_BYTES;
        unsigned char *half = staging_take(backend);
        if (!half)
            return;
        memcpy(half, (const unsigned char *)from + at, size);
        staging_send(backend, (unsigned char *)to + at, size);
    }
}

void memory_download(struct cuda_backend *backend, void *to, const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += STAGING_HALF_BYTES) {
        const size_t left = bytes - at;
        const size_t size = left < STAGING_HALF_BYTES ? left : (size_t)STAGING_HALF_BYTES;
        unsigned char *half = staging_take(backend);
        if (!half)
            return;
        cudaError_t error = cudaMemcpyAsync(half, (const unsigned char *)from + at, size,
                                            cudaMemcpyDeviceToHost, backend->stream);
        if (error == cudaSuccess)
            error = cudaStreamSynchronize(backend->stream);
        if (!device_check(backend, error))
            return;
        memcpy((unsigned char *)to + at, half, size);
    }
}
