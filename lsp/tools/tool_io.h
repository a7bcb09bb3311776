/* What the commands that do one thing have in common: an engine, input, JSON output. */
#ifndef LSP_TOOLS_TOOL_IO_H
#define LSP_TOOLS_TOOL_IO_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "infer/engine.h"
#include "lsp/settings.h"

/* Prints an object on standard output and gives up the reference. */
bool tool_print_json(json_t *object, struct error *error);

/* An engine as the settings want it; NULL with an error. */
struct engine *tool_open_engine(const struct settings *settings, struct error *error);

/* A whole file, or standard input for NULL and "-"; NUL-terminated, the caller frees it. NULL with an error. */
char *tool_read_input(const char *path, size_t *bytes, struct error *error);

#endif
