/* A pass over few tokens is hundreds of short launches, the same each time but for the position, which they read from device
 * memory. So a part of a pass (a layer) is recorded as a CUDA graph the second time it comes by and replayed from then on; the
 * first time its kernels are loaded, which recording does not allow. Longer passes are not recorded, but held back: work is
 * queued no more than two parts ahead of the device, so that a cancelled pass ends soon. */
#include "kernels/cuda/cuda_backend.cuh"

bool graph_init(struct cuda_backend *backend)
{
    cudaError_t error = cudaSuccess;

    for (int i = 0; error == cudaSuccess && i < 2; i++)
        error = cudaEventCreate(&backend->passed[i]);
    for (int i = 0; error == cudaSuccess && i < 2; i++)
        error = cudaEventRecord(backend->passed[i], backend->stream);
    return device_check(backend, error);
}

void graph_finish(struct cuda_backend *backend)
{
    graph_forget(backend);
    for (int i = 0; i < 2; i++)
        if (backend->passed[i])
            cudaEventDestroy(backend->passed[i]);
}

static void recording_finish(struct recording *recording)
{
    if (recording->graph)
        cudaGraphExecDestroy(recording->graph);
    *recording = (struct recording){};
}

void graph_forget(struct cuda_backend *backend)
{
    for (int part = 0; part < GRAPH_PARTS_MAX; part++)
        for (int n = 0; n <= GRAPH_TOKENS_MAX; n++)
            recording_finish(&backend->recordings[part][n]);
}

void place_set(struct cuda_backend *backend, int first)
{
    if (backend->first_value == first)
        return;
    backend->first_value = first;
    launch_set(backend->first, first, backend->stream);
}

/* Waits until the part before the last is done. */
static void hold_back(struct cuda_backend *backend)
{
    backend->part = !backend->part;
    device_check(backend, cudaEventSynchronize(backend->passed[backend->part]));
}

bool cuda_part_begin(struct backend *base, const void *owner, int part, int first, int n)
{
    struct cuda_backend *backend = cuda_backend_of(base);

    if (base->status != BACKEND_OK)
        return false;
    place_set(backend, first);
    if (n > GRAPH_TOKENS_MAX || part >= GRAPH_PARTS_MAX) {
        hold_back(backend);
        return true;
    }

    struct recording *recording = &backend->recordings[part][n];
    if (recording->owner != owner)
        recording_finish(recording);
    recording->owner = owner;
    if (recording->graph) {
        device_check(backend, cudaGraphLaunch(recording->graph, backend->stream));
        return false;
    }
    if (recording->is_seen &&
        device_check(backend,
                     cudaStreamBeginCapture(backend->stream, cudaStreamCaptureModeThreadLocal)))
        backend->recorded = recording;
    recording->is_seen = true;
    return true;
}

void cuda_part_end(struct backend *base)
{
    struct cuda_backend *backend = cuda_backend_of(base);
    struct recording *recording = backend->recorded;
    cudaGraph_t graph = NULL;

    if (!recording) {
        device_check(backend, cudaEventRecord(backend->passed[backend->part], backend->stream));
        return;
    }
    backend->recorded = NULL;
    cudaError_t error = cudaStreamEndCapture(backend->stream, &graph);
    if (error == cudaSuccess)
        error = cudaGraphInstantiate(&recording->graph, graph, 0);
    if (graph)
        cudaGraphDestroy(graph);
    if (error == cudaSuccess)
        error = cudaGraphLaunch(recording->graph, backend->stream);
    device_check(backend, error);
}
