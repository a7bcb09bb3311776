/* Nothing is mapped: of a mapped file that somebody shortens, the next look is the process's death by SIGBUS; a read of it
 * is an error like any other. */
#include "infer/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(const char *path, int64_t *bytes, struct error *error)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block */
    struct stat status;

    if (file < 0) {
        error_set_system(error, path, "open");
        return -1;
    }
    if (fstat(file, &status) != 0)
        error_set_system(error, path, "inspect");
    else if (!S_ISREG(status.st_mode))
        error_set(error, ERROR_INPUT, "%s: not a regular file", path);
    else {
        *bytes = (int64_t)status.st_size;
        return file;
    }
    close(file);
    return -1;
}

bool file_read(int file, const char *path, void *to, size_t bytes, int64_t offset,
               struct error *error)
{
    char *at = to;

    while (bytes > 0) {
        const ssize_t count = pread(file, at, bytes, offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_set_system(error, path, "read");
        if (count == 0)
            return error_set(error, ERROR_INPUT,
                             "%s: became shorter while it was read; try again when it is whole",
                             path);
        at += count;
        offset += count;
        bytes -= (size_t)count;
    }
    return true;
}

char *file_load(const char *path, size_t max_bytes, size_t *bytes, struct error *error)
{
    int64_t length;
    char *content = NULL;
    const int file = file_open(path, &length, error);

    if (file < 0)
        return NULL;
    if ((uint64_t)length > max_bytes)
        error_set(error, ERROR_LIMIT, "%s: larger than %zu MB", path, max_bytes >> 20);
    else if (!(content = malloc((size_t)length + 1)))
        error_set(error, ERROR_MEMORY, "%s: not enough memory to read it", path);
    else if (!file_read(file, path, content, (size_t)length, 0, error)) {
        free(content);
        content = NULL;
    }
    *bytes = (size_t)length;
    close(file);
    return content;
}

char *file_path(const char *directory, const char *name, struct error *error)
{
    char *path;

    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        error_set(error, ERROR_MEMORY, "%s: not enough memory", directory);
        return NULL;
    }
    return path;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

json_t *file_read_json(const char *path, struct error *error)
{
    size_t bytes;
    char *text = file_load(path, FILE_JSON_MAX_BYTES, &bytes, error);
    json_error_t problem;
    json_t *json = NULL;

    if (!text)
        return NULL;
    if (bytes == 0)
        error_set(error, ERROR_INPUT, "%s: the file is empty", path);
    else if (!(json = json_loadb(text, bytes, 0, &problem)))
        error_set(error, ERROR_INPUT, "%s:%d:%d: not valid JSON: %s", path, problem.line,
                  problem.column, problem.text);
    else if (!json_is_object(json)) {
        error_set(error, ERROR_INPUT, "%s: a JSON object is expected", path);
        json_decref(json);
        json = NULL;
    }
    free(text);
    return json;
}
