/* What the user chose: model, device, budgets.
 *
 * A plain value with its defaults; strings inside are its own. What holds for one language only is a value of its own inside
 * the general one. Which source may set what stands in options.h, which source wins in preferences.h.
 */
#ifndef LSP_SETTINGS_H
#define LSP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/engine.h"

enum settings_log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct settings {
    bool enabled;      /* anything is answered at all */
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
    int budget_ms;       /* for an automatic request, the reading of the prompt included; 0: none */
    float min_probability; /* that a text is right, for showing it unasked; 0: all are shown */
    int patience_ms; /* until an answer is one statement rather than all of the text; 0: for ever */
    bool hover;      /* hovers are answered */
    int hover_deadline_ms; /* for the model's part of a hover; 0: syntax alone */
    int idle_seconds;      /* without requests, until the model's memory is released; 0: never */
    bool exact;
    bool cross_file;  /* pieces of other files are shown to the model */
    int shown_tokens; /* of a prompt, for them */
    char *ignore; /* patterns of files never shown, one to a line as in a .gitignore; NULL: none */
    bool secret_files; /* completions also in files that hold secrets by their name */
    bool special;      /* literal special tokens in plain text input are special */
    bool json;         /* one JSON object on stdout */
    char *log_path;    /* NULL: stderr */
    enum settings_log_level log_level;

    uint64_t
        given; /* options of options.h that the command line or the environment set, a bit each */
    struct settings_language *languages; /* where they differ; NULL: nowhere */
};

/* What holds for documents of one language, as the protocol names it ("python"). */
struct settings_language {
    char *name;
    struct settings settings; /* whole, without languages of its own */
    struct settings_language *next;
};

enum {
    SETTINGS_DEFAULT_MAX_TOKENS = 128,
    SETTINGS_DEFAULT_CANDIDATES = 3,
    SETTINGS_DEFAULT_SHOWN_TOKENS = 1024,
    SETTINGS_DEFAULT_BUDGET_MS = 1500,
    SETTINGS_DEFAULT_PATIENCE_MS = 300,
    SETTINGS_DEFAULT_HOVER_DEADLINE_MS = 300,
    SETTINGS_DEFAULT_IDLE_SECONDS = 600,
    SETTINGS_LANGUAGES_MAX = 256,
};

/* Defaults and environment. */
bool settings_init(struct settings *settings);
void settings_finish(struct settings *settings);

/* Replaces an owned string by a copy; false when memory is exhausted. */
bool settings_set_string(char **field, const char *value);

/* An independent copy; false when memory is exhausted, and then nothing is left to finish. */
bool settings_copy(struct settings *to, const struct settings *from);

/* What holds for a language, or in general for NULL and languages that do not differ. Valid as long as the settings. */
const struct settings *settings_for(const struct settings *settings, const char *language);

/* The same to be changed, made when it is needed first; NULL when memory is exhausted or there are too many. */
struct settings *settings_language(struct settings *settings, const char *language);

/* Whether anything is answered in any language. */
bool settings_any_enabled(const struct settings *settings);

/* Memory such as "3.5G", "512M" or "4294967296", K, M, G counting in 1024s; false for anything else or less than 1M. */
bool settings_parse_memory(const char *text, int64_t *bytes);

/* "auto", "cpu", "cuda"; false for anything else. */
bool settings_parse_device(const char *text, enum engine_device *device);
const char *settings_device_name(enum engine_device device);

/* What an engine is opened with for the checkpoint at `model`; borrows it and the settings' strings. */
struct engine_options settings_engine_options(const struct settings *settings, const char *model);

/* The checkpoint directory to open: the user's, else the default model that was installed or built with this program. The
 * caller frees it; NULL with an error where neither exists. */
char *settings_model_path(const struct settings *settings, struct error *error);

#endif
