/* Device memory is ordinary memory within a limit, filled with junk. An error stays until the process ends, as a lost device's
 * does. */
#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <vector>

#include "kernels/cuda/host/control.h"
#include "kernels/cuda/host/simt.h"
#include "kernels/cuda/host/streams.h"

struct simt_graph {
    std::vector<std::function<void()>> steps;
};

struct simt_stream {
    simt_graph *recording; /* NULL: not recording */
};

struct simt_event {
    double ms;
};

enum { DEVICE_BYTES = 1 << 30, JUNK = 0x5a };

static size_t device_bytes = DEVICE_BYTES, used_bytes;
static long launches_left = -1; /* below 0: for ever */
static bool is_lost;
static std::map<void *, size_t> memories;

void simt_set_device(size_t memory_bytes, long lost_at_launch)
{
    device_bytes = memory_bytes;
    launches_left = lost_at_launch > 0 ? lost_at_launch : -1;
    is_lost = false;
}

bool stream_may_launch(void)
{
    if (launches_left > 0 && --launches_left == 0)
        is_lost = true;
    return !is_lost;
}

static cudaError_t state(void)
{
    return is_lost ? cudaErrorLaunchFailure : cudaSuccess;
}

void stream_take(cudaStream_t stream, std::function<void()> work)
{
    if (stream && stream->recording)
        stream->recording->steps.push_back(work);
    else
        work();
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = device_bytes > 0;
    return *count ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int)
{
    return state();
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int)
{
    strcpy(properties->name, "emulated GPU");
    return state();
}

cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int)
{
    static const int values[] = {
        [cudaDevAttrMemoryClockRate] = 1000000,  [cudaDevAttrGlobalMemoryBusWidth] = 64,
        [cudaDevAttrComputeCapabilityMajor] = 8, [cudaDevAttrComputeCapabilityMinor] = 0,
        [cudaDevAttrMultiProcessorCount] = 2,
    };

    *value = values[attribute];
    return state();
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total)
{
    *total = device_bytes;
    *free = device_bytes - used_bytes;
    return state();
}

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    *memory = nullptr;
    if (is_lost)
        return state();
    if (bytes > device_bytes - used_bytes ||
        posix_memalign(memory, 256, bytes > 0 ? bytes : 1) != 0)
        return cudaErrorMemoryAllocation;
    memset(*memory, JUNK, bytes);
    memories[*memory] = bytes;
    used_bytes += bytes;
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory)
{
    if (memory) {
        used_bytes -= memories[memory];
        memories.erase(memory);
        free(memory);
    }
    return state();
}

cudaError_t cudaMallocHost(void **memory, size_t bytes)
{
    *memory = malloc(bytes);
    return *memory ? state() : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void *memory)
{
    free(memory);
    return state();
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream)
{
    stream_take(stream, [=] {
        if (!is_lost)
            memcpy(to, from, bytes);
    });
    return state();
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream)
{
    stream_take(stream, [=] {
        if (!is_lost)
            memset(memory, value, bytes);
    });
    return state();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned)
{
    *stream = new simt_stream{};
    return state();
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    delete stream;
    return state();
}

cudaError_t cudaStreamSynchronize(cudaStream_t)
{
    return state();
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode)
{
    stream->recording = new simt_graph;
    return state();
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    *graph = stream->recording;
    stream->recording = nullptr;
    return state();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long)
{
    *exec = new simt_graph(*graph);
    return state();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t)
{
    for (const std::function<void()> &step : exec->steps)
        step();
    return state();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    delete graph;
    return state();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    delete exec;
    return state();
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    *event = new simt_event{};
    return state();
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    delete event;
    return state();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t)
{
    event->ms = now_ms();
    return state();
}

cudaError_t cudaEventSynchronize(cudaEvent_t)
{
    return state();
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end)
{
    *ms = (float)(end->ms - start->ms);
    return state();
}

cudaError_t cudaGetLastError(void)
{
    return state();
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess:
        return "no error";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorNoDevice:
        return "no CUDA-capable device is detected";
    default:
        return "unspecified launch failure";
    }
}
