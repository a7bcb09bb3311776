/* Straightforward and slow on purpose: it is the independent half of the reader's tests. */
#include "tests/support/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef NDEBUG /* the asserts are what this file does */
#include <assert.h>

static void read_tensor(struct edited_tensor *tensor, const char *name, const json_t *entry,
                        FILE *file, long data_start)
{
    const json_t *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const long first = (long)json_integer_value(json_array_get(offsets, 0));

    tensor->name = strdup(name);
    strcpy(tensor->dtype, json_string_value(json_object_get(entry, "dtype")));
    tensor->rank = (int)json_array_size(shape);
    for (int i = 0; i < tensor->rank; i++)
        tensor->shape[i] = json_integer_value(json_array_get(shape, (size_t)i));
    tensor->bytes = (size_t)(json_integer_value(json_array_get(offsets, 1)) - first);
    tensor->data = malloc(tensor->bytes + 1);
    assert(fseek(file, data_start + first, SEEK_SET) == 0);
    assert(fread(tensor->data, 1, tensor->bytes, file) == tensor->bytes);
}

void checkpoint_read(struct checkpoint *checkpoint, const char *directory)
{
    FILE *file = fopen(path_in(directory, "model.safetensors"), "rb");
    uint64_t length = 0;
    const char *name;
    json_t *entry;

    assert(file && fread(&length, 8, 1, file) == 1);
    char *text = malloc(length);
    assert(fread(text, 1, length, file) == length);
    json_t *header = json_loadb(text, length, 0, NULL);
    checkpoint->config = json_load_file(path_in(directory, "config.json"), 0, NULL);
    assert(header && checkpoint->config);

    checkpoint->count = 0;
    checkpoint->tensors = calloc(json_object_size(header) + 1, sizeof *checkpoint->tensors);
    json_object_foreach(header, name, entry) if (strcmp(name, "__metadata__") != 0)
        read_tensor(&checkpoint->tensors[checkpoint->count++], name, entry, file, 8 + (long)length);
    json_decref(header);
    free(text);
    fclose(file);
}

void checkpoint_finish(struct checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->count; i++) {
        free(checkpoint->tensors[i].name);
        free(checkpoint->tensors[i].data);
    }
    free(checkpoint->tensors);
    json_decref(checkpoint->config);
}

bool checkpoint_has(const struct checkpoint *checkpoint, const char *name)
{
    for (size_t i = 0; i < checkpoint->count; i++)
        if (strcmp(checkpoint->tensors[i].name, name) == 0)
            return true;
    return false;
}

float edited_tensor_bf16(const struct edited_tensor *tensor, size_t i)
{
    const uint32_t pattern = (uint32_t)tensor->data[2 * i] << 16 | (uint32_t)tensor->data[2 * i + 1]
                                                                       << 24;
    float value;

    memcpy(&value, &pattern, sizeof value);
    return value;
}

struct edited_tensor *checkpoint_find(struct checkpoint *checkpoint, const char *name)
{
    for (size_t i = 0; i < checkpoint->count; i++)
        if (strcmp(checkpoint->tensors[i].name, name) == 0)
            return &checkpoint->tensors[i];
    fprintf(stderr, "no tensor %s\n", name);
    abort();
}

void checkpoint_remove(struct checkpoint *checkpoint, const char *name)
{
    struct edited_tensor *tensor = checkpoint_find(checkpoint, name);

    free(tensor->name);
    free(tensor->data);
    *tensor = checkpoint->tensors[--checkpoint->count];
}

/* Writes every tensor whose index is `shard` modulo `shards`, and enters it into the index's map. */
static void write_shard(const struct checkpoint *checkpoint, const char *path, int shard,
                        int shards, json_t *map)
{
    json_t *header = json_object();
    size_t offset = 0;

    for (size_t i = (size_t)shard; i < checkpoint->count; i += (size_t)shards) {
        const struct edited_tensor *tensor = &checkpoint->tensors[i];
        json_t *shape = json_array();
        for (int d = 0; d < tensor->rank; d++)
            json_array_append_new(shape, json_integer(tensor->shape[d]));
        json_object_set_new(header, tensor->name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->dtype, "shape",
                                      shape, "data_offsets", (json_int_t)offset,
                                      (json_int_t)(offset + tensor->bytes)));
        offset += tensor->bytes;
        if (map)
            json_object_set_new(map, tensor->name, json_string(strrchr(path, '/') + 1));
    }

    char *text = json_dumps(header, JSON_COMPACT);
    const uint64_t length = strlen(text);
    FILE *file = fopen(path, "wb");
    assert(file);
    fwrite(&length, 8, 1, file);
    fwrite(text, 1, length, file);
    for (size_t i = (size_t)shard; i < checkpoint->count; i += (size_t)shards)
        fwrite(checkpoint->tensors[i].data, 1, checkpoint->tensors[i].bytes, file);
    assert(fclose(file) == 0);
    free(text);
    json_decref(header);
}

void checkpoint_write(const struct checkpoint *checkpoint, const char *directory, int shards)
{
    assert(json_dump_file(checkpoint->config, path_in(directory, "config.json"), 0) == 0);
    if (shards == 1) {
        write_shard(checkpoint, path_in(directory, "model.safetensors"), 0, 1, NULL);
        return;
    }

    json_t *map = json_object();
    for (int i = 0; i < shards; i++) {
        char name[64];
        snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", i + 1, shards);
        write_shard(checkpoint, path_in(directory, name), i, shards, map);
    }
    json_t *index = json_pack("{s:o}", "weight_map", map);
    assert(json_dump_file(index, path_in(directory, "model.safetensors.index.json"), 0) == 0);
    json_decref(index);
}
