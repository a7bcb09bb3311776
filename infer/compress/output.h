/* Files of a directory that must come to be whole or not at all.
 *
 * Plain functions; every failure names the path and what the system said (a full disk, a missing right). Nothing is kept.
 */
#ifndef INFER_COMPRESS_OUTPUT_H
#define INFER_COMPRESS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "infer/error.h"

/* Opens for reading and writing, making the file if need be; -1 with an error. */
int output_open(const char *path, struct error *error);

/* Sets a file's length, with room on the disk for all of it where the file system can promise that. */
bool output_reserve(int file, const char *path, int64_t bytes, struct error *error);

bool output_write(int file, const char *path, const void *data, size_t bytes, int64_t offset,
                  struct error *error);

/* Makes what was written durable and closes the file, also on failure. */
bool output_close(int file, const char *path, struct error *error);

/* A whole file: JSON text ending in a newline, or a copy of another file. Durable. */
bool output_json(const char *path, const json_t *json, struct error *error);
bool output_copy(const char *from, const char *path, struct error *error);

/* Makes renames and deletions in a directory durable. */
bool output_sync_directory(const char *path, struct error *error);

bool output_rename(const char *from, const char *to, struct error *error);

enum { OUTPUT_DIGEST_BYTES = 32 };

/* SHA-256 of a file's bytes, as 64 hexadecimal digits and a NUL; and its length. */
bool output_digest(const char *path, char hexadecimal[2 * OUTPUT_DIGEST_BYTES + 1], int64_t *bytes,
                   struct error *error);

#endif
