/* Tensors are grouped by the module they belong to: a codebook with its indices and sidecar is one module, anything else
 * is a module of its own. */
#include "infer/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "infer/safetensors.h"

struct inspection {
    struct safetensors *files;
    struct inspected_module *modules;
    char **names; /* of HXQ modules; [count] entries, NULL where the tensor's own name serves */
    int count;
};

static const char *const parts[] = {".codebook", ".indices", ".sidecar_positions",
                                    ".sidecar_indices", ".sidecar_values"};

/* Whether a tensor is a part of an HXQ module other than its indices. */
static bool is_companion(const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (name_ends_with(name, parts[i]))
            return !name_ends_with(name, ".indices");
    return false;
}

static const struct tensor *part_of(const struct safetensors *files, const char *module,
                                    const char *part)
{
    char name[512];

    if (strlen(module) + strlen(part) >= sizeof name)
        return NULL;
    strcpy(name, module);
    strcat(name, part);
    return safetensors_find(files, name);
}

static void set_shape(struct inspected_module *module, const struct tensor *tensor)
{
    module->rank = tensor->rank;
    memcpy(module->shape, tensor->shape, sizeof module->shape);
    module->numbers = tensor->count;
    module->bytes = (int64_t)tensor->bytes;
}

/* Fills a module from its indices; the name is allocated. */
static bool add_compressed(struct inspection *inspection, const struct tensor *indices)
{
    struct inspected_module *module = &inspection->modules[inspection->count];
    char *name = strndup(indices->name, strlen(indices->name) - strlen(".indices"));

    if (!name)
        return false;
    inspection->names[inspection->count++] = name;
    set_shape(module, indices);
    module->name = name;
    module->storage = "HXQ";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct tensor *part = part_of(inspection->files, name, parts[i]);
        if (!part || part == indices)
            continue;
        module->bytes += (int64_t)part->bytes;
        if (name_ends_with(part->name, ".codebook"))
            module->codebook_size = (int)(part->rank ? part->shape[0] : 0);
        else if (name_ends_with(part->name, ".sidecar_values"))
            module->sidecar_count = part->count;
    }
    return true;
}

static void add_exact(struct inspection *inspection, const struct tensor *tensor)
{
    struct inspected_module *module = &inspection->modules[inspection->count++];

    set_shape(module, tensor);
    module->name = tensor->name;
    module->storage = tensor->type_name;
}

struct inspection *inspection_open(const char *directory, struct error *error)
{
    struct inspection *inspection = calloc(1, sizeof *inspection);

    if (!inspection)
        goto exhausted;
    inspection->files = safetensors_open(directory, error);
    if (!inspection->files)
        goto failed;

    const size_t tensors = safetensors_count(inspection->files);
    inspection->modules = calloc(tensors + 1, sizeof *inspection->modules);
    inspection->names = calloc(tensors + 1, sizeof *inspection->names);
    if (!inspection->modules || !inspection->names)
        goto exhausted;
    for (size_t i = 0; i < tensors; i++) {
        const struct tensor *tensor = safetensors_at(inspection->files, i);
        if (is_companion(tensor->name))
            continue;
        if (!name_ends_with(tensor->name, ".indices"))
            add_exact(inspection, tensor);
        else if (!add_compressed(inspection, tensor))
            goto exhausted;
    }
    return inspection;

exhausted:
    error_set(error, ERROR_MEMORY, "%s: not enough memory", directory);
failed:
    inspection_close(inspection);
    return NULL;
}

void inspection_close(struct inspection *inspection)
{
    if (!inspection)
        return;
    for (int i = 0; inspection->names && i < inspection->count; i++)
        free(inspection->names[i]);
    free(inspection->names);
    free(inspection->modules);
    safetensors_close(inspection->files);
    free(inspection);
}

int inspection_count(const struct inspection *inspection)
{
    return inspection->count;
}

const struct inspected_module *inspection_at(const struct inspection *inspection, int index)
{
    return &inspection->modules[index];
}

void inspection_total(const struct inspection *inspection, struct inspection_totals *totals)
{
    *totals = (struct inspection_totals){.file_bytes = safetensors_bytes(inspection->files)};
    for (int i = 0; i < inspection->count; i++) {
        const struct inspected_module *module = &inspection->modules[i];
        const bool compressed = module->codebook_size > 0;
        totals->compressed_count += compressed;
        totals->exact_count += !compressed;
        totals->numbers += module->numbers;
        *(compressed ? &totals->compressed_bytes : &totals->exact_bytes) += module->bytes;
    }
    totals->dense_bytes = 2 * totals->numbers;
}
