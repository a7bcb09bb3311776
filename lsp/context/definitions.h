/* What one file defines, and the text that tells another file about each definition.
 *
 * A list is a value that never changes once made; it owns all that it lends. Lines that look like secrets are not in it, and
 * files that are secret, binary, minified or large define nothing. Made and read on any thread.
 */
#ifndef LSP_CONTEXT_DEFINITIONS_H
#define LSP_CONTEXT_DEFINITIONS_H

#include <stddef.h>

#include "parsers/symbols.h"

/* What lies beyond is left out. */
enum {
    DEFINITIONS_FILE_BYTES = 256 * 1024,
    DEFINITIONS_TEXT_BYTES = 1024, /* of one definition */
    DEFINITIONS_LINE_BYTES = 160,  /* files with longer lines on average are made by machines */
};

struct definition {
    const char *path; /* as it was given */
    const char *name;
    const char *
        text; /* [bytes], whole lines: the comment above and the signature, of types and values all of it */
    size_t bytes;
    enum symbol_kind kind;
};

struct definitions {
    char *path;
    struct definition *items; /* [count], in the order of the file */
    size_t count, bytes;      /* of all texts */
    char *text;               /* names and texts, each NUL-terminated */
};

/* Of a text and its tree, which may be NULL: then there are none. NULL when memory is exhausted. */
struct definitions *definitions_of(const char *path, const struct syntax *syntax, const char *text,
                                   size_t bytes);

/* Of a file as it is on disk; one that cannot be read or has no syntax that we know defines nothing. */
struct definitions *definitions_read(const char *path);

/* The bytes of a file, for the caller to free; NULL for one that is no plain file, is too large or cannot be read. */
char *definitions_load(const char *path, size_t *bytes);

/* NULL is accepted. */
void definitions_destroy(struct definitions *definitions);

/* Whether files with these names are worth reading: a language with definitions, no lock file, nothing minified. */
bool definitions_can_read(const char *path);

#endif
