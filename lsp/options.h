/* What may be set from outside: one table of names, limits and rights, which checking, reporting and the documentation share.
 *
 * An object of options comes from a file or from the editor. Names with dots may also be nested objects, as editors write them:
 * "context.crossFile" or {"context": {"crossFile": ...}}. What is wrong is skipped and told as one sentence that names the
 * option and its source. No state.
 */
#ifndef LSP_OPTIONS_H
#define LSP_OPTIONS_H

#include <stdio.h>

#include <jansson.h>

#include "lsp/settings.h"

/* Where an object of options comes from. */
struct options_source {
    const char *name; /* as users know it */
    bool
        is_workspace; /* whoever wrote the workspace may not choose what is loaded or let secrets out */
    bool gives_way; /* to what the command line and the environment set */
};

struct options_listener {
    void (*on_problem)(void *user, const char *sentence);
    void *user;
};

/* Applies what holds in general. NULL and null apply nothing. */
void options_apply(struct settings *settings, const json_t *options,
                   const struct options_source *source, const struct options_listener *listener);

/* Applies what holds by language, "languages": {"python": {...}}; after all that holds in general. */
void options_apply_languages(struct settings *settings, const json_t *options,
                             const struct options_source *source,
                             const struct options_listener *listener);

/* Notes that the command line has set that member of the settings. */
void options_give(struct settings *settings, const void *member);

/* Writes the table for SETTINGS.md, with the default of each. */
void options_document(const struct settings *defaults, FILE *out);

#endif
