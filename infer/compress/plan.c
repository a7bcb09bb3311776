/* Decided by names and shapes alone. Tensors of more than two dimensions and those not named `.weight` stay exact: Hugging
 * Face's loader replaces nothing but linear layers. */
#include "infer/compress/plan.h"

#include <stdlib.h>
#include <string.h>

#include "infer/compress/encoding.h"
#include "infer/file.h"

enum { LEAST_NUMBERS = 256 };

/* Names of tensors that stay exact, as the original encoder's config lists them; and convolutions. */
static const char *const exact_patterns[] = {
    "embed_tokens", "embed_positions",    "wte",   "wpe", "lm_head", "layernorm", "layer_norm",
    "norm",         "backbone.embedding", "conv1d"};

bool plan_is_float(const struct tensor *tensor)
{
    return tensor->type == TENSOR_F32 || tensor->type == TENSOR_F16 || tensor->type == TENSOR_BF16;
}

static bool is_compressed(const struct tensor *tensor)
{
    if (!plan_is_float(tensor) || tensor->rank != 2 || tensor->count < LEAST_NUMBERS ||
        !name_ends_with(tensor->name, ".weight"))
        return false;
    for (size_t i = 0; i < sizeof exact_patterns / sizeof *exact_patterns; i++)
        if (strstr(tensor->name, exact_patterns[i]))
            return false;
    return true;
}

static bool open_source(struct plan *plan, const char *directory, struct error *error)
{
    char *path = file_path(directory, "config.json", error);

    plan->config = path ? file_read_json(path, error) : NULL;
    if (json_object_get(plan->config, "quantization_config"))
        error_set(
            error, ERROR_INPUT,
            "%s: quantization_config: the checkpoint is quantized already; a dense one is needed",
            path);
    else if (plan->config)
        plan->files = safetensors_open(directory, error);
    free(path);
    return plan->files;
}

/* Decides about each tensor; gives how many are compressed, or -1 with an error. */
static int decide(struct plan *plan, struct error *error)
{
    int compressed = 0;

    plan->count = safetensors_count(plan->files);
    plan->modules = calloc(plan->count + 1, sizeof *plan->modules);
    if (!plan->modules)
        goto exhausted;
    for (size_t i = 0; i < plan->count; i++) {
        const struct tensor *tensor = safetensors_at(plan->files, i);
        if (name_ends_with(tensor->name, ".codebook")) {
            error_set(error, ERROR_INPUT,
                      "%s: tensor %s: the checkpoint is in HXQ form already; a dense one is needed",
                      tensor->file, tensor->name);
            return -1;
        }
        if (!is_compressed(tensor))
            continue;
        plan->modules[i] = strndup(tensor->name, strlen(tensor->name) - strlen(".weight"));
        if (!plan->modules[i])
            goto exhausted;
        compressed++;
    }
    return compressed;

exhausted:
    error_set(error, ERROR_MEMORY, "not enough memory");
    return -1;
}

/* Adds what the loader wants to know to the source's configuration. */
static bool extend_config(struct plan *plan, struct error *error)
{
    json_t *modules = json_array(), *patterns = json_array();

    for (size_t i = 0; i < plan->count; i++)
        if (plan->modules[i])
            json_array_append_new(modules, json_string(plan->modules[i]));
    for (size_t i = 0; i < sizeof exact_patterns / sizeof *exact_patterns; i++)
        json_array_append_new(patterns, json_string(exact_patterns[i]));
    json_t *quantization = json_pack("{s:s, s:i, s:b, s:o, s:o}", "quant_method", "hxq",
                                     "codebook_size", ENCODING_CODES, "sidecar_enabled", 1,
                                     "exact_patterns", patterns, "compressed_modules", modules);
    return json_object_set_new(plan->config, "quantization_config", quantization) == 0 ||
           error_set(error, ERROR_MEMORY, "not enough memory");
}

bool plan_init(struct plan *plan, const char *directory, struct error *error)
{
    *plan = (struct plan){0};
    if (!open_source(plan, directory, error))
        return false;
    const int compressed = decide(plan, error);
    if (compressed == 0)
        error_set(error, ERROR_INPUT, "%s: holds no matrix that could be compressed", directory);
    return compressed > 0 && extend_config(plan, error);
}

void plan_finish(struct plan *plan)
{
    for (size_t i = 0; plan->modules && i < plan->count; i++)
        free(plan->modules[i]);
    free(plan->modules);
    json_decref(plan->config);
    safetensors_close(plan->files);
    *plan = (struct plan){0};
}
