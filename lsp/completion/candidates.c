/* One text is one run of the engine: it is watched while it is written, so that it stops early, and takes its place in the list
 * when it is there. */
#include "lsp/completion/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/completion/attempt.h"
#include "lsp/completion/chance.h"
#include "lsp/completion/graft.h"

/* How alternatives are drawn: warm enough to differ, cool enough to compile. */
static const float alternative_temperature = 0.6f;
static const float alternative_top_p = 0.95f;

/* The length of a text's first line with more than white space. */
static size_t first_line_bytes(const char *text)
{
    text += strspn(text, "\n");
    return strcspn(text, "\n");
}

/* What the engine's callbacks know of the run. */
struct listener {
    struct candidates *candidates; /* where the prompt is kept */
    struct attempt attempt;
    const struct engine_result *result; /* so far */
    struct relay *relay;                /* NULL for alternatives */
    float min_probability;              /* for being relayed */
};

/* Whether the first line is probable enough as far as it has been written. */
static bool is_probable_so_far(const struct listener *listener, const char *text)
{
    size_t blank = strspn(text, " \t\n"), line = strcspn(text + blank, "\n");

    return chance_right(chance_confidence(listener->result, blank + line), line) >=
           listener->min_probability;
}

static bool on_text(void *user, const char *text, size_t bytes)
{
    struct listener *listener = user;

    if (listener->relay && is_probable_so_far(listener, text))
        relay_push(listener->relay, text, bytes);
    return attempt_goes_on(&listener->attempt, text, bytes);
}

/* Of the first run: others have the same prompt, all of it known by then. */
static void on_prompt(void *user, const char *text, size_t bytes,
                      const struct prompt_counts *counts)
{
    given_keep(&((const struct listener *)user)->candidates->given, text, bytes, counts);
}

/* Whether a candidate comes before another one: fewer errors first, then the more probable. */
static bool is_better(const struct candidate *left, const struct candidate *right)
{
    if (left->errors != right->errors)
        return left->errors < right->errors;
    return left->probability > right->probability;
}

/* Adds a text, which is stolen, behind those that are not worse. */
static void candidates_add(struct candidates *candidates, char *text, const struct candidate *facts)
{
    size_t at = candidates->count++;

    for (; at > 0 && is_better(facts, &candidates->facts[at - 1]); at--) {
        candidates->texts[at] = candidates->texts[at - 1];
        candidates->facts[at] = candidates->facts[at - 1];
    }
    candidates->texts[at] = text;
    candidates->facts[at] = *facts;
}

/* Whether a text is worth adding: not empty, and not there already. */
static bool candidates_want(const struct candidates *candidates, const char *text,
                            const struct candidate *facts)
{
    for (size_t i = 0; i < candidates->count; i++) {
        if (!strcmp(candidates->texts[i], text) &&
            candidates->facts[i].replaced_bytes == facts->replaced_bytes)
            return false;
    }
    return *text != '\0';
}

static void candidates_count(struct candidates *candidates, const struct engine_result *result,
                             int index)
{
    candidates->prompt_tokens += result->prompt_tokens;
    candidates->reused_tokens += result->reused_tokens;
    candidates->completion_tokens += result->completion_tokens;
    candidates->drafted_tokens += result->drafted_tokens;
    candidates->accepted_tokens += result->accepted_tokens;
    if (index == 0) {
        candidates->first_token_ms = result->first_token_ms;
        candidates->total_ms = result->total_ms;
        candidates->stop = result->stop;
        given_read(&candidates->given, result);
    }
}

/* Makes a candidate of a result and adds it where it is worth it. */
static bool candidates_take(struct candidates *candidates, const struct attempt *attempt,
                            const struct engine_result *result)
{
    struct trimmed trimmed;

    if (!attempt_show(attempt, result, &trimmed)) {
        free(trimmed.text);
        return false;
    }
    struct candidate facts = {
        .replaced_bytes = trimmed.replaced_bytes,
        .confidence = chance_confidence(result, trimmed.line_bytes),
        .errors = graft_errors(attempt->graft, trimmed.replaced_bytes, trimmed.text,
                               strlen(trimmed.text)),
    };
    facts.probability = chance_right(facts.confidence, first_line_bytes(trimmed.text));
    if (candidates_want(candidates, trimmed.text, &facts))
        candidates_add(candidates, trimmed.text, &facts);
    else
        free(trimmed.text);
    return true;
}

/* Writes one text. */
static bool candidates_write(struct candidates *candidates, struct engine *engine,
                             const struct context *context, const struct graft *graft, int index,
                             const struct candidates_request *request, struct error *error)
{
    struct prompt_file files[PROMPT_FILES_MAX];
    struct engine_result result;
    struct listener listener = {
        .candidates = candidates,
        .attempt = {.context = context, .graft = graft},
        .result = &result,
        .relay = index == 0 ? request->relay : NULL,
        .min_probability = request->min_probability,
    };
    const struct engine_request run = {
        .fill = true,
        .prefix = context->before,
        .prefix_bytes = context->before_bytes,
        .suffix = context->after,
        .suffix_bytes = context->after_bytes,
        .shown = snippet_list_shown(&context->shown, files),
        .heal = true,
        .max_tokens = request->max_tokens,
        .budget_ms = request->budget_ms,
        .temperature = index == 0 ? 0 : alternative_temperature,
        .top_p = index == 0 ? 1 : alternative_top_p,
        .seed = (uint64_t)index,
        .cancel = request->cancel,
        .on_text = on_text,
        .on_prompt = index == 0 ? on_prompt : NULL,
        .user = &listener,
    };
    bool done = engine_complete(engine, &run, &result, error);

    if (done) {
        candidates_count(candidates, &result, index);
        done = candidates_take(candidates, &listener.attempt, &result) ||
               error_set(error, ERROR_MEMORY, "no memory for a completion");
        engine_result_finish(&result);
    }
    attempt_finish(&listener.attempt);
    return done;
}

bool candidates_generate(struct candidates *candidates, struct engine *engine,
                         const struct context *context, const struct candidates_request *request,
                         struct error *error)
{
    bool done = true;

    *candidates = (struct candidates){0};
    if (!context_has_text(context))
        return true;
    struct graft *graft = graft_create(context);
    if (!graft)
        return error_set(error, ERROR_MEMORY, "no memory for a completion");
    for (int i = 0; done && i < request->wanted && i < CANDIDATES_MAX; i++)
        done = candidates_write(candidates, engine, context, graft, i, request, error);
    graft_destroy(graft);
    return done;
}

void candidates_finish(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        free(candidates->texts[i]);
    given_finish(&candidates->given);
    *candidates = (struct candidates){0};
}
