/* The needs are sums over what loading will ask a backend for, by the backend's own rules of rounding: matrices and vectors
 * as model.c loads them, the cache of cache.c, the activations of forward.c. */
#include "infer/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/config.h"
#include "infer/forward.h"
#include "infer/safetensors.h"
#include "infer/weights.h"
#include "kernels/kernels.h"

enum { NAME_BYTES = 128 };

/* --- weighing --------------------------------------------------------------------------------------------------------- */

static double gib(int64_t bytes)
{
    return (double)bytes / (double)((int64_t)1 << 30);
}

/* Looks at the lower halves of float32 numbers; stops where one says more than bfloat16 can. */
static bool look_for_loss(void *user, const void *numbers, int64_t first, int64_t count)
{
    const uint32_t *bits = numbers;
    uint32_t lost = 0;

    (void)first;
    for (int64_t i = 0; i < count; i++)
        lost |= bits[i] & 0xffff;
    *(bool *)user = lost != 0;
    return lost == 0;
}

/* What a dense tensor's numbers are on a device; false with an error where it cannot be read. */
static bool stored_dtype(const struct tensor *tensor, enum dtype *dtype, struct error *error)
{
    bool is_lossy = false;
    const bool is_read =
        tensor->type != TENSOR_F32 || safetensors_walk(tensor, look_for_loss, &is_lossy, error);

    *dtype = is_lossy ? DTYPE_F32 : tensor->type == TENSOR_F16 ? DTYPE_F16 : DTYPE_BF16;
    return is_read || is_lossy;
}

/* Adds a matrix to `matrices` and, apart, its outliers to `sidecars`. */
static bool weigh_matrix(const struct safetensors *files, const char *module, int64_t rows,
                         int64_t cols, int64_t *matrices, int64_t *sidecars, struct error *error)
{
    struct module_tensors found;
    enum dtype dtype;

    module_tensors_find(&found, files, module);
    if (found.codebook && found.indices) {
        const int codes = (int)(found.codebook->rank ? found.codebook->shape[0] : 0);
        const int64_t outliers = found.sidecar_values ? found.sidecar_values->count : 0;
        const int64_t plain = cuda_matrix_bytes(rows, cols, DTYPE_F32, codes, 0);
        *matrices += plain;
        *sidecars += cuda_matrix_bytes(rows, cols, DTYPE_F32, codes, outliers) - plain;
        return true;
    }
    if (!found.dense)
        return error_set(error, ERROR_INPUT, "tensor %s.weight (or .indices) is missing", module);
    if (!stored_dtype(found.dense, &dtype, error))
        return false;
    *matrices += cuda_matrix_bytes(rows, cols, dtype, 0, 0);
    return true;
}

static bool weigh_layer(struct placement_weights *weights, const struct config *config,
                        const struct safetensors *files, int index, struct error *error)
{
    const int64_t hidden = config->hidden_size, inner = config->intermediate_size;
    const int64_t q = (int64_t)config->heads * config->head_dim;
    const int64_t kv = (int64_t)config->kv_heads * config->head_dim;
    const struct {
        const char *name;
        int64_t rows, cols;
    } matrices[] = {
        {"self_attn.q_proj", q, hidden},  {"self_attn.k_proj", kv, hidden},
        {"self_attn.v_proj", kv, hidden}, {"self_attn.o_proj", hidden, q},
        {"mlp.gate_proj", inner, hidden}, {"mlp.up_proj", inner, hidden},
        {"mlp.down_proj", hidden, inner},
    };
    char name[NAME_BYTES];

    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
        snprintf(name, sizeof name, "model.layers.%d.%s", index, matrices[i].name);
        if (!weigh_matrix(files, name, matrices[i].rows, matrices[i].cols, &weights->matrices,
                          &weights->sidecars, error))
            return false;
    }
    /* two norms, then the biases of queries, keys and values */
    weights->vectors += 2 * cuda_buffer_bytes((size_t)hidden) + cuda_buffer_bytes((size_t)q) +
                        2 * cuda_buffer_bytes((size_t)kv);
    return true;
}

bool placement_weigh(struct placement_weights *weights, const struct config *config,
                     const struct safetensors *files, struct error *error)
{
    const int64_t vocab = config->vocab_size, hidden = config->hidden_size;
    struct module_tensors head;

    module_tensors_find(&head, files, "lm_head");
    const bool has_head = !config->tied_head && (head.codebook || head.indices || head.dense);
    *weights = (struct placement_weights){.vectors = cuda_buffer_bytes((size_t)hidden)};
    if (!weigh_matrix(files, "model.embed_tokens", vocab, hidden, &weights->head, &weights->head,
                      error))
        return false;
    if (has_head &&
        !weigh_matrix(files, "lm_head", vocab, hidden, &weights->head, &weights->head, error))
        return false;
    for (int i = 0; i < config->layers; i++)
        if (!weigh_layer(weights, config, files, i, error))
            return false;
    return true;
}

void placement_measure(struct placement_need *need, const struct config *config,
                       const struct placement_weights *weights,
                       const struct placement_device *device, int context_tokens)
{
    const size_t kv = (size_t)config->kv_heads * (size_t)config->head_dim;
    size_t counts[ACTIVATIONS_BUFFERS];

    *need = (struct placement_need){
        .weights = *weights,
        .cache = 2 * config->layers * cuda_buffer_bytes((size_t)context_tokens * kv),
        .scratch = cuda_workspace_bytes(),
        .driver = device->is_supposed ? PLACEMENT_DRIVER_BYTES : 0,
    };
    activations_counts(config, context_tokens, counts);
    for (int i = 0; i < ACTIVATIONS_BUFFERS; i++)
        need->scratch += cuda_buffer_bytes(counts[i]);
    need->total = weights->matrices + weights->sidecars + weights->head + weights->vectors +
                  need->cache + need->scratch + need->driver;
}

/* --- choosing --------------------------------------------------------------------------------------------------------- */

void placement_suppose(struct placement_device *device, int64_t bytes)
{
    *device = (struct placement_device){
        .is_present = true,
        .is_supposed = true,
        .total_bytes = bytes,
        .available_bytes = bytes,
    };
    snprintf(device->name, sizeof device->name, "a supposed GPU");
}

/* The GPU of this machine, under a limit of `limit` bytes (0: none). */
static void find_device(struct placement_device *device, int64_t limit)
{
    struct cuda_device found;
    char problem[BACKEND_PROBLEM_BYTES] = "";

    *device = (struct placement_device){.is_present = cuda_device_find(&found, problem)};
    if (!device->is_present) {
        snprintf(device->problem, sizeof device->problem, "%s", problem);
        return;
    }
    snprintf(device->name, sizeof device->name, "%s", found.name);
    device->total_bytes = found.total_bytes;
    device->available_bytes = limit > 0 && limit < found.free_bytes ? limit : found.free_bytes;
}

static void choose_gpu(struct placement *placement, const struct config *config,
                       const struct placement_weights *weights, int context_tokens)
{
    placement->on_gpu = true;
    placement->context_tokens = context_tokens;
    placement_measure(&placement->chosen, config, weights, &placement->device, context_tokens);
    if (context_tokens == placement->asked_tokens)
        snprintf(placement->reason, sizeof placement->reason,
                 "%s: needs %.2f GiB of the %.2f GiB available", placement->device.name,
                 gib(placement->chosen.total), gib(placement->device.available_bytes));
    else
        snprintf(placement->reason, sizeof placement->reason,
                 "%s: a context of %d tokens needs %.2f GiB of %.2f GiB available, so it is %d",
                 placement->device.name, placement->asked_tokens, gib(placement->need.total),
                 gib(placement->device.available_bytes), context_tokens);
}

/* The largest context below the one asked for that fits; 0 where none does. */
static int smaller_context(const struct placement *placement, const struct config *config,
                           const struct placement_weights *weights)
{
    int tokens = (placement->asked_tokens - 1) / PLACEMENT_CONTEXT_STEP * PLACEMENT_CONTEXT_STEP;

    for (; tokens >= PLACEMENT_LEAST_CONTEXT_TOKENS; tokens -= PLACEMENT_CONTEXT_STEP) {
        struct placement_need need;
        placement_measure(&need, config, weights, &placement->device, tokens);
        if (need.total <= placement->device.available_bytes)
            return tokens;
    }
    return 0;
}

void placement_turn_to_cpu(struct placement *placement, const char *why)
{
    char reason[PLACEMENT_TEXT_BYTES]; /* `why` may be the reason itself */

    snprintf(reason, sizeof reason, "%s", why);
    memcpy(placement->reason, reason, sizeof reason);
    placement->on_gpu = false;
    placement->context_tokens = placement->asked_tokens;
}

/* The device has too little memory for any context that may be offered. */
static bool refuse(struct placement *placement, const struct engine_options *options,
                   struct error *error)
{
    snprintf(placement->reason, sizeof placement->reason,
             "%s: a context of %d tokens needs %.2f GiB, %.2f GiB are available",
             placement->device.name, placement->asked_tokens, gib(placement->need.total),
             gib(placement->device.available_bytes));
    if (options->device == ENGINE_DEVICE_AUTO && !options->no_fallback) {
        placement_turn_to_cpu(placement, placement->reason);
        return true;
    }
    return error_set(error, ERROR_DEVICE, "%s; use a smaller --context or model, or --device cpu",
                     placement->reason);
}

bool placement_choose(struct placement *placement, const struct config *config,
                      const struct placement_weights *weights, const struct engine_options *options,
                      struct error *error)
{
    const struct placement_device *device = &placement->device;

    if (options->device == ENGINE_DEVICE_CPU) {
        placement_turn_to_cpu(placement, "asked for");
        return true;
    }
    if (!device->is_present) {
        placement_turn_to_cpu(placement, device->problem);
        return options->device == ENGINE_DEVICE_AUTO ||
               error_set(error, ERROR_DEVICE, "%s; use --device cpu or auto", device->problem);
    }

    placement_measure(&placement->need, config, weights, device, placement->asked_tokens);
    placement->chosen = placement->need;
    placement->is_weighed = true;
    const bool fits = placement->need.total <= device->available_bytes;
    const int smaller =
        fits || options->no_fallback ? 0 : smaller_context(placement, config, weights);
    if (!fits && smaller == 0)
        return refuse(placement, options, error);
    choose_gpu(placement, config, weights, fits ? placement->asked_tokens : smaller);
    return true;
}

/* --- checkpoints and machines ----------------------------------------------------------------------------------------- */

/* The context asked for: the option, else the model's up to the default. */
static bool ask_context(struct placement *placement, const struct config *config,
                        const struct engine_options *options, struct error *error)
{
    const int largest = config->max_positions;

    if (options->context_tokens > largest)
        return error_set(error, ERROR_LIMIT,
                         "%s: a context of %d tokens is more than the model's %d", options->model,
                         options->context_tokens, largest);
    placement->asked_tokens = options->context_tokens > 0 ? options->context_tokens
                              : largest < ENGINE_DEFAULT_CONTEXT_TOKENS
                                  ? largest
                                  : ENGINE_DEFAULT_CONTEXT_TOKENS;
    return true;
}

bool placement_find(struct placement *placement, const struct engine_options *options,
                    bool is_supposed, struct error *error)
{
    struct placement_weights weights;
    struct config config;
    struct safetensors *files = NULL;

    *placement = (struct placement){0};
    if (!config_read(&config, options->model, error) ||
        !ask_context(placement, &config, options, error))
        return false;

    /* a GPU is looked for, and the weights are weighed, only where that may change the choice */
    if (is_supposed)
        placement_suppose(&placement->device, options->gpu_memory_bytes);
    else if (options->device != ENGINE_DEVICE_CPU)
        find_device(&placement->device, options->gpu_memory_bytes);
    if (placement->device.is_present) {
        files = safetensors_open(options->model, error);
        const bool weighed = files && placement_weigh(&weights, &config, files, error);
        safetensors_close(files);
        if (!weighed)
            return false;
    }
    return placement_choose(placement, &config, &weights, options, error);
}

struct backend *placement_open(const struct placement *placement,
                               const struct engine_options *options, struct error *error)
{
    char problem[BACKEND_PROBLEM_BYTES] = "";
    struct backend *backend;

    if (placement->on_gpu) {
        backend = cuda_backend_create(options->exact, placement->device.available_bytes, problem);
        if (!backend)
            error_set(error, ERROR_DEVICE, "%s: %s", placement->device.name, problem);
        return backend;
    }
    backend = cpu_backend_create(options->threads, options->exact);
    if (!backend)
        error_set(error, ERROR_MEMORY, "not enough memory or threads for the model");
    return backend;
}
