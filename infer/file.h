/* Whole files and paths, with errors that name them. Plain functions, nothing kept. */
#ifndef INFER_FILE_H
#define INFER_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "infer/error.h"

/* A file mapped for reading; empty files map to data NULL, bytes 0. */
struct mapping {
    const void *data;
    size_t bytes;
};

bool mapping_open(struct mapping *mapping, const char *path, struct error *error);
void mapping_close(struct mapping *mapping);

/* "directory/name"; the caller frees it. NULL with an error when memory is exhausted. */
char *file_path(const char *directory, const char *name, struct error *error);

bool file_exists(const char *path);

enum { FILE_JSON_MAX_BYTES = 128 << 20 };

/* The JSON object in a file of up to FILE_JSON_MAX_BYTES; a new reference. NULL with an error that says where it is broken. */
json_t *file_read_json(const char *path, struct error *error);

#endif
