/* Thin over the system's calls; what they add is full writes, durability and sentences. */
#include "infer/compress/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "infer/file.h"

enum { CHUNK_BYTES = 1 << 20 };

int output_open(const char *path, struct error *error)
{
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    if (file < 0)
        error_set_system(error, path, "open for writing");
    return file;
}

bool output_reserve(int file, const char *path, int64_t bytes, struct error *error)
{
    if (ftruncate(file, bytes) != 0)
        return error_set_system(error, path, "grow");
    if (bytes > 0 && fallocate(file, 0, 0, bytes) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
        return error_set_system(error, path, "reserve room");
    return true;
}

bool output_write(int file, const char *path, const void *data, size_t bytes, int64_t offset,
                  struct error *error)
{
    const char *at = data;

    while (bytes > 0) {
        const ssize_t count = pwrite(file, at, bytes, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return error_set_system(error, path, "write");
        at += count;
        offset += count;
        bytes -= (size_t)count;
    }
    return true;
}

bool output_close(int file, const char *path, struct error *error)
{
    const bool synced = fsync(file) == 0;

    if (!synced)
        error_set_system(error, path, "write");
    if (close(file) != 0 && synced)
        return error_set_system(error, path, "close");
    return synced;
}

/* Writes a new file of the given bytes. */
static bool write_file(const char *path, const void *data, size_t bytes, struct error *error)
{
    const int file = output_open(path, error);

    if (file < 0)
        return false;
    const bool written =
        output_reserve(file, path, 0, error) && output_write(file, path, data, bytes, 0, error);
    return output_close(file, path, error) && written;
}

bool output_json(const char *path, const json_t *json, struct error *error)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

    if (!text)
        return error_set(error, ERROR_MEMORY, "%s: not enough memory", path);
    const size_t length = strlen(text);
    text[length] = '\n'; /* in the terminator's place */
    const bool written = write_file(path, text, length + 1, error);
    free(text);
    return written;
}

/* Calls on_chunk for a file, piece by piece; gives its length. */
static bool each_chunk(const char *path,
                       bool (*on_chunk)(void *user, const void *data, size_t bytes, int64_t offset,
                                        struct error *error),
                       void *user, int64_t *bytes, struct error *error)
{
    const int file = file_open(path, bytes, error);
    char *chunk = file < 0 ? NULL : malloc(CHUNK_BYTES);
    bool done = chunk != NULL;

    if (file < 0)
        return false;
    if (!chunk)
        error_set(error, ERROR_MEMORY, "%s: not enough memory to read it", path);
    for (int64_t at = 0; done && at < *bytes; at += CHUNK_BYTES) {
        const int64_t left = *bytes - at;
        const size_t count = (size_t)(left < CHUNK_BYTES ? left : CHUNK_BYTES);
        done = file_read(file, path, chunk, count, at, error) &&
               on_chunk(user, chunk, count, at, error);
    }
    free(chunk);
    close(file);
    return done;
}

/* Where a copy goes. */
struct copy {
    int file;
    const char *path;
};

static bool write_chunk(void *user, const void *data, size_t bytes, int64_t offset,
                        struct error *error)
{
    const struct copy *copy = user;

    return output_write(copy->file, copy->path, data, bytes, offset, error);
}

bool output_copy(const char *from, const char *path, struct error *error)
{
    struct copy copy = {output_open(path, error), path};
    int64_t bytes;

    if (copy.file < 0)
        return false;
    const bool written = output_reserve(copy.file, path, 0, error) &&
                         each_chunk(from, write_chunk, &copy, &bytes, error);
    return output_close(copy.file, path, error) && written;
}

bool output_sync_directory(const char *path, struct error *error)
{
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return error_set_system(error, path, "open");
    const bool synced = fsync(directory) == 0 || errno == EINVAL; /* some file systems cannot */
    if (!synced)
        error_set_system(error, path, "write");
    close(directory);
    return synced;
}

bool output_rename(const char *from, const char *to, struct error *error)
{
    if (rename(from, to) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: cannot be renamed to %s: %s", from, to,
                         strerror(errno));
    return true;
}

static bool digest_chunk(void *user, const void *data, size_t bytes, int64_t offset,
                         struct error *error)
{
    (void)offset;
    (void)error;
    sha256_update(user, bytes, data);
    return true;
}

bool output_digest(const char *path, char hexadecimal[2 * OUTPUT_DIGEST_BYTES + 1], int64_t *bytes,
                   struct error *error)
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_init(&context);
    if (!each_chunk(path, digest_chunk, &context, bytes, error))
        return false;
    sha256_digest(&context, sizeof digest, digest);
    for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
        sprintf(hexadecimal + 2 * i, "%02x", digest[i]);
    return true;
}
