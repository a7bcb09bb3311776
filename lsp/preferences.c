/* Settings are always computed from all sources anew: taking back one option of one source needs no memory of what it hid. */
#include "lsp/preferences.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES_MAX = 1024 * 1024,
    PROBLEMS_MAX = 1024, /* told; more are not */
    SENTENCE_BYTES = 1024,
};

static const struct options_source sources[PREFERENCES_SOURCES] = {
    [PREFERENCES_USER] = {"hxqd/config.json", .gives_way = true},
    [PREFERENCES_WORKSPACE] = {".hxqd.json", .is_workspace = true},
    [PREFERENCES_OPTIONS] = {"initializationOptions"},
    [PREFERENCES_CONFIGURATION] = {"configuration"},
};

struct preferences {
    struct settings base;
    json_t *options[PREFERENCES_SOURCES];    /* NULL: says nothing */
    json_t *told;                            /* sentences, as names of an object */
    const struct options_listener *listener; /* of the call at work */
};

struct preferences *preferences_create(const struct settings *base)
{
    struct preferences *preferences = calloc(1, sizeof *preferences);
    if (!preferences)
        return NULL;
    preferences->told = json_object();
    if (preferences->told && settings_copy(&preferences->base, base))
        return preferences;
    json_decref(preferences->told);
    free(preferences);
    return NULL;
}

void preferences_destroy(struct preferences *preferences)
{
    if (!preferences)
        return;
    for (int source = 0; source < PREFERENCES_SOURCES; source++)
        json_decref(preferences->options[source]);
    json_decref(preferences->told);
    settings_finish(&preferences->base);
    free(preferences);
}

bool preferences_set(struct preferences *preferences, enum preferences_source source,
                     const json_t *options)
{
    json_t **place = &preferences->options[source];
    const bool is_same = options ? json_equal(*place, options) : !*place;
    json_incref((json_t *)(uintptr_t)options);
    json_decref(*place);
    *place = (json_t *)(uintptr_t)options;
    return !is_same;
}

/* --- files ------------------------------------------------------------------------------------------------------------ */

/* Reads an open file to its end; NULL with `problem` set, which is NULL for what is no file that one could wait to end. */
static json_t *file_parse(int file, const char **problem, json_error_t *error)
{
    struct stat status;
    *problem = NULL;
    if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode))
        *problem = "is no regular file";
    else if (status.st_size > FILE_BYTES_MAX)
        *problem = "is too large";
    return *problem ? NULL : json_loadfd(file, JSON_REJECT_DUPLICATES, error);
}

bool preferences_read(struct preferences *preferences, enum preferences_source source,
                      const char *path, const struct options_listener *listener)
{
    char sentence[SENTENCE_BYTES] = "";
    const char *problem = NULL;
    json_error_t error = {.line = 0};
    json_t *options = NULL;

    /* a pipe in the file's place must not make us wait */
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0) {
        options = file_parse(file, &problem, &error);
        close(file);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        problem = strerror(errno);
    }

    /* named by its path: of all sources only files are looked for by hand */
    if (problem)
        snprintf(sentence, sizeof sentence, "%s: %s", path, problem);
    else if (file >= 0 && !options)
        snprintf(sentence, sizeof sentence, "%s:%d: %s", path, error.line, error.text);
    if (*sentence)
        listener->on_problem(listener->user, sentence);
    const bool is_changed = preferences_set(preferences, source, options);
    json_decref(options);
    return is_changed;
}

char *preferences_user_path(void)
{
    /* XDG Base Directory Specification: relative paths do not count */
    const char *configuration = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int bytes = -1;
    if (configuration && *configuration == '/')
        bytes = asprintf(&path, "%s/hxqd/config.json", configuration);
    else if (home && *home == '/')
        bytes = asprintf(&path, "%s/.config/hxqd/config.json", home);
    return bytes < 0 ? NULL : path;
}

/* --- what it comes to ------------------------------------------------------------------------------------------------- */

static void tell_once(void *user, const char *sentence)
{
    struct preferences *preferences = user;
    const struct options_listener *listener = preferences->listener;
    if (json_object_get(preferences->told, sentence) ||
        json_object_size(preferences->told) >= PROBLEMS_MAX)
        return;
    json_object_set_new(preferences->told, sentence, json_true());
    listener->on_problem(listener->user, sentence);
}

bool preferences_resolve(struct preferences *preferences, struct settings *settings,
                         const struct options_listener *listener)
{
    const struct options_listener once = {tell_once, preferences};
    struct settings resolved;
    if (!settings_copy(&resolved, &preferences->base))
        return false;

    preferences->listener = listener;
    for (int source = 0; source < PREFERENCES_SOURCES; source++)
        options_apply(&resolved, preferences->options[source], &sources[source], &once);
    for (int source = 0; source < PREFERENCES_SOURCES; source++)
        options_apply_languages(&resolved, preferences->options[source], &sources[source], &once);
    settings_finish(settings);
    *settings = resolved;
    return true;
}
