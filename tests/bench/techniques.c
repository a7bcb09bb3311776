/* What single techniques of completion are worth: figures of lsp/QUALITY.md.
 *
 *     techniques [FIRST EVERY]
 *
 * The gaps are those of tests/fixtures/eval (quality.c says more): all, or every EVERY-th from the FIRST on. One technique at
 * a time is switched off, from outside: the linker puts a switch before the functions that it stands on (--wrap), or the
 * context is changed before it is used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/overlap.h"
#include "lsp/completion/recall.h"
#include "lsp/completion/trim.h"
#include "tests/bench/measure.h"

#undef NDEBUG
#include <assert.h>

enum { MAX_TOKENS = 64 };

/* What differs from the daemon. */
enum change {
    CHANGE_NOTHING,
    CHANGE_NO_OVERLAP, /* what stands behind the cursor is not recognized in the text */
    CHANGE_NO_STOP,    /* texts are written to their last token, and trimmed then */
    CHANGE_LINES,      /* one line, whatever the tree says */
    CHANGE_BLOCKS,     /* several lines, likewise */
    CHANGE_RECALL,     /* with it: what was written is offered again while it is typed */
    CHANGES
};

static const char *const change_names[] = {
    "all of it",
    "without trimming what stands behind the cursor",
    "without stopping",
    "single lines only",
    "several lines always",
    "offered again while typed",
};

static enum change change;

static const float least_probability = 0.05f; /* of what is offered again, as by default */

/* --- switches --------------------------------------------------------------------------------------------------------- */

size_t __real_overlap_rest(const struct context *context, const char *text, size_t bytes);
size_t __real_overlap_rest_end(const struct context *context, const char *text, size_t bytes,
                               size_t at);
size_t __real_overlap_lines(const struct context *context, const char *text, size_t bytes);
size_t __real_overlap_tail(const struct context *context, const char *text, size_t bytes);
bool __real_trim_is_complete(const struct context *context, const char *text, size_t bytes);
size_t __wrap_overlap_rest(const struct context *context, const char *text, size_t bytes);
size_t __wrap_overlap_rest_end(const struct context *context, const char *text, size_t bytes,
                               size_t at);
size_t __wrap_overlap_lines(const struct context *context, const char *text, size_t bytes);
size_t __wrap_overlap_tail(const struct context *context, const char *text, size_t bytes);
bool __wrap_trim_is_complete(const struct context *context, const char *text, size_t bytes);

size_t __wrap_overlap_rest(const struct context *context, const char *text, size_t bytes)
{
    return change == CHANGE_NO_OVERLAP ? bytes : __real_overlap_rest(context, text, bytes);
}

size_t __wrap_overlap_rest_end(const struct context *context, const char *text, size_t bytes,
                               size_t at)
{
    return change == CHANGE_NO_OVERLAP ? 0 : __real_overlap_rest_end(context, text, bytes, at);
}

size_t __wrap_overlap_lines(const struct context *context, const char *text, size_t bytes)
{
    return change == CHANGE_NO_OVERLAP ? bytes : __real_overlap_lines(context, text, bytes);
}

size_t __wrap_overlap_tail(const struct context *context, const char *text, size_t bytes)
{
    return change == CHANGE_NO_OVERLAP ? bytes : __real_overlap_tail(context, text, bytes);
}

bool __wrap_trim_is_complete(const struct context *context, const char *text, size_t bytes)
{
    return change != CHANGE_NO_STOP && __real_trim_is_complete(context, text, bytes);
}

/* --- completing ------------------------------------------------------------------------------------------------------- */

struct techniques {
    struct engine *engine;
    struct recall *recall;
    int first, every;    /* problems that are measured */
    bool is_blank_known; /* that nothing but white space stands on the cursor's line */
    bool is_entry_known; /* which entry of a popup is selected: the whole word at the cursor */
    struct score scores[CHANGES], blank[2], entry[2];
    struct typing typings[CHANGES];
};

static void make_context(struct context *context, const struct techniques *techniques,
                         const struct gap *gap, int typed)
{
    struct syntax *syntax = syntax_create(gap->language);
    size_t cursor;
    char *text = measure_document(gap, typed, &cursor);

    assert(syntax && syntax_parse(syntax, text, strlen(text)) &&
           context_init(context, gap->language, syntax, text, strlen(text), cursor));
    if (change == CHANGE_LINES || change == CHANGE_BLOCKS)
        context->extent = change == CHANGE_LINES ? SCOPE_LINE : SCOPE_BLOCK;
    if (!techniques->is_blank_known) {
        context->is_blank_line = false;
        context->blank_bytes = 0;
    }
    syntax_destroy(syntax);
    free(text);
}

static void generate(const struct techniques *techniques, const struct context *context,
                     struct candidates *candidates)
{
    const struct candidates_request request = {.wanted = 1, .max_tokens = MAX_TOKENS};
    struct error error = {0};

    if (!candidates_generate(candidates, techniques->engine, context, &request, &error)) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
}

/* What is offered again; false where nothing is known of the place. */
static bool recall_take(const struct techniques *techniques, const struct context *context,
                        struct candidates *candidates)
{
    static struct place_cursor cursor;
    struct recall_answer answer;

    struct graft *graft = graft_create(context);
    const struct recall_terms terms = {least_probability, graft};

    place_cursor_init(&cursor, "", context);
    const bool is_known = recall_find(techniques->recall, &cursor, 1, &terms, &answer);
    graft_destroy(graft);
    if (!is_known)
        return false;
    *candidates = (struct candidates){.count = answer.count > 0};
    if (answer.count > 0) {
        candidates->texts[0] = strndup(answer.texts[0].text, answer.texts[0].bytes);
        candidates->facts[0] =
            (struct candidate){.replaced_bytes = answer.texts[0].replaced_bytes, .confidence = 1};
    }
    return true;
}

static void complete(void *user, const struct gap *gap, int typed, struct candidates *candidates)
{
    const struct techniques *techniques = user;
    struct context context;

    make_context(&context, techniques, gap, typed);
    if (change != CHANGE_RECALL) {
        generate(techniques, &context, candidates);
    } else if (!recall_take(techniques, &context, candidates)) {
        struct candidates written;
        struct place place;
        generate(techniques, &context, &written);
        const struct candidates counts = written;
        place_init(&place, "", &context);
        recall_store(techniques->recall, &place, &written, 1, false);
        assert(recall_take(techniques, &context, candidates));
        candidates->prompt_tokens = counts.prompt_tokens;
        candidates->reused_tokens = counts.reused_tokens;
        candidates->completion_tokens = counts.completion_tokens;
    }
    context_finish(&context);
}

/* With the selected entry known, the text begins with what it lacks; else a text that does not is not shown, as in VS Code, and
 * one that says no more is nothing new. */
static void complete_entry(void *user, const struct gap *gap, int typed,
                           struct candidates *candidates)
{
    const struct techniques *techniques = user;
    const char *rest = gap->middle + typed;
    const int lacking = (int)strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

    complete(user, gap, typed + (techniques->is_entry_known ? lacking : 0), candidates);
    for (size_t i = 0; i < candidates->count; i++) {
        char *whole = NULL;
        if (techniques->is_entry_known)
            assert(asprintf(&whole, "%.*s%s", lacking, rest, candidates->texts[i]) >= 0);
        else
            whole = strdup(strncmp(candidates->texts[i], rest, (size_t)lacking) == 0 &&
                                   strlen(candidates->texts[i]) > (size_t)lacking
                               ? candidates->texts[i]
                               : "");
        free(candidates->texts[i]);
        candidates->texts[i] = whole;
    }
}

/* --- measuring -------------------------------------------------------------------------------------------------------- */

/* The whole line is written from its first column on, where its indentation is still lacking. */
static void measure_blank(struct techniques *techniques, const struct gap *gap)
{
    const char *newline = strrchr(gap->prefix, '\n');
    char *prefix = newline ? strndup(gap->prefix, (size_t)(newline + 1 - gap->prefix)) : NULL;
    char *middle = NULL;

    if (prefix && (newline[1] == ' ' || newline[1] == '\t')) {
        assert(asprintf(&middle, "%s%s", newline + 1, gap->middle) >= 0);
        const struct gap line = {gap->language, prefix, middle, gap->suffix};
        const struct way way = {complete, NULL, techniques};
        for (int known = 0; known < 2; known++) {
            techniques->is_blank_known = known;
            measure_score(&way, &line, 0, &techniques->blank[known]);
        }
    }
    techniques->is_blank_known = true;
    free(prefix);
    free(middle);
}

static void measure_entry(struct techniques *techniques, const struct gap *gap)
{
    const int typed = measure_find_place(gap->middle, MEASURE_WORD);
    const struct way way = {complete_entry, NULL, techniques};

    for (int known = 0; typed >= 0 && known < 2; known++) {
        techniques->is_entry_known = known;
        measure_score(&way, gap, typed, &techniques->entry[known]);
    }
}

static void on_gap(void *user, int number, const struct gap *gap)
{
    struct techniques *techniques = user;
    const struct way way = {complete, NULL, techniques};

    if (number % techniques->every != techniques->first)
        return;
    for (change = 0; change < CHANGES; change++) {
        for (enum measure_place place = 0; place < MEASURE_PLACES; place++) {
            const int typed = measure_find_place(gap->middle, place);
            if (typed >= 0)
                measure_score(&way, gap, typed, &techniques->scores[change]);
        }
        recall_clear(techniques->recall);
        measure_typing(&way, gap, &techniques->typings[change]);
    }
    change = CHANGE_NOTHING;
    measure_blank(techniques, gap);
    measure_entry(techniques, gap);
}

int main(int argc, char **argv)
{
    static const char *const blank_names[] = {"indentation left to the model", "re-indented"};
    static const char *const entry_names[] = {"popup's entry not known", "popup's entry honoured"};
    struct error error = {0};
    struct techniques techniques = {
        .engine = engine_open(&(struct engine_options){.model = "infer/default_model"}, &error),
        .recall = recall_create(),
        .is_blank_known = true,
        .first = argc > 2 ? atoi(argv[1]) : 0,
        .every = argc > 2 ? atoi(argv[2]) : 1,
    };

    assert(techniques.every > 0);
    assert(techniques.engine && techniques.recall);
    measure_gaps(MEASURE_GAPS, on_gap, &techniques);
    printf("| all places | asked | shown | exact | right | sound |\n|-|-|-|-|-|-|\n");
    for (int i = 0; i < CHANGES; i++)
        measure_print_score(change_names[i], &techniques.scores[i]);
    for (int known = 0; known < 2; known++)
        measure_print_score(blank_names[known], &techniques.blank[known]);
    for (int known = 0; known < 2; known++)
        measure_print_score(entry_names[known], &techniques.entry[known]);
    printf("\n| typed | characters | keystrokes | saved | shown | accepted | reused | written |\n"
           "|-|-|-|-|-|-|-|-|\n");
    for (int i = 0; i < CHANGES; i++)
        measure_print_typing(change_names[i], &techniques.typings[i]);
    recall_destroy(techniques.recall);
    engine_close(techniques.engine);
    return 0;
}
