/* Which source of settings wins.
 *
 * Later ones win over earlier ones: defaults, the environment, the user's file, the command line, the workspace's file, the
 * options of `initialize`, the editor's configuration. The environment and the command line win over the user's file only; what
 * holds for a language wins over what holds in general, wherever either comes from. Patterns of files to ignore add up.
 *
 * Keeps the sources, so that one can change and the others still stand. Client lifetime, on the loop's thread.
 */
#ifndef LSP_PREFERENCES_H
#define LSP_PREFERENCES_H

#include <jansson.h>

#include "lsp/options.h"
#include "lsp/settings.h"

enum preferences_source {
    PREFERENCES_USER,          /* $XDG_CONFIG_HOME/hxqd/config.json */
    PREFERENCES_WORKSPACE,     /* .hxqd.json at its root */
    PREFERENCES_OPTIONS,       /* initializationOptions */
    PREFERENCES_CONFIGURATION, /* workspace/configuration, or pushed with didChangeConfiguration */
    PREFERENCES_SOURCES,
};

struct preferences;

/* `base` is what the command line made of the defaults; copied. NULL when memory is exhausted. */
struct preferences *preferences_create(const struct settings *base);
void preferences_destroy(struct preferences *preferences);

/* Replaces what a source says; NULL: nothing. Whether that differs from what it said. */
bool preferences_set(struct preferences *preferences, enum preferences_source source,
                     const json_t *options);

/* The same out of a file, which need not exist. What cannot be read says nothing and is a problem. */
bool preferences_read(struct preferences *preferences, enum preferences_source source,
                      const char *path, const struct options_listener *listener);

/* Where the user's file is; NULL where there is no home. The caller frees it. */
char *preferences_user_path(void);

/* What all sources come to; `settings` is overwritten, and no problem is told twice in the life of the preferences. False when
 * memory is exhausted: then it is untouched. */
bool preferences_resolve(struct preferences *preferences, struct settings *settings,
                         const struct options_listener *listener);

#endif
