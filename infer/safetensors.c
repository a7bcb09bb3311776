/* One table of tensors over all files, sorted by name for lookup. A directory either opens whole or not at all. */
#include "infer/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer/file.h"

enum {
    HEADER_LENGTH_BYTES = 8,
    HEADER_MAX_BYTES = 100 * 1000 * 1000, /* the format's own limit */
    MAX_FILES = 1000,
    MAX_TENSORS = 1000 * 1000,
};

struct shard {
    char *path;
    int descriptor; /* -1: not open */
    int64_t bytes;
    json_t *header; /* owns the tensors' names */
};

struct safetensors {
    struct shard *shards;
    size_t shard_count;
    struct tensor *tensors; /* sorted by name once open */
    size_t count, capacity;
};

static const struct {
    const char *name;
    enum tensor_type type;
    int bytes;
} types[] = {
    {"F32", TENSOR_F32, 4},   {"F16", TENSOR_F16, 2},       {"BF16", TENSOR_BF16, 2},
    {"U8", TENSOR_U8, 1},     {"I64", TENSOR_I64, 8},       {"BOOL", TENSOR_OTHER, 1},
    {"I8", TENSOR_OTHER, 1},  {"I16", TENSOR_OTHER, 2},     {"U16", TENSOR_OTHER, 2},
    {"I32", TENSOR_OTHER, 4}, {"U32", TENSOR_OTHER, 4},     {"U64", TENSOR_OTHER, 8},
    {"F64", TENSOR_OTHER, 8}, {"F8_E4M3", TENSOR_OTHER, 1}, {"F8_E5M2", TENSOR_OTHER, 1},
};

bool name_ends_with(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);

    return length >= tail && strcmp(name + length - tail, ending) == 0;
}

static bool refuse(struct error *error, const struct tensor *tensor, const char *why)
{
    return error_set(error, ERROR_INPUT, "%s: tensor %s: %s", tensor->file, tensor->name, why);
}

/* Fills type and width. */
static bool parse_type(struct tensor *tensor, const json_t *entry, struct error *error)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));

    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0) {
            tensor->type = types[i].type;
            strcpy(tensor->type_name, name);
            tensor->width = types[i].bytes;
            return true;
        }
    return refuse(error, tensor, "unknown or missing dtype");
}

/* Fills rank, shape and count; the product may not overflow. */
static bool parse_shape(struct tensor *tensor, const json_t *entry, struct error *error)
{
    const json_t *shape = json_object_get(entry, "shape");
    const size_t rank = json_array_size(shape);

    if (!json_is_array(shape) || rank > TENSOR_MAX_RANK)
        return refuse(error, tensor, "missing shape or too many dimensions");
    tensor->rank = (int)rank;
    tensor->count = 1;
    for (size_t i = 0; i < rank; i++) {
        const json_t *length = json_array_get(shape, i);
        const json_int_t value = json_integer_value(length);
        if (!json_is_integer(length) || value < 0 ||
            __builtin_mul_overflow(tensor->count, (int64_t)value, &tensor->count))
            return refuse(error, tensor, "impossible shape");
        tensor->shape[i] = (int64_t)value;
    }
    return true;
}

/* Fills offset and bytes; the range must lie among the file's `data_bytes` from `data` on, and fit dtype and shape. */
static bool parse_range(struct tensor *tensor, const json_t *entry, int64_t data,
                        int64_t data_bytes, struct error *error)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    int64_t expected;

    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return refuse(error, tensor, "data_offsets must be two integers");
    const json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin)
        return refuse(error, tensor, "data_offsets are out of order");
    if (end > data_bytes)
        return refuse(error, tensor, "lies beyond the end of the file; is the file truncated?");
    if (__builtin_mul_overflow(tensor->count, (int64_t)tensor->width, &expected) ||
        end - begin != expected)
        return refuse(error, tensor, "its byte range does not fit its dtype and shape");
    tensor->offset = data + begin;
    tensor->bytes = (size_t)(end - begin);
    return true;
}

static struct tensor *add_tensor(struct safetensors *files)
{
    if (files->count == files->capacity) {
        const size_t capacity = files->capacity ? 2 * files->capacity : 256;
        struct tensor *grown = realloc(files->tensors, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        files->tensors = grown;
        files->capacity = capacity;
    }
    struct tensor *tensor = &files->tensors[files->count++];
    memset(tensor, 0, sizeof *tensor);
    return tensor;
}

static int compare_places(const void *left, const void *right)
{
    const struct tensor *a = left, *b = right;

    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->bytes < b->bytes ? -1 : a->bytes > b->bytes;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct tensor *)left)->name, ((const struct tensor *)right)->name);
}

/* Whether tensors [first, count), which come from one file, share no byte. Sorts them by place. */
static bool ranges_are_disjoint(struct safetensors *files, size_t first, struct error *error)
{
    struct tensor *tensors = files->tensors + first;
    const size_t count = files->count - first;

    if (count > 1)
        qsort(tensors, count, sizeof *tensors, compare_places);
    for (size_t i = 1; i < count; i++)
        if (tensors[i - 1].offset + (int64_t)tensors[i - 1].bytes > tensors[i].offset)
            return error_set(error, ERROR_INPUT, "%s: tensors %s and %s overlap", tensors[i].file,
                             tensors[i - 1].name, tensors[i].name);
    return true;
}

/* Reads the length field; the header must lie within the file. */
static bool read_length(const struct shard *shard, size_t *length, struct error *error)
{
    unsigned char bytes[HEADER_LENGTH_BYTES];
    uint64_t value = 0;

    if (shard->bytes < HEADER_LENGTH_BYTES)
        return error_set(error, ERROR_INPUT, "%s: too short for a safetensors file", shard->path);
    if (!file_read(shard->descriptor, shard->path, bytes, sizeof bytes, 0, error))
        return false;
    for (int i = 0; i < HEADER_LENGTH_BYTES; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    if (value > HEADER_MAX_BYTES || value > (uint64_t)shard->bytes - HEADER_LENGTH_BYTES)
        return error_set(
            error, ERROR_INPUT,
            "%s: header length %llu is impossible; truncated or not a safetensors file",
            shard->path, (unsigned long long)value);
    *length = (size_t)value;
    return true;
}

/* Reads the JSON header; gives where data start. */
static bool read_header(struct shard *shard, int64_t *data, struct error *error)
{
    json_error_t problem;
    size_t length;

    if (!read_length(shard, &length, error))
        return false;
    char *text = malloc(length + 1);
    if (!text)
        return error_set(error, ERROR_MEMORY, "%s: not enough memory", shard->path);
    if (!file_read(shard->descriptor, shard->path, text, length, HEADER_LENGTH_BYTES, error)) {
        free(text);
        return false;
    }

    shard->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    free(text);
    if (!json_is_object(shard->header))
        return error_set(error, ERROR_INPUT, "%s: broken header: %s", shard->path,
                         shard->header ? "not a JSON object" : problem.text);
    *data = HEADER_LENGTH_BYTES + (int64_t)length;
    return true;
}

/* Appends every tensor of a shard whose path is set. */
static bool open_shard(struct safetensors *files, struct shard *shard, struct error *error)
{
    const size_t first = files->count;
    int64_t data;
    const char *name;
    json_t *entry;

    shard->descriptor = file_open(shard->path, &shard->bytes, error);
    if (shard->descriptor < 0 || !read_header(shard, &data, error))
        return false;

    json_object_foreach(shard->header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        struct tensor *tensor = files->count < MAX_TENSORS ? add_tensor(files) : NULL;
        if (!tensor)
            return error_set(error, ERROR_MEMORY, "%s: too many tensors", shard->path);
        tensor->name = name;
        tensor->file = shard->path;
        tensor->descriptor = shard->descriptor;
        if (!parse_type(tensor, entry, error) || !parse_shape(tensor, entry, error) ||
            !parse_range(tensor, entry, data, shard->bytes - data, error))
            return false;
    }
    return ranges_are_disjoint(files, first, error);
}

/* Takes over `path`. */
static bool add_shard(struct safetensors *files, char *path, struct error *error)
{
    struct shard *grown = realloc(files->shards, (files->shard_count + 1) * sizeof *files->shards);
    if (!path || !grown || files->shard_count >= MAX_FILES) {
        free(path);
        files->shards = grown ? grown : files->shards;
        return error_set(error, ERROR_MEMORY, "too many checkpoint files or not enough memory");
    }
    files->shards = grown;
    struct shard *shard = &files->shards[files->shard_count++];
    *shard = (struct shard){.path = path, .descriptor = -1};
    return open_shard(files, shard, error);
}

static bool has_shard(const struct safetensors *files, const char *path)
{
    for (size_t i = 0; i < files->shard_count; i++)
        if (strcmp(files->shards[i].path, path) == 0)
            return true;
    return false;
}

/* Opens each file that the index's weight_map names, once. */
static bool open_indexed(struct safetensors *files, const char *directory, const char *index_path,
                         struct error *error)
{
    json_t *index = file_read_json(index_path, error), *file;
    const char *name;
    bool opened = false;

    if (!index)
        return false;
    const json_t *map = json_object_get(index, "weight_map");
    if (json_object_size(map) == 0) {
        error_set(error, ERROR_INPUT, "%s: no weight_map", index_path);
        goto done;
    }
    json_object_foreach((json_t *)map, name, file)
    {
        const char *file_name = json_string_value(file);
        if (!file_name || strchr(file_name, '/')) {
            error_set(error, ERROR_INPUT, "%s: weight_map: %s must name a file of this directory",
                      index_path, name);
            goto done;
        }
        char *path = file_path(directory, file_name, error);
        if (path && has_shard(files, path))
            free(path);
        else if (!add_shard(files, path, error))
            goto done;
    }
    opened = true;

done:
    json_decref(index);
    return opened;
}

/* Sorts by name; a name may occur in one file only. */
static bool index_names(struct safetensors *files, struct error *error)
{
    if (files->count > 1)
        qsort(files->tensors, files->count, sizeof *files->tensors, compare_names);
    for (size_t i = 1; i < files->count; i++)
        if (strcmp(files->tensors[i - 1].name, files->tensors[i].name) == 0)
            return refuse(error, &files->tensors[i], "occurs in two files");
    return true;
}

struct safetensors *safetensors_open(const char *directory, struct error *error)
{
    struct safetensors *files = calloc(1, sizeof *files);
    char *single = file_path(directory, "model.safetensors", error);
    char *index = file_path(directory, "model.safetensors.index.json", error);
    bool opened = false;

    if (!files || !single || !index)
        error_set(error, ERROR_MEMORY, "%s: not enough memory", directory);
    else if (!file_exists(single) && file_exists(index))
        opened = open_indexed(files, directory, index, error);
    else {
        opened = add_shard(files, single, error);
        single = NULL;
    }
    if (opened)
        opened = index_names(files, error);

    free(single);
    free(index);
    if (!opened) {
        safetensors_close(files);
        return NULL;
    }
    return files;
}

void safetensors_close(struct safetensors *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->shard_count; i++) {
        json_decref(files->shards[i].header);
        if (files->shards[i].descriptor >= 0)
            close(files->shards[i].descriptor);
        free(files->shards[i].path);
    }
    free(files->shards);
    free(files->tensors);
    free(files);
}

size_t safetensors_count(const struct safetensors *files)
{
    return files->count;
}

const struct tensor *safetensors_at(const struct safetensors *files, size_t index)
{
    return &files->tensors[index];
}

const struct tensor *safetensors_find(const struct safetensors *files, const char *name)
{
    const struct tensor key = {.name = name};

    return files->count ? bsearch(&key, files->tensors, files->count, sizeof key, compare_names)
                        : NULL;
}

bool safetensors_read(const struct tensor *tensor, int64_t first, int64_t count, void *to,
                      struct error *error)
{
    struct error problem = {0};

    return file_read(tensor->descriptor, tensor->file, to, (size_t)(count * tensor->width),
                     tensor->offset + first * tensor->width, &problem) ||
           error_set(error, problem.code, "tensor %s: %s", tensor->name, problem.text);
}

bool safetensors_walk(const struct tensor *tensor,
                      bool (*on_block)(void *user, const void *numbers, int64_t first,
                                       int64_t count),
                      void *user, struct error *error)
{
    void *numbers = malloc((size_t)TENSOR_BLOCK * (size_t)tensor->width);
    bool walked =
        numbers || error_set(error, ERROR_MEMORY, "%s: not enough memory to read it", tensor->name);

    for (int64_t first = 0; walked && first < tensor->count; first += TENSOR_BLOCK) {
        const int64_t left = tensor->count - first;
        const int64_t count = left < TENSOR_BLOCK ? left : TENSOR_BLOCK;
        walked = safetensors_read(tensor, first, count, numbers, error) &&
                 on_block(user, numbers, first, count);
    }
    free(numbers);
    return walked;
}

int64_t safetensors_bytes(const struct safetensors *files)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < files->shard_count; i++)
        bytes += files->shards[i].bytes;
    return bytes;
}
