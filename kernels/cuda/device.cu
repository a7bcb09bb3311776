/* The device itself: whether there is one, and what its failures mean. Everything that goes wrong while looking means "no
 * device"; the runtime is linked statically, so that this works on machines without a driver. */
#include <stdio.h>
#include <string.h>

#include "kernels/cuda/cuda_backend.cuh"

enum { CAPABILITY_LEAST = 75 }; /* tens and ones: 7.5 */

static double gib(int64_t bytes)
{
    return (double)bytes / (double)((int64_t)1 << 30);
}

/* Why the runtime shows no device. */
static void say_why_none(cudaError_t error, char problem[BACKEND_PROBLEM_BYTES])
{
    int driver = 0;

    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
        snprintf(problem, BACKEND_PROBLEM_BYTES, "no NVIDIA driver was found");
    else if (error == cudaErrorInsufficientDriver)
        snprintf(problem, BACKEND_PROBLEM_BYTES,
                 "the NVIDIA driver is for CUDA %d.%d, this build needs %d.%d or newer",
                 driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
                 CUDART_VERSION % 1000 / 10);
    else if (error == cudaSuccess || error == cudaErrorNoDevice)
        snprintf(problem, BACKEND_PROBLEM_BYTES, "no GPU is shown by the NVIDIA driver");
    else
        snprintf(problem, BACKEND_PROBLEM_BYTES, "CUDA: %s", cudaGetErrorString(error));
}

static cudaError_t ask(struct cuda_device *device)
{
    struct cudaDeviceProp properties;
    int clock_khz = 0, bus_bits = 0;
    size_t free_bytes, total_bytes;
    cudaError_t error = cudaSetDevice(0);

    if (error == cudaSuccess)
        error = cudaGetDeviceProperties(&properties, 0);
    if (error == cudaSuccess)
        error = cudaDeviceGetAttribute(&device->major, cudaDevAttrComputeCapabilityMajor, 0);
    if (error == cudaSuccess)
        error = cudaDeviceGetAttribute(&device->minor, cudaDevAttrComputeCapabilityMinor, 0);
    if (error == cudaSuccess)
        error = cudaMemGetInfo(&free_bytes, &total_bytes);
    if (error != cudaSuccess)
        return error;

    snprintf(device->name, sizeof device->name, "%.63s", properties.name);
    device->total_bytes = (int64_t)total_bytes;
    device->free_bytes = (int64_t)free_bytes;
    /* two transfers per clock; drivers need not tell */
    if (cudaDeviceGetAttribute(&clock_khz, cudaDevAttrMemoryClockRate, 0) == cudaSuccess &&
        cudaDeviceGetAttribute(&bus_bits, cudaDevAttrGlobalMemoryBusWidth, 0) == cudaSuccess)
        device->peak_bytes_per_second = 2e3 * clock_khz * bus_bits / 8;
    return cudaSuccess;
}

extern "C" bool cuda_device_find(struct cuda_device *device, char problem[BACKEND_PROBLEM_BYTES])
{
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);

    memset(device, 0, sizeof *device);
    if (error != cudaSuccess || count < 1) {
        say_why_none(error, problem);
        return false;
    }
    error = ask(device);
    if (error != cudaSuccess) {
        snprintf(problem, BACKEND_PROBLEM_BYTES, "the GPU cannot be used: %s",
                 cudaGetErrorString(error));
        return false;
    }
    if (device->major * 10 + device->minor < CAPABILITY_LEAST) {
        snprintf(problem, BACKEND_PROBLEM_BYTES, "%s has compute capability %d.%d, 7.5 is needed",
                 device->name, device->major, device->minor);
        return false;
    }
    return true;
}

bool device_check(struct cuda_backend *backend, cudaError_t error)
{
    struct backend *base = &backend->base;

    /* asked in any case: it clears what later calls are not to blame for */
    const cudaError_t last = cudaGetLastError();
    error = error == cudaSuccess ? last : error;
    if (error == cudaSuccess || base->status != BACKEND_OK)
        return base->status == BACKEND_OK;
    base->status = error == cudaErrorMemoryAllocation ? BACKEND_OUT_OF_MEMORY : BACKEND_DEVICE_LOST;
    if (error == cudaErrorMemoryAllocation)
        snprintf(base->problem, sizeof base->problem,
                 "out of memory on the GPU: %.2f GiB are taken of %.2f GiB",
                 gib(backend->piece_bytes), gib(backend->device.total_bytes));
    else
        snprintf(base->problem, sizeof base->problem,
                 "the GPU failed: %s; --device cpu works without it", cudaGetErrorString(error));
    return false;
}
