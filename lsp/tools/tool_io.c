/* Input is read whole: every tool needs all of it before it can begin. */
#include "lsp/tools/tool_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX_BYTES = 64 * 1024 * 1024 };

bool tool_print_json(json_t *object, struct error *error)
{
    if (!object || json_dumpf(object, stdout, JSON_COMPACT) != 0) {
        json_decref(object);
        return error_set(error, ERROR_SYSTEM, "standard output: cannot be written");
    }
    putchar('\n');
    json_decref(object);
    return true;
}

struct engine *tool_open_engine(const struct settings *settings, struct error *error)
{
    char *model = settings_model_path(settings, error);
    struct engine *engine = NULL;

    if (model) {
        const struct engine_options options = settings_engine_options(settings, model);
        engine = engine_open(&options, error);
    }
    free(model);
    return engine;
}

char *tool_read_input(const char *path, size_t *bytes, struct error *error)
{
    const bool is_stdin = !path || strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    size_t capacity = 64 * 1024, length = 0, count = 0;
    char *text = malloc(capacity);

    if (!file) {
        error_set(error, ERROR_SYSTEM, "%s: cannot open: %s", path, strerror(errno));
        goto failed;
    }
    errno = 0;
    while (text && (count = fread(text + length, 1, capacity - length - 1, file)) > 0) {
        length += count;
        if (length > INPUT_MAX_BYTES) {
            error_set(error, ERROR_LIMIT, "%s: more than %d bytes", path ? path : "-",
                      INPUT_MAX_BYTES);
            goto failed;
        }
        if (length + 1 == capacity) {
            char *grown = realloc(text, capacity *= 2);
            if (!grown)
                free(text);
            text = grown;
        }
    }
    if (!text || ferror(file)) {
        error_set(error, ERROR_SYSTEM, "%s: cannot read: %s", path ? path : "-", strerror(errno));
        goto failed;
    }
    if (!is_stdin)
        fclose(file);
    text[length] = '\0';
    *bytes = length;
    return text;

failed:
    if (file && !is_stdin)
        fclose(file);
    free(text);
    return NULL;
}
