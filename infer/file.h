/* Whole files and paths, with errors that name them. Plain functions, nothing kept. */
#ifndef INFER_FILE_H
#define INFER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "infer/error.h"

/* Opens a regular file for reading and gives its length; -1 with an error. */
int file_open(const char *path, int64_t *bytes, struct error *error);

/* Reads `bytes` bytes from `offset` on, all of them; any thread. False with an error, also where the file ends before. */
bool file_read(int file, const char *path, void *to, size_t bytes, int64_t offset,
               struct error *error);

/* A whole file of up to `max_bytes` bytes; the caller frees it. NULL with an error. */
char *file_load(const char *path, size_t max_bytes, size_t *bytes, struct error *error);

/* "directory/name"; the caller frees it. NULL with an error when memory is exhausted. */
char *file_path(const char *directory, const char *name, struct error *error);

bool file_exists(const char *path);

enum { FILE_JSON_MAX_BYTES = 128 << 20 };

/* The JSON object in a file of up to FILE_JSON_MAX_BYTES; a new reference. NULL with an error that says where it is broken. */
json_t *file_read_json(const char *path, struct error *error);

#endif
