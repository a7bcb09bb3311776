/* One table of tensors over all files, sorted by name for lookup. A directory either opens whole or not at all. */
#include "infer/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    struct mapping mapping;
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

static bool refuse(struct error *error, const struct tensor *tensor, const char *why)
{
    return error_set(error, ERROR_INPUT, "%s: tensor %s: %s", tensor->file, tensor->name, why);
}

/* Fills dtype; gives the bytes of one number through `bytes`. */
static bool parse_type(struct tensor *tensor, const json_t *entry, size_t *bytes,
                       struct error *error)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));

    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0) {
            tensor->type = types[i].type;
            strcpy(tensor->type_name, name);
            *bytes = (size_t)types[i].bytes;
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

/* Fills data and bytes; the range must lie in the file and fit dtype and shape. */
static bool parse_range(struct tensor *tensor, const json_t *entry, size_t item_bytes,
                        const char *data, size_t data_bytes, struct error *error)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    int64_t expected;

    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return refuse(error, tensor, "data_offsets must be two integers");
    const json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin)
        return refuse(error, tensor, "data_offsets are out of order");
    if ((uint64_t)end > data_bytes)
        return refuse(error, tensor, "lies beyond the end of the file; is the file truncated?");
    if (__builtin_mul_overflow(tensor->count, (int64_t)item_bytes, &expected) ||
        end - begin != expected)
        return refuse(error, tensor, "its byte range does not fit its dtype and shape");
    tensor->data = data + begin;
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

static int compare_data(const void *left, const void *right)
{
    const struct tensor *a = left, *b = right;

    if (a->data != b->data)
        return (const char *)a->data < (const char *)b->data ? -1 : 1;
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
        qsort(tensors, count, sizeof *tensors, compare_data);
    for (size_t i = 1; i < count; i++)
        if ((const char *)tensors[i - 1].data + tensors[i - 1].bytes >
            (const char *)tensors[i].data)
            return error_set(error, ERROR_INPUT, "%s: tensors %s and %s overlap", tensors[i].file,
                             tensors[i - 1].name, tensors[i].name);
    return true;
}

/* Reads the JSON header of a mapped file; gives the length of header and its length field. */
static bool read_header(struct shard *shard, size_t *data_start, struct error *error)
{
    const unsigned char *bytes = shard->mapping.data;
    uint64_t length = 0;
    json_error_t problem;

    if (shard->mapping.bytes < HEADER_LENGTH_BYTES)
        return error_set(error, ERROR_INPUT, "%s: too short for a safetensors file", shard->path);
    for (int i = 0; i < HEADER_LENGTH_BYTES; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    if (length > HEADER_MAX_BYTES || length > shard->mapping.bytes - HEADER_LENGTH_BYTES)
        return error_set(
            error, ERROR_INPUT,
            "%s: header length %llu is impossible; truncated or not a safetensors file",
            shard->path, (unsigned long long)length);

    shard->header = json_loadb((const char *)bytes + HEADER_LENGTH_BYTES, (size_t)length,
                               JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(shard->header))
        return error_set(error, ERROR_INPUT, "%s: broken header: %s", shard->path,
                         shard->header ? "not a JSON object" : problem.text);
    *data_start = HEADER_LENGTH_BYTES + (size_t)length;
    return true;
}

/* Appends every tensor of a shard whose path is set. */
static bool open_shard(struct safetensors *files, struct shard *shard, struct error *error)
{
    const size_t first = files->count;
    size_t start, item_bytes = 0;
    const char *name;
    json_t *entry;

    if (!mapping_open(&shard->mapping, shard->path, error) || !read_header(shard, &start, error))
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
        if (!parse_type(tensor, entry, &item_bytes, error) || !parse_shape(tensor, entry, error) ||
            !parse_range(tensor, entry, item_bytes, (const char *)shard->mapping.data + start,
                         shard->mapping.bytes - start, error))
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
    *shard = (struct shard){.path = path};
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
        mapping_close(&files->shards[i].mapping);
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

void safetensors_release(const struct tensor *tensor)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)tensor->data + page - 1) / page * page;
    const uintptr_t last = ((uintptr_t)tensor->data + tensor->bytes) / page * page;

    if (first < last)
        madvise((void *)first, last - first, MADV_DONTNEED);
}

int64_t safetensors_bytes(const struct safetensors *files)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < files->shard_count; i++)
        bytes += (int64_t)files->shards[i].mapping.bytes;
    return bytes;
}
