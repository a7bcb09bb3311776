/* The device that tests see instead of a GPU: how much memory it has and when it fails. One thread. */
#ifndef KERNELS_CUDA_HOST_CONTROL_H
#define KERNELS_CUDA_HOST_CONTROL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A device with so much memory (0: none is there), lost at the `lost_at_launch`-th kernel launch from here on (0: never). */
void simt_set_device(size_t memory_bytes, long lost_at_launch);

#ifdef __cplusplus
}
#endif

#endif
