/* Generation is stopped as soon as trimming would drop all that follows: trim_is_complete sees the text after each token. */
#include "lsp/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/trim.h"

/* How alternatives are drawn: warm enough to differ, cool enough to compile. */
static const float alternative_temperature = 0.6f;
static const float alternative_top_p = 0.95f;

/* One of the engine's runs, as its callback sees it. */
struct run {
    const struct context *context;
    struct relay *relay; /* NULL for alternatives */
};

static bool on_text(void *user, const char *text, size_t bytes)
{
    const struct run *run = user;
    relay_push(run->relay, text, bytes);
    return !trim_is_complete(run->context, text, bytes);
}

/* Adds a text, which is stolen, unless it is empty or there already. */
static void candidates_add(struct candidates *candidates, char *text)
{
    bool is_new = *text != '\0';
    for (size_t i = 0; i < candidates->count; i++)
        is_new = is_new && strcmp(candidates->texts[i], text) != 0;

    if (is_new)
        candidates->texts[candidates->count++] = text;
    else
        free(text);
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
    }
}

bool candidates_generate(struct candidates *candidates, struct engine *engine,
                         const struct context *context, int wanted, int max_tokens,
                         const atomic_bool *cancel, struct relay *relay, struct error *error)
{
    *candidates = (struct candidates){0};
    if (!context_has_text(context))
        return true;
    for (int i = 0; i < wanted && i < CANDIDATES_MAX; i++) {
        struct run run = {context, i == 0 ? relay : NULL};
        struct engine_request request = {
            .fill = true,
            .prefix = context->before,
            .prefix_bytes = context->before_bytes,
            .suffix = context->after,
            .suffix_bytes = context->after_bytes,
            .heal = true,
            .max_tokens = max_tokens,
            .temperature = i == 0 ? 0 : alternative_temperature,
            .top_p = i == 0 ? 1 : alternative_top_p,
            .seed = (uint64_t)i,
            .cancel = cancel,
            .on_text = on_text,
            .user = &run,
        };
        struct engine_result result = {0};
        if (!engine_complete(engine, &request, &result, error))
            return false;

        candidates_count(candidates, &result, i);
        char *text = trim_finish(context, result.text, result.bytes);
        engine_result_finish(&result);
        if (!text)
            return error_set(error, ERROR_MEMORY, "no memory for a completion");
        candidates_add(candidates, text);
    }
    return true;
}

void candidates_finish(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        free(candidates->texts[i]);
    *candidates = (struct candidates){0};
}
