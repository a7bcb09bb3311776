/* Every option has a kind, and of every kind is known how a value is taken, what would have been right, and how the default is
 * shown. The rest is walking through objects. */
#include "lsp/options.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/candidates.h"

enum {
    THREADS_MAX = 1024,
    CONTEXT_TOKENS_MAX = 1024 * 1024,
    SHOWN_TOKENS_MAX = 16 * 1024,
    PATTERNS_MAX = 1024,
    COMPLETION_TOKENS_MAX = 4096,
    MILLISECONDS_MAX = 60 * 1000,
    IDLE_SECONDS_MAX = 7 * 24 * 60 * 60,
    NAME_BYTES = 64, /* of an option or language, to be shown */
    SENTENCE_BYTES = 384,
};

enum kind { NUMBER, FLAG, SHARE, PATH, DEVICE, MEMORY, PATTERNS };

/* Traits: whether languages may differ, the model is loaded anew, workspaces may not set it. */
enum { LANGUAGE = 1, RELOAD = 2, OWN = 4 };

struct option {
    const char *name;
    enum kind kind;
    size_t member;
    unsigned traits;
    int least, most; /* of a NUMBER */
    const char *meaning;
};

#define IN(field) offsetof(struct settings, field)

/* By name. */
/* clang-format off */
static const struct option table[] = {
    {"candidates", NUMBER, IN(candidates), LANGUAGE, 1, CANDIDATES_MAX,
     "texts to choose from, when completions are asked for by hand"},
    {"context", NUMBER, IN(context_tokens), RELOAD, 0, CONTEXT_TOKENS_MAX,
     "tokens of the context window; 0: the model's, at most 4096. Also `context.tokens`"},
    {"context.budgetTokens", NUMBER, IN(shown_tokens), LANGUAGE, 0, SHOWN_TOKENS_MAX,
     "tokens of a prompt for pieces of other files"},
    {"context.crossFile", FLAG, IN(cross_file), LANGUAGE, 0, 0,
     "pieces of other files are shown to the model"},
    {"context.ignore", PATTERNS, IN(ignore), 0, 0, 0,
     "files that are never shown, as in a `.gitignore`; the lists of all sources add up"},
    {"context.secretFiles", FLAG, IN(secret_files), OWN, 0, 0,
     "completions also in files that hold secrets by their name, such as `.env`"},
    {"debounce", FLAG, IN(debounce), LANGUAGE, 0, 0,
     "automatic requests wait for a pause in typing where that saves work"},
    {"device", DEVICE, IN(device), RELOAD, 0, 0,
     "where the model computes; `auto`: on a GPU where one can be used"},
    {"draftModel", PATH, IN(draft_model), RELOAD | OWN, 0, 0,
     "a smaller checkpoint that guesses ahead; never changes what is written"},
    {"enabled", FLAG, IN(enabled), LANGUAGE, 0, 0,
     "off: no request is worked on, and where nothing is on no model is loaded"},
    {"exact", FLAG, IN(exact), RELOAD, 0, 0, "nothing is rounded below float32"},
    {"gpuFallback", FLAG, IN(gpu_fallback), RELOAD, 0, 0,
     "what does not fit a GPU, or fails there, goes on with a smaller context or on the CPU; off: you are asked"},
    {"gpuMemory", MEMORY, IN(gpu_memory_bytes), RELOAD, 0, 0,
     "of a GPU's memory at most; without it: what is free"},
    {"hover", FLAG, IN(hover), LANGUAGE, 0, 0, "hovers are answered"},
    {"hoverDeadline", NUMBER, IN(hover_deadline_ms), LANGUAGE, 0, MILLISECONDS_MAX,
     "milliseconds a hover that does not grow waits for the model's words; 0: syntax alone"},
    {"idleRelease", NUMBER, IN(idle_seconds), 0, 0, IDLE_SECONDS_MAX,
     "seconds without requests until the model's memory is released; the next request loads it again; 0: never"},
    {"maxTokens", NUMBER, IN(max_tokens), LANGUAGE, 1, COMPLETION_TOKENS_MAX, "tokens of a completion at most"},
    {"minProbability", SHARE, IN(min_probability), LANGUAGE, 0, 0,
     "that a text is right, for showing it without being asked"},
    {"model", PATH, IN(model), RELOAD | OWN, 0, 0, "a checkpoint; without it: the embedded model"},
    {"patience", NUMBER, IN(patience_ms), LANGUAGE, 0, MILLISECONDS_MAX,
     "milliseconds until an answer is one statement rather than all of the text; 0: for ever"},
    {"prefetch", FLAG, IN(prefetch), LANGUAGE, 0, 0,
     "what follows an offered completion is written before it is asked for"},
    {"responseCache", FLAG, IN(response_cache), LANGUAGE, 0, 0,
     "completions are offered again, and continued, where they still fit"},
    {"threads", NUMBER, IN(threads), RELOAD, 0, THREADS_MAX, "of the CPU; 0: one per processor"},
    {"timeBudget", NUMBER, IN(budget_ms), LANGUAGE, 0, MILLISECONDS_MAX,
     "milliseconds for an automatic request, the reading of the prompt included; 0: none"},
};
/* clang-format on */

enum { OPTIONS = sizeof table / sizeof *table };
_Static_assert(OPTIONS <= 64, "settings.given has a bit for each option");

static const struct option *option_find(const char *name)
{
    /* the window and what fills it cannot both be "context" where objects are nested */
    const char *wanted = strcmp(name, "context.tokens") == 0 ? "context" : name;
    for (size_t i = 0; i < OPTIONS; i++) {
        if (strcmp(wanted, table[i].name) == 0)
            return &table[i];
    }
    return NULL;
}

/* --- values ----------------------------------------------------------------------------------------------------------- */

/* Adds a list of patterns, each of one line, to those that there are. */
static bool patterns_add(char **patterns, const json_t *list)
{
    const char *before = *patterns ? *patterns : "";
    size_t bytes = strlen(before) + 1, count = json_array_size(list);
    if (!json_is_array(list) || count > PATTERNS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *pattern = json_string_value(json_array_get(list, i));
        if (!pattern || strchr(pattern, '\n'))
            return false;
        bytes += strlen(pattern) + 1;
    }
    char *all = malloc(bytes);
    if (!all)
        return false;

    char *end = stpcpy(all, before);
    for (size_t i = 0; i < count; i++)
        end = stpcpy(stpcpy(end, json_string_value(json_array_get(list, i))), "\n");
    free(*patterns);
    *patterns = all;
    return true;
}

static bool number_take(const struct option *option, int *member, const json_t *value)
{
    const json_int_t wanted = json_integer_value(value);
    if (!json_is_integer(value) || wanted < option->least || wanted > option->most)
        return false;
    *member = (int)wanted;
    return true;
}

static bool share_take(float *member, const json_t *value)
{
    const double wanted = json_number_value(value);
    if (!json_is_number(value) || !(wanted >= 0.0 && wanted <= 1.0))
        return false;
    *member = (float)wanted;
    return true;
}

/* Takes a value of the option's kind; false where it is none. */
static bool option_take(const struct option *option, struct settings *settings, const json_t *value)
{
    void *member = (char *)settings + option->member;
    const char *text = json_string_value(value);
    switch (option->kind) {
    case NUMBER:
        return number_take(option, member, value);
    case FLAG:
        *(bool *)member = json_is_boolean(value) ? json_is_true(value) : *(bool *)member;
        return json_is_boolean(value);
    case SHARE:
        return share_take(member, value);
    case PATH:
        return text && *text && settings_set_string(member, text);
    case DEVICE:
        return text && settings_parse_device(text, member);
    case MEMORY:
        return text && settings_parse_memory(text, member);
    case PATTERNS:
        return patterns_add(member, value);
    }
    return false;
}

/* What a value must be, for messages and the documentation. */
static void option_domain(const struct option *option, char *text, size_t capacity)
{
    static const char *const words[] = {
        [FLAG] = "true or false",
        [SHARE] = "a number from 0 to 1",
        [PATH] = "the path of a checkpoint",
        [DEVICE] = "auto, cpu or cuda",
        [MEMORY] = "a size such as \"3.5G\"",
        [PATTERNS] = "a list of patterns",
    };
    if (option->kind == NUMBER)
        snprintf(text, capacity, "a whole number from %d to %d", option->least, option->most);
    else
        snprintf(text, capacity, "%s", words[option->kind]);
}

static void option_default(const struct option *option, const struct settings *settings, FILE *out)
{
    const void *member = (const char *)settings + option->member;
    switch (option->kind) {
    case NUMBER:
        fprintf(out, "%d", *(const int *)member);
        break;
    case FLAG:
        fputs(*(const bool *)member ? "true" : "false", out);
        break;
    case SHARE:
        fprintf(out, "%g", (double)*(const float *)member);
        break;
    case DEVICE:
        fputs(settings_device_name(*(const enum engine_device *)member), out);
        break;
    case PATH:
    case MEMORY:
    case PATTERNS:
        fputs("none", out);
        break;
    }
}

/* --- objects ---------------------------------------------------------------------------------------------------------- */

/* One walk through an object of options. */
struct walk {
    struct settings *settings;
    const struct options_source *source;
    const struct options_listener *listener;
    const char *language; /* NULL: what holds in general */
};

__attribute__((format(printf, 2, 3))) static void complain(const struct walk *walk,
                                                           const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    int bytes = snprintf(sentence, sizeof sentence, "%s: ", walk->source->name);
    if (walk->language)
        bytes +=
            snprintf(sentence + bytes, sizeof sentence - (size_t)bytes, "%s: ", walk->language);

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence + bytes, sizeof sentence - (size_t)bytes, format, arguments);
    va_end(arguments);
    walk->listener->on_problem(walk->listener->user, sentence);
}

/* A name as messages show it, never half a code point: the sentence goes to the editor. */
static const char *shown(const char *name)
{
    return strlen(name) <= NAME_BYTES ? name : "...";
}

static void option_apply(const struct walk *walk, const char *name, const json_t *value)
{
    const struct option *option = option_find(name);
    char domain[SENTENCE_BYTES / 2];
    if (!option) {
        complain(walk, "unknown option \"%s\"", shown(name));
        return;
    }
    const bool is_given = walk->settings->given >> (option - table) & 1;
    if (walk->source->is_workspace && option->traits & OWN)
        complain(walk, "a workspace may not set \"%s\"; do so in your own file or in the editor",
                 option->name);
    else if (walk->language && !(option->traits & LANGUAGE))
        complain(walk, "option \"%s\" cannot differ by language", option->name);
    else if (!(is_given && walk->source->gives_way) &&
             !option_take(option, walk->settings, value)) {
        option_domain(option, domain, sizeof domain);
        complain(walk, "option \"%s\" must be %s", option->name, domain);
    }
}

/* What editors keep beside our options, and send along. */
static bool is_for_plugins(const char *name)
{
    static const char *const names[] = {"editor", "trace"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t bytes = strlen(names[i]);
        if (strncmp(name, names[i], bytes) == 0 && (name[bytes] == '\0' || name[bytes] == '.'))
            return true;
    }
    return false;
}

/* Two levels are all there are: what is nested deeper is unknown. */
static void options_walk(const struct walk *walk, const json_t *options)
{
    const char *name, *inner;
    json_t *value, *nested;
    char path[2 * NAME_BYTES + 2];
    json_object_foreach((json_t *)(uintptr_t)options, name, value)
    {
        /* null is how editors write "not set"; what is for plugins stands under names of their own */
        if (json_is_null(value) || is_for_plugins(name) ||
            (strcmp(name, "languages") == 0 && !walk->language))
            continue;
        if (!json_is_object(value)) {
            option_apply(walk, name, value);
            continue;
        }
        json_object_foreach(value, inner, nested)
        {
            snprintf(path, sizeof path, "%s.%s", shown(name), shown(inner));
            if (!json_is_null(nested))
                option_apply(walk, path, nested);
        }
    }
}

void options_apply(struct settings *settings, const json_t *options,
                   const struct options_source *source, const struct options_listener *listener)
{
    const struct walk walk = {settings, source, listener, NULL};
    if (!options || json_is_null(options))
        return;
    if (json_is_object(options))
        options_walk(&walk, options);
    else
        complain(&walk, "options must be an object");
}

void options_apply_languages(struct settings *settings, const json_t *options,
                             const struct options_source *source,
                             const struct options_listener *listener)
{
    const struct walk general = {settings, source, listener, NULL};
    json_t *languages = json_object_get(options, "languages");
    const char *name;
    json_t *own;
    if (languages && !json_is_object(languages) && !json_is_null(languages))
        complain(&general, "option \"languages\" must be an object with languages' names");
    json_object_foreach(languages, name, own)
    {
        struct settings *differing =
            json_is_object(own) && *name ? settings_language(settings, name) : NULL;
        const struct walk walk = {differing, source, listener, shown(name)};
        if (differing)
            options_walk(&walk, own);
        else if (!json_is_null(own))
            complain(&general, "option \"languages\": \"%s\" must be an object of options",
                     shown(name));
    }
}

void options_give(struct settings *settings, const void *member)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if ((const char *)settings + table[i].member == member)
            settings->given |= UINT64_C(1) << i;
    }
}

void options_document(const struct settings *defaults, FILE *out)
{
    char domain[SENTENCE_BYTES / 2];
    fputs("| option | value | default | | meaning |\n|-|-|-|-|-|\n", out);
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &table[i];
        option_domain(option, domain, sizeof domain);
        fprintf(out, "| `%s` | %s | ", option->name, domain);
        option_default(option, defaults, out);
        fprintf(out, " | %s%s%s | %s |\n", option->traits & LANGUAGE ? "L" : "",
                option->traits & RELOAD ? "R" : "", option->traits & OWN ? "U" : "",
                option->meaning);
    }
}
