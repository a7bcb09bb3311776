/* Tensors of a Hugging Face checkpoint directory.
 *
 * Reads `model.safetensors`, or the shards that `model.safetensors.index.json` names. The header of every file is checked
 * before anything is believed: its length, each dtype and shape against its byte range, ranges against the file's end and
 * against each other. Numbers are read when they are asked for; a file that became shorter meanwhile is an error then.
 * Hidden: files, JSON.
 *
 * Whoever opens closes; tensors are valid until then. Reading from several threads is fine.
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
    int64_t count;  /* product of the shape; 1 for rank 0 */
    int width;      /* bytes of one number */
    size_t bytes;   /* of all */
    int descriptor; /* of the open file */
    int64_t offset; /* of the first number in it */
};

/* Whether the name of a tensor, or of a file, ends so. */
bool name_ends_with(const char *name, const char *ending);

/* NULL with an error that names the file, and the tensor where one is at fault. */
struct safetensors *safetensors_open(const char *directory, struct error *error);
void safetensors_close(struct safetensors *files);

/* Tensors in order of name. */
size_t safetensors_count(const struct safetensors *files);
const struct tensor *safetensors_at(const struct safetensors *files, size_t index);

/* NULL where there is none of that name. */
const struct tensor *safetensors_find(const struct safetensors *files, const char *name);

/* Reads `count` numbers from number `first` on, as the file holds them. False with an error that names file and tensor. */
bool safetensors_read(const struct tensor *tensor, int64_t first, int64_t count, void *to,
                      struct error *error);

enum { TENSOR_BLOCK = 1 << 16 /* numbers that a walk hands out at once */ };

/* Reads all numbers of a tensor in order, in blocks that are gone after on_block. False where on_block says so (which then
 * fills an error of its own), or with an error. */
bool safetensors_walk(const struct tensor *tensor,
                      bool (*on_block)(void *user, const void *numbers, int64_t first,
                                       int64_t count),
                      void *user, struct error *error);

/* Bytes of all files. */
int64_t safetensors_bytes(const struct safetensors *files);

#endif
