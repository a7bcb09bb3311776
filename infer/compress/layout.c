/* Format: https://huggingface.co/docs/safetensors. The header is padded with spaces to a multiple of eight bytes; its
 * metadata says what Hugging Face's loader asks for. */
#include "infer/compress/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 };

int layout_add(struct layout *layout, const char *module, const char *suffix, const char *type_name,
               int width, int rank, const int64_t *shape)
{
    if (layout->count == layout->capacity) {
        const size_t capacity = layout->capacity ? 2 * layout->capacity : 256;
        struct layout_tensor *grown = realloc(layout->tensors, capacity * sizeof *grown);
        if (!grown)
            return -1;
        layout->tensors = grown;
        layout->capacity = capacity;
    }
    struct layout_tensor *tensor = &layout->tensors[layout->count];
    *tensor = (struct layout_tensor){
        .type_name = type_name, .width = width, .rank = rank, .bytes = width};
    if (asprintf(&tensor->name, "%s%s", module, suffix) < 0)
        return -1;
    for (int i = 0; i < rank; i++) {
        tensor->shape[i] = shape[i];
        tensor->bytes *= shape[i];
    }
    return (int)layout->count++;
}

static json_t *entry(const struct layout_tensor *tensor)
{
    json_t *shape = json_array();

    for (int i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer(tensor->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->type_name, "shape", shape,
                     "data_offsets", (json_int_t)tensor->offset,
                     (json_int_t)(tensor->offset + tensor->bytes));
}

/* Length field, JSON, padding. */
static bool write_header(struct layout *layout, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    if (!text)
        return false;
    const size_t length = strlen(text), padded = (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    layout->header_bytes = LENGTH_BYTES + padded;
    layout->header = malloc(layout->header_bytes);
    if (layout->header) {
        for (int i = 0; i < LENGTH_BYTES; i++)
            layout->header[i] = (char)(padded >> (8 * i));
        memcpy(layout->header + LENGTH_BYTES, text, length);
        memset(layout->header + LENGTH_BYTES + length, ' ', padded - length);
    }
    free(text);
    return layout->header;
}

bool layout_place(struct layout *layout, struct error *error)
{
    json_t *json = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    int64_t offset = 0;

    for (int width = ALIGNMENT; width > 0; width--)
        for (size_t i = 0; i < layout->count; i++) {
            struct layout_tensor *tensor = &layout->tensors[i];
            if (tensor->width != width)
                continue;
            tensor->offset = offset;
            offset += tensor->bytes;
            json_object_set_new(json, tensor->name, entry(tensor));
        }
    const bool placed = json_object_size(json) == layout->count + 1 && write_header(layout, json);
    layout->file_bytes = (int64_t)layout->header_bytes + offset;
    json_decref(json);
    return placed || error_set(error, ERROR_MEMORY, "not enough memory for a checkpoint's header");
}

int64_t layout_at(const struct layout *layout, int tensor)
{
    return (int64_t)layout->header_bytes + layout->tensors[tensor].offset;
}

void layout_finish(struct layout *layout)
{
    for (size_t i = 0; i < layout->count; i++)
        free(layout->tensors[i].name);
    free(layout->tensors);
    free(layout->header);
    *layout = (struct layout){0};
}
