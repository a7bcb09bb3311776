/* Languages hang on the general settings as whole copies, so that readers need not know that there are two levels. */
#include "lsp/settings.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where completions of the evaluation set that are right begin to be left out (QUALITY.md). */
static const float default_min_probability = 0.05f;

static const int64_t MEMORY_LEAST_BYTES = INT64_C(1) << 20, MEMORY_MOST_BYTES = INT64_C(1) << 50;

bool settings_init(struct settings *settings)
{
    *settings = (struct settings){
        .enabled = true,
        .device = ENGINE_DEVICE_AUTO,
        .gpu_fallback = true,
        .max_tokens = SETTINGS_DEFAULT_MAX_TOKENS,
        .candidates = SETTINGS_DEFAULT_CANDIDATES,
        .cross_file = true,
        .shown_tokens = SETTINGS_DEFAULT_SHOWN_TOKENS,
        .response_cache = true,
        .prefetch = true,
        .debounce = true,
        .budget_ms = SETTINGS_DEFAULT_BUDGET_MS,
        .min_probability = default_min_probability,
        .patience_ms = SETTINGS_DEFAULT_PATIENCE_MS,
        .hover = true,
        .hover_deadline_ms = SETTINGS_DEFAULT_HOVER_DEADLINE_MS,
        .idle_seconds = SETTINGS_DEFAULT_IDLE_SECONDS,
        .log_level = LOG_LEVEL_INFO,
    };
    const char *model = getenv("HXQD_MODEL");
    return !model || !*model || settings_set_string(&settings->model, model);
}

void settings_finish(struct settings *settings)
{
    struct settings_language *language;
    while ((language = settings->languages)) {
        settings->languages = language->next;
        settings_finish(&language->settings);
        free(language->name);
        free(language);
    }
    free(settings->model);
    free(settings->draft_model);
    free(settings->log_path);
    free(settings->ignore);
    settings->model = settings->draft_model = settings->log_path = settings->ignore = NULL;
}

bool settings_copy(struct settings *to, const struct settings *from)
{
    *to = *from;
    to->model = to->draft_model = to->log_path = to->ignore = NULL;
    to->languages = NULL;
    bool is_whole = settings_set_string(&to->model, from->model) &&
                    settings_set_string(&to->draft_model, from->draft_model) &&
                    settings_set_string(&to->log_path, from->log_path) &&
                    settings_set_string(&to->ignore, from->ignore);

    struct settings_language **end = &to->languages;
    for (const struct settings_language *language = from->languages; language && is_whole;
         language = language->next) {
        struct settings_language *copy = calloc(1, sizeof *copy);
        *end = copy;
        is_whole = copy && settings_set_string(&copy->name, language->name) &&
                   settings_copy(&copy->settings, &language->settings);
        end = copy ? &copy->next : end;
    }
    if (!is_whole)
        settings_finish(to);
    return is_whole;
}

const struct settings *settings_for(const struct settings *settings, const char *language)
{
    for (const struct settings_language *own = settings->languages; own && language;
         own = own->next) {
        if (strcmp(own->name, language) == 0)
            return &own->settings;
    }
    return settings;
}

struct settings *settings_language(struct settings *settings, const char *language)
{
    struct settings_language **place = &settings->languages;
    int count = 0;
    for (; *place; place = &(*place)->next, count++) {
        if (strcmp((*place)->name, language) == 0)
            return &(*place)->settings;
    }
    if (count == SETTINGS_LANGUAGES_MAX)
        return NULL;

    /* it starts out as a copy of what holds in general, which has no languages yet as far as it is concerned */
    struct settings_language *made = calloc(1, sizeof *made);
    struct settings general = *settings;
    general.languages = NULL;
    if (!made || !settings_set_string(&made->name, language) ||
        !settings_copy(&made->settings, &general)) {
        free(made ? made->name : NULL);
        free(made);
        return NULL;
    }
    *place = made;
    return &made->settings;
}

bool settings_any_enabled(const struct settings *settings)
{
    bool is_enabled = settings->enabled;
    for (const struct settings_language *own = settings->languages; own; own = own->next)
        is_enabled |= own->settings.enabled;
    return is_enabled;
}

bool settings_set_string(char **field, const char *value)
{
    char *copy = value ? strdup(value) : NULL;
    if (value && !copy)
        return false;

    free(*field);
    *field = copy;
    return true;
}

static const char *const device_names[] = {
    [ENGINE_DEVICE_AUTO] = "auto", [ENGINE_DEVICE_CPU] = "cpu", [ENGINE_DEVICE_CUDA] = "cuda"};

bool settings_parse_device(const char *text, enum engine_device *device)
{
    for (size_t i = 0; i < sizeof device_names / sizeof *device_names; i++) {
        if (strcmp(text, device_names[i]) == 0) {
            *device = (enum engine_device)i;
            return true;
        }
    }
    return false;
}

const char *settings_device_name(enum engine_device device)
{
    return device_names[device];
}

bool settings_parse_memory(const char *text, int64_t *bytes)
{
    static const char units[] = "KMG";
    char *end;
    double number = strtod(text, &end);
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;

    if (end == text || (*end && (!unit || end[1])))
        return false;
    for (ptrdiff_t i = 0; unit && i <= unit - units; i++)
        number *= 1024.0;
    if (!(number >= (double)MEMORY_LEAST_BYTES && number <= (double)MEMORY_MOST_BYTES))
        return false;
    *bytes = (int64_t)number;
    return true;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

struct engine_options settings_engine_options(const struct settings *settings, const char *model)
{
    return (struct engine_options){
        .model = model,
        .draft_model = settings->draft_model,
        .device = settings->device,
        .threads = settings->threads,
        .context_tokens = settings->context_tokens,
        .gpu_memory_bytes = settings->gpu_memory_bytes,
        .no_fallback = !settings->gpu_fallback,
        .exact = settings->exact,
    };
}

char *settings_model_path(const struct settings *settings, struct error *error)
{
    if (settings->model) {
        char *copy = strdup(settings->model);
        if (!copy)
            error_set(error, ERROR_MEMORY, "no memory for the model's path");
        return copy;
    }

    /* where this program lies, without its own name */
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash)
        *slash = '\0';

    /* beside it in the build tree, in the data directory once installed */
    static const char *const places[] = {"default_model", DATA_FROM_PROGRAM "/hxqd/default_model"};
    for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", program, places[i]) < 0)
            path = NULL;
        if (path && is_directory(path))
            return path;
        free(path);
    }
    error_set(error, ERROR_INPUT, "the default model was not found near %s; name one with --model",
              slash ? program : "the program");
    return NULL;
}
