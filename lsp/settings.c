/* One table names what a client may set, with its limits, so that checking and reporting are written once. */
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

#include "lsp/candidates.h"

enum {
    THREADS_MAX = 1024,
    CONTEXT_TOKENS_MAX = 1024 * 1024,
    SHOWN_TOKENS_MAX = 16 * 1024,
    PATTERNS_MAX = 1024,
    COMPLETION_TOKENS_MAX = 4096,
    PATIENCE_MAX_MS = 60 * 1000,
    BUDGET_MAX_MS = 60 * 1000,
    OPTION_NAME_BYTES = 64, /* of an unknown option, to be shown */
    SENTENCE_BYTES = 256,
};

/* Where completions of the evaluation set that are right begin to be left out (QUALITY.md). */
static const float default_min_probability = 0.05f;

static const int64_t MEMORY_LEAST_BYTES = INT64_C(1) << 20, MEMORY_MOST_BYTES = INT64_C(1) << 50;

bool settings_init(struct settings *settings)
{
    *settings = (struct settings){
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
        .hover_deadline_ms = SETTINGS_DEFAULT_HOVER_DEADLINE_MS,
        .log_level = LOG_LEVEL_INFO,
    };
    const char *model = getenv("HXQD_MODEL");
    return !model || !*model || settings_set_string(&settings->model, model);
}

void settings_finish(struct settings *settings)
{
    free(settings->model);
    free(settings->draft_model);
    free(settings->log_path);
    free(settings->ignore);
    settings->model = settings->draft_model = settings->log_path = settings->ignore = NULL;
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

bool settings_parse_device(const char *text, enum engine_device *device)
{
    static const char *const names[] = {
        [ENGINE_DEVICE_AUTO] = "auto", [ENGINE_DEVICE_CPU] = "cpu", [ENGINE_DEVICE_CUDA] = "cuda"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *device = (enum engine_device)i;
            return true;
        }
    }
    return false;
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

/* An option with a number; `member` is where it goes. */
struct number_option {
    const char *name;
    size_t member;
    int least, most;
};

static const struct number_option number_options[] = {
    {"candidates", offsetof(struct settings, candidates), 1, CANDIDATES_MAX},
    {"context", offsetof(struct settings, context_tokens), 0, CONTEXT_TOKENS_MAX},
    {"context.budgetTokens", offsetof(struct settings, shown_tokens), 0, SHOWN_TOKENS_MAX},
    {"hoverDeadline", offsetof(struct settings, hover_deadline_ms), 0, PATIENCE_MAX_MS},
    {"maxTokens", offsetof(struct settings, max_tokens), 1, COMPLETION_TOKENS_MAX},
    {"patience", offsetof(struct settings, patience_ms), 0, PATIENCE_MAX_MS},
    {"threads", offsetof(struct settings, threads), 0, THREADS_MAX},
    {"timeBudget", offsetof(struct settings, budget_ms), 0, BUDGET_MAX_MS},
};

static const struct number_option *number_option_find(const char *name)
{
    for (size_t i = 0; i < sizeof number_options / sizeof *number_options; i++) {
        if (strcmp(name, number_options[i].name) == 0)
            return &number_options[i];
    }
    return NULL;
}

/* An option that is true or false. */
struct flag_option {
    const char *name;
    size_t member;
};

static const struct flag_option flag_options[] = {
    {"context.crossFile", offsetof(struct settings, cross_file)},
    {"context.secretFiles", offsetof(struct settings, secret_files)},
    {"debounce", offsetof(struct settings, debounce)},
    {"exact", offsetof(struct settings, exact)},
    {"gpuFallback", offsetof(struct settings, gpu_fallback)},
    {"prefetch", offsetof(struct settings, prefetch)},
    {"responseCache", offsetof(struct settings, response_cache)},
};

/* Where a flag is kept; NULL for what is none. */
static bool *flag_find(struct settings *settings, const char *name)
{
    for (size_t i = 0; i < sizeof flag_options / sizeof *flag_options; i++) {
        if (strcmp(name, flag_options[i].name) == 0)
            return (bool *)((char *)settings + flag_options[i].member);
    }
    return NULL;
}

/* Takes a list of patterns, each of one line. */
static bool patterns_apply(struct settings *settings, const json_t *list)
{
    size_t bytes = 1, count = json_array_size(list);
    for (size_t i = 0; i < count; i++) {
        const char *pattern = json_string_value(json_array_get(list, i));
        if (!pattern || strchr(pattern, '\n'))
            return false;
        bytes += strlen(pattern) + 1;
    }
    char *patterns = json_is_array(list) && count <= PATTERNS_MAX ? calloc(1, bytes) : NULL;
    if (!patterns)
        return false;

    char *end = patterns;
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, "%s\n", json_string_value(json_array_get(list, i)));
    free(settings->ignore);
    settings->ignore = patterns;
    return true;
}

/* Applies one option; otherwise says in `sentence` what was wrong with it. */
static bool option_apply(struct settings *settings, const char *name, const json_t *value,
                         char sentence[SENTENCE_BYTES])
{
    const struct number_option *number = number_option_find(name);
    bool *flag = flag_find(settings, name);
    if (number) {
        json_int_t wanted = json_integer_value(value);
        if (json_is_integer(value) && wanted >= number->least && wanted <= number->most) {
            *(int *)((char *)settings + number->member) = (int)wanted;
            return true;
        }
        snprintf(sentence, SENTENCE_BYTES, "option \"%s\" must be a whole number from %d to %d",
                 name, number->least, number->most);
    } else if (strcmp(name, "minProbability") == 0) {
        double wanted = json_number_value(value);
        if (json_is_number(value) && wanted >= 0.0 && wanted <= 1.0) {
            settings->min_probability = (float)wanted;
            return true;
        }
        snprintf(sentence, SENTENCE_BYTES,
                 "option \"minProbability\" must be a number from 0 to 1");
    } else if (strcmp(name, "model") == 0) {
        const char *model = json_string_value(value);
        if (model && *model && settings_set_string(&settings->model, model))
            return true;
        snprintf(sentence, SENTENCE_BYTES, "option \"model\" must be the path of a checkpoint");
    } else if (strcmp(name, "device") == 0) {
        const char *device = json_string_value(value);
        if (device && settings_parse_device(device, &settings->device))
            return true;
        snprintf(sentence, SENTENCE_BYTES, "option \"device\" must be auto, cpu or cuda");
    } else if (strcmp(name, "gpuMemory") == 0) {
        const char *memory = json_string_value(value);
        if (memory && settings_parse_memory(memory, &settings->gpu_memory_bytes))
            return true;
        snprintf(sentence, SENTENCE_BYTES, "option \"gpuMemory\" must be a size such as \"3.5G\"");
    } else if (strcmp(name, "context.ignore") == 0) {
        if (patterns_apply(settings, value))
            return true;
        snprintf(sentence, SENTENCE_BYTES,
                 "option \"context.ignore\" must be a list of at most %d patterns", PATTERNS_MAX);
    } else if (flag) {
        if (json_is_boolean(value)) {
            *flag = json_is_true(value);
            return true;
        }
        snprintf(sentence, SENTENCE_BYTES, "option \"%s\" must be true or false", name);
    } else {
        /* never half a code point: the sentence goes to the editor */
        bool is_short = strlen(name) <= OPTION_NAME_BYTES;
        snprintf(sentence, SENTENCE_BYTES, "unknown option \"%s\"", is_short ? name : "...");
    }
    return false;
}

void settings_apply_json(struct settings *settings, const json_t *options,
                         void (*on_problem)(void *user, const char *sentence), void *user)
{
    if (!options || json_is_null(options))
        return;
    if (!json_is_object(options)) {
        on_problem(user, "initializationOptions must be an object");
        return;
    }

    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)options, name, value)
    {
        /* null is how editors write "not set" */
        char sentence[SENTENCE_BYTES];
        if (!json_is_null(value) && !option_apply(settings, name, value, sentence))
            on_problem(user, sentence);
    }
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
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
