/* What kernels are written in: CUDA C++ that a host compiler builds as well.
 *
 * nvcc sees CUDA; any other compiler sees host/simt.h, which runs every thread of a block as a fiber, so that the same sources
 * are tested without a GPU. All that differs between the two, and between architectures, is in this header: launches, shared
 * memory, exchanges within a warp, matrix instructions, loads. Rules for kernels: shared memory by SHARED, launches by LAUNCH
 * (template kernels in parentheses), whole warps at every exchange, no return before a barrier, blocks of whole warps.
 */
#ifndef KERNELS_CUDA_PORTABLE_CUH
#define KERNELS_CUDA_PORTABLE_CUH

#include <stdint.h>

#include <cuda_runtime.h> /* NVIDIA's, or host/cuda_runtime.h */

#ifdef __CUDACC__
#define SHARED(type, name, count)                __shared__ type name[count]
#define LAUNCH(kernel, grid, block, stream, ...) kernel<<<grid, block, 0, stream>>>(__VA_ARGS__)
#else
#include "kernels/cuda/host/simt.h"
#endif

#define WARP      32
#define FULL_WARP 0xffffffffu

/* Columns that one matrix instruction takes: 16 from compute capability 8.0 on. */
#ifdef __CUDACC__
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define MMA_COLUMNS 8
#else
#define MMA_COLUMNS 16
#endif
#elif !defined(MMA_COLUMNS)
#define MMA_COLUMNS 16
#endif

/* --- numbers of 16 bits ----------------------------------------------------------------------------------------------- */

static __device__ __forceinline__ float float_of_bits(uint32_t bits)
{
#ifdef __CUDACC__
    return __uint_as_float(bits);
#else
    return simt_float(bits);
#endif
}

static __device__ __forceinline__ uint32_t bits_of_float(float value)
{
#ifdef __CUDACC__
    return __float_as_uint(value);
#else
    return simt_bits(value);
#endif
}

static __device__ __forceinline__ float widen_bf16(uint16_t half)
{
    return float_of_bits((uint32_t)half << 16);
}

static __device__ __forceinline__ float widen_f16(uint16_t half)
{
#ifdef __CUDACC__
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
#else
    return simt_widen_f16(half);
#endif
}

/* To nearest, ties to even; what is too large becomes the largest. */
static __device__ __forceinline__ uint32_t narrow_f16(float value)
{
#ifdef __CUDACC__
    uint16_t half;
    asm("cvt.rn.satfinite.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
#else
    return simt_narrow_f16(value);
#endif
}

/* --- matrix instructions ---------------------------------------------------------------------------------------------- */

/* Products in 16 bits take float16, which loses eight times less than bfloat16. It ends at 65504, which activations may
 * pass, so they are made smaller by a power of two; what that loses below counts for nothing beside what is lost at usual
 * sizes. */
#define MMA_INPUT_SCALE  0.0625f
#define MMA_RESULT_SCALE 16.0f

/* Two numbers in a register, the first one low. */
static __device__ __forceinline__ uint32_t mma_pair(float low, float high)
{
    return narrow_f16(low) | narrow_f16(high) << 16;
}

/* sums [16, 8] += a [16, 16] * b [16, 8], spread over a warp as PTX's mma.m16n8k16 spreads them. Lane 4g + t holds of a the
 * pairs at columns 2t and 2t + 8 of rows g and g + 8 (a[0]: g, 2t; a[1]: g + 8, 2t; a[2]: g, 2t + 8; a[3]: g + 8, 2t + 8),
 * of b those at rows 2t and 2t + 8 of column g, and of the sums columns 2t, 2t + 1 of row g, then of row g + 8. In halves of
 * 8 columns the first half is a[0], a[1], b[0]. */
static __device__ __forceinline__ void mma_16816(float sums[4], const uint32_t a[4],
                                                 const uint32_t b[2])
{
#if defined(__CUDACC__) && MMA_COLUMNS == 16
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif defined(__CUDACC__)
#pragma unroll
    for (int half = 0; half < 2; half++)
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                     "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                     : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                     : "r"(a[2 * half]), "r"(a[2 * half + 1]), "r"(b[half]));
#else
    for (int half = 0; half < 16 / MMA_COLUMNS; half++)
        simt_mma(sums, a + 2 * half, b + half, MMA_COLUMNS / 8);
#endif
}

/* --- loads ------------------------------------------------------------------------------------------------------------ */

/* 16 bytes that are read once: past the first cache, and the first to go from the second. */
static __device__ __forceinline__ uint4 load_once(const void *address)
{
#ifdef __CUDACC__
    uint4 value;
    asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
        : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
        : "l"(address));
    return value;
#else
    return simt_load16(address);
#endif
}

/* --- within a warp ---------------------------------------------------------------------------------------------------- */

/* The sum over all lanes, in every lane, always added in the same order. */
static __device__ __forceinline__ float warp_sum(float value)
{
    for (int other = WARP / 2; other > 0; other /= 2)
        value += __shfl_xor_sync(FULL_WARP, value, other);
    return value;
}

static __device__ __forceinline__ float warp_max(float value)
{
    for (int other = WARP / 2; other > 0; other /= 2)
        value = fmaxf(value, __shfl_xor_sync(FULL_WARP, value, other));
    return value;
}

#endif
