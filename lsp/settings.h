/* What the user chose: model, device, budgets.
 *
 * Filled in this order, later wins: defaults, the environment ($HXQD_MODEL), the command line, initializationOptions of the
 * client. A value of process lifetime owned by main; strings inside are owned by the settings.
 */
#ifndef LSP_SETTINGS_H
#define LSP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "infer/engine.h"

enum settings_log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct settings {
    char *model;       /* checkpoint directory; NULL: the embedded default model */
    char *draft_model; /* directory of a smaller checkpoint that drafts; NULL: none */
    enum engine_device device;
    int64_t gpu_memory_bytes; /* of a GPU's memory at most; 0: what is free */
    bool gpu_fallback;  /* what does not fit, or fails, gives way to a smaller context or the CPU */
    int threads;        /* 0: one per processor */
    int context_tokens; /* 0: the engine's default */
    int max_tokens;     /* limit of one completion */
    int candidates;     /* items answered to an invoked (not automatic) request */
    bool response_cache; /* completions are offered again, and continued, where they still fit */
    bool prefetch;       /* what follows an offered completion is written before it is asked for */
    bool debounce;       /* automatic requests wait for a pause in typing where that saves work */
    int budget_ms;       /* for writing the text of an automatic request; 0: none */
    float min_probability; /* that a text is right, for showing it unasked; 0: all are shown */
    int patience_ms; /* until an answer is one statement rather than all of the text; 0: for ever */
    int hover_deadline_ms; /* for the model's part of a hover; 0: syntax alone */
    bool exact;
    bool cross_file;  /* pieces of other files are shown to the model */
    int shown_tokens; /* of a prompt, for them */
    char *ignore; /* patterns of files never shown, one to a line as in a .gitignore; NULL: none */
    bool secret_files; /* completions also in files that hold secrets by their name */
    bool special;      /* literal special tokens in plain text input are special */
    bool json;         /* one JSON object on stdout */
    char *log_path;    /* NULL: stderr */
    enum settings_log_level log_level;
};

enum {
    SETTINGS_DEFAULT_MAX_TOKENS = 128,
    SETTINGS_DEFAULT_CANDIDATES = 3,
    SETTINGS_DEFAULT_SHOWN_TOKENS = 1024,
    SETTINGS_DEFAULT_BUDGET_MS = 1500,
    SETTINGS_DEFAULT_PATIENCE_MS = 300,
    SETTINGS_DEFAULT_HOVER_DEADLINE_MS = 1000,
};

/* Defaults and environment. */
bool settings_init(struct settings *settings);
void settings_finish(struct settings *settings);

/* Replaces an owned string by a copy; false when memory is exhausted. */
bool settings_set_string(char **field, const char *value);

/* Applies a client's initializationOptions: {"model", "device", "threads", "context", "maxTokens", "candidates", "exact",
 * "gpuMemory": "3.5G", "gpuFallback", "responseCache", "prefetch", "debounce", "patience", "timeBudget", "minProbability",
 * "context.crossFile", "context.budgetTokens", "context.ignore": [pattern...], "context.secretFiles"}.
 * Every unknown key or wrong value is skipped and reported through `on_problem` as one sentence. */
void settings_apply_json(struct settings *settings, const json_t *options,
                         void (*on_problem)(void *user, const char *sentence), void *user);

/* Memory such as "3.5G", "512M" or "4294967296", K, M, G counting in 1024s; false for anything else or less than 1M. */
bool settings_parse_memory(const char *text, int64_t *bytes);

/* "auto", "cpu", "cuda"; false for anything else. */
bool settings_parse_device(const char *text, enum engine_device *device);

/* The checkpoint directory to open: the user's, else the default model that was installed or built with this program. The
 * caller frees it; NULL with an error where neither exists. */
char *settings_model_path(const struct settings *settings, struct error *error);

#endif
