/* CUDA's threads on a host: every thread of a block is a fiber, one block runs after the other.
 *
 * A barrier or an exchange within a warp switches to the next fiber; the order in which they take turns can be changed, because
 * code that lacks a barrier often comes out right in one order. Memory that CUDA leaves undefined begins as junk. What CUDA
 * forbids and would merely hang or go wrong ends the program with a sentence: a barrier that some threads never reach, an
 * exchange with threads that have returned. Cannot see: what nvcc makes of the code, memory ordering, bank conflicts, speed.
 *
 * The environment chooses: SIMT_ORDER=forward, reverse or random. What else tests may set is in host/control.h.
 *
 * One thread uses it at a time.
 */
#ifndef KERNELS_CUDA_HOST_SIMT_H
#define KERNELS_CUDA_HOST_SIMT_H

#include <functional>

#include <cuda_runtime.h>

/* Runs a kernel, or records it where the stream is recording. */
void simt_launch(dim3 grid, dim3 block, cudaStream_t stream, std::function<void()> thread);

extern dim3 threadIdx, blockIdx, blockDim, gridDim;

/* Fills a block's shared array with junk when its first thread comes by. `seen` is the array's own mark. */
void simt_shared(unsigned long *seen, void *memory, size_t bytes);

void simt_barrier(void);

/* Hands 32 bytes at most to the other lanes of the warp and gives what all of them handed over, [lane], valid until the next
 * exchange but one. Every lane must take part. */
enum { SIMT_EXCHANGE_BYTES = 32 };
const unsigned char (*simt_exchange(const void *value, size_t bytes))[SIMT_EXCHANGE_BYTES];

#define SHARED(type, name, count)                                                                  \
    static type name[count];                                                                       \
    static unsigned long name##_seen;                                                              \
    simt_shared(&name##_seen, name, sizeof name)

#define LAUNCH(kernel, grid, block, stream, ...)                                                   \
    simt_launch(grid, block, stream, [=] { kernel(__VA_ARGS__); })

/* A fault that tests plant to see whether they would notice: barriers that do nothing. */
static inline void __syncthreads(void)
{
#ifndef SIMT_FAULT_BARRIER
    simt_barrier();
#endif
}

static inline void __syncwarp(void)
{
    simt_exchange(nullptr, 0);
}

float __shfl_xor_sync(unsigned mask, float value, int other);

float simt_float(uint32_t bits);
uint32_t simt_bits(float value);
float simt_widen_f16(uint16_t half);
uint16_t simt_narrow_f16(float value);
uint4 simt_load16(const void *address);

/* As PTX documents mma.m16n8k8 and, with two halves, mma.m16n8k16 on float16, with sums in float32. `a` [2 * halves], b
 * [halves]. */
void simt_mma(float sums[4], const uint32_t *a, const uint32_t *b, int halves);

static inline int min(int a, int b)
{
    return a < b ? a : b;
}

static inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}

#endif
