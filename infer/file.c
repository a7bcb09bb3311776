/* Mappings are private and read-only: the pages belong to the page cache and cost nothing until they are touched. */
#include "infer/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool system_error(struct error *error, const char *path, const char *what)
{
    return error_set(error, ERROR_SYSTEM, "%s: cannot %s: %s", path, what, strerror(errno));
}

bool mapping_open(struct mapping *mapping, const char *path, struct error *error)
{
    struct stat status;
    bool opened = false;

    *mapping = (struct mapping){0};
    const int descriptor =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block */
    if (descriptor < 0)
        return system_error(error, path, "open");

    if (fstat(descriptor, &status) != 0) {
        system_error(error, path, "inspect");
        goto done;
    }
    if (!S_ISREG(status.st_mode)) {
        error_set(error, ERROR_INPUT, "%s: not a regular file", path);
        goto done;
    }
    if (status.st_size > 0) {
        void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED) {
            system_error(error, path, "map");
            goto done;
        }
        *mapping = (struct mapping){data, (size_t)status.st_size};
    }
    opened = true;

done:
    close(descriptor);
    return opened;
}

void mapping_close(struct mapping *mapping)
{
    if (mapping->data)
        munmap((void *)mapping->data, mapping->bytes);
    *mapping = (struct mapping){0};
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
    struct mapping mapping;
    json_error_t problem;
    json_t *json = NULL;

    if (!mapping_open(&mapping, path, error))
        return NULL;
    if (mapping.bytes == 0) {
        error_set(error, ERROR_INPUT, "%s: the file is empty", path);
        return NULL;
    }

    if (mapping.bytes > FILE_JSON_MAX_BYTES) {
        error_set(error, ERROR_LIMIT, "%s: larger than %d MB", path, FILE_JSON_MAX_BYTES >> 20);
        mapping_close(&mapping);
        return NULL;
    }
    json = json_loadb(mapping.data, mapping.bytes, 0, &problem);
    if (!json)
        error_set(error, ERROR_INPUT, "%s:%d:%d: not valid JSON: %s", path, problem.line,
                  problem.column, problem.text);
    else if (!json_is_object(json)) {
        error_set(error, ERROR_INPUT, "%s: a JSON object is expected", path);
        json_decref(json);
        json = NULL;
    }
    mapping_close(&mapping);
    return json;
}
