/* What the launcher and the emulated runtime share; private to this folder. */
#ifndef KERNELS_CUDA_HOST_STREAMS_H
#define KERNELS_CUDA_HOST_STREAMS_H

#include <functional>

#include <cuda_runtime.h>

/* Does the work now, or records it where the stream is recording. */
void stream_take(cudaStream_t stream, std::function<void()> work);

/* Counts a launch; false once the device is lost. */
bool stream_may_launch(void);

#endif
