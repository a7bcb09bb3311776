/* Tensors of a Hugging Face checkpoint directory, memory-mapped.
 *
 * Reads `model.safetensors`, or the shards that `model.safetensors.index.json` names. The header of every file is checked
 * before anything is believed: its length, each dtype and shape against its byte range, ranges against the file's end and
 * against each other. Hidden: files, mappings, JSON.
 *
 * Whoever opens closes; tensors and their data are valid until then. Reading from several threads is fine.
 * Format: https://huggingface.co/docs/safetensors (header length u64, JSON header, data).
 */
#ifndef INFER_SAFETENSORS_H
#define INFER_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"

struct safetensors;

enum tensor_type {
    TENSOR_F32,
    TENSOR_F16,
    TENSOR_BF16,
    TENSOR_U8,
    TENSOR_I64,
    TENSOR_OTHER, /* any other the format knows: listed, not used */
};

enum { TENSOR_MAX_RANK = 8 };

struct tensor {
    const char *name;
    const char *file; /* path, for messages */
    enum tensor_type type;
    char type_name[8]; /* as the file spells it */
    int rank;
    int64_t shape[TENSOR_MAX_RANK];
    int64_t count;    /* product of the shape; 1 for rank 0 */
    const void *data; /* no alignment promised */
    size_t bytes;
};

/* NULL with an error that names the file, and the tensor where one is at fault. */
struct safetensors *safetensors_open(const char *directory, struct error *error);
void safetensors_close(struct safetensors *files);

/* Tensors in order of name. */
size_t safetensors_count(const struct safetensors *files);
const struct tensor *safetensors_at(const struct safetensors *files, size_t index);

/* NULL where there is none of that name. */
const struct tensor *safetensors_find(const struct safetensors *files, const char *name);

/* Gives the memory of a tensor's pages back to the system; they come again from the file when they are read. */
void safetensors_release(const struct tensor *tensor);

/* Bytes of all files. */
int64_t safetensors_bytes(const struct safetensors *files);

#endif
