/* One text takes three steps: it is watched while it is written, so that it stops early; trimmed to what belongs at the cursor;
 * and grafted, which is when the parser has its say. */
#include "lsp/candidates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/graft.h"
#include "lsp/trim.h"

/* How alternatives are drawn: warm enough to differ, cool enough to compile. */
static const float alternative_temperature = 0.6f;
static const float alternative_top_p = 0.95f;

/* What the name of an element is made of, and how long its end tag may be. */
static const char name_bytes[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:_";
enum { END_TAG_BYTES = 64 };

/* A text on its way. */
struct writing {
    struct candidates *candidates; /* where the prompt is kept */
    const struct context *context;
    const struct graft *graft;
    const struct engine_result *result; /* so far */
    struct relay *relay;                /* NULL for alternatives */
    float min_probability;              /* for being relayed */

    /* A block that the text's first line opened, once it has: the context at that line's end. */
    bool has_block;
    struct context block;
    char *line;        /* as shown */
    size_t line_bytes; /* of the model's text */
};

static void writing_finish(struct writing *writing)
{
    if (writing->has_block)
        context_finish(&writing->block);
    free(writing->line);
}

/* Probability */

/* The geometric mean of the probabilities of the tokens that begin within the first `bytes` of what was written. */
static float mean_probability(const struct engine_result *result, size_t bytes)
{
    float sum = 0.0f;
    int count = 0;

    for (int i = 0; i < result->completion_tokens; i++) {
        size_t start = i > 0 ? result->ends[i - 1] : 0;
        if (count > 0 && start >= bytes)
            break;
        sum += result->log_probabilities[i];
        count++;
    }
    return count > 0 ? expf(sum / (float)count) : 0.0f;
}

/* The chance that a first line of `bytes` is right. A model knows how sure it is of each token, but not how far it is to the
 * next chance to be wrong: long lines seldom are right. Logistic function, fitted to what became of completions of the
 * evaluation set (tests/bench/quality.c; QUALITY.md has the check on problems that were not fitted). */
static float chance(float confidence, size_t bytes)
{
    static const float base = 1.90f, per_log_confidence = 2.88f, per_log_byte = -1.23f;
    float sum = base + per_log_confidence * logf(confidence) + per_log_byte * logf((float)bytes);

    return 1.0f / (1.0f + expf(-sum));
}

/* The length of a text's first line with more than white space. */
static size_t first_line_bytes(const char *text)
{
    text += strspn(text, "\n");
    return strcspn(text, "\n");
}

/* Blocks */

/* Whether a line would leave fewer errors with `end` on the next one. */
static bool is_better_with(const struct graft *graft, const char *line, size_t errors,
                           const char *end)
{
    char *closed;
    const int bytes = asprintf(&closed, "%s\n%s", line, end);

    if (bytes < 0)
        return false;
    const bool better = graft_errors(graft, 0, closed, (size_t)bytes) < errors;
    free(closed);
    return better;
}

/* The tag that ends the element whose tag begins last in a line; "" where there is none, or a name too long for it. */
static void end_tag_of(const char *line, char tag[END_TAG_BYTES])
{
    size_t name = 0, bytes = 0;

    for (const char *at = line; *at; at++) {
        const size_t length = at[0] == '<' ? strspn(at + 1, name_bytes) : 0;
        if (length > 0) {
            name = (size_t)(at + 1 - line);
            bytes = length;
        }
    }
    tag[0] = '\0';
    if (bytes > 0 && bytes + sizeof "</>" <= END_TAG_BYTES)
        snprintf(tag, END_TAG_BYTES, "</%.*s>", (int)bytes, line + name);
}

/* Whether a line opens a block that lacks its end: with one the parser would complain less. */
static bool lacks_end(const struct graft *graft, const char *line)
{
    static const char *const ends[] = {"}", "end", "fi", "done"};
    const size_t errors = graft_errors(graft, 0, line, strlen(line));
    char tag[END_TAG_BYTES];
    bool lacks = false;

    end_tag_of(line, tag);
    for (size_t i = 0; i < sizeof ends / sizeof *ends && errors > 0 && !lacks; i++)
        lacks = is_better_with(graft, line, errors, ends[i]);
    return lacks || (errors > 0 && *tag && is_better_with(graft, line, errors, tag));
}

/* Sees whether the first line, which is all that was asked for, opens a block that lacks its end; then the block is to be
 * written too. */
static bool writing_begin_block(struct writing *writing, const char *text, size_t bytes)
{
    const struct context *context = writing->context;
    size_t start, end = strspn(text, " \t\n");
    const char *newline = memchr(text + end, '\n', bytes - end);
    struct trimmed line;

    if (writing->line || !newline || !context->language || context->extent != SCOPE_LINE ||
        context_rest(context, &start) > 0)
        return false;
    writing->line_bytes = (size_t)(newline - text);
    if (!trim_take(&line, context, text, writing->line_bytes, 0))
        return false;
    writing->line = line.text;
    if (*line.text == '\0' || !lacks_end(writing->graft, line.text) ||
        !context_advance(&writing->block, context, line.text, strlen(line.text), 0))
        return false;

    context_parse(&writing->block);
    writing->has_block = writing->block.extent == SCOPE_BLOCK;
    if (!writing->has_block)
        context_finish(&writing->block);
    return writing->has_block;
}

/* Whether the first line is probable enough as far as it has been written. */
static bool is_probable_so_far(const struct writing *writing, const char *text)
{
    size_t blank = strspn(text, " \t\n"), line = strcspn(text + blank, "\n");

    return chance(mean_probability(writing->result, blank + line), line) >=
           writing->min_probability;
}

/* The engine's callback. */
static bool on_text(void *user, const char *text, size_t bytes)
{
    struct writing *writing = user;

    if (writing->relay && is_probable_so_far(writing, text))
        relay_push(writing->relay, text, bytes);
    if (!writing->has_block) {
        if (!trim_is_complete(writing->context, text, bytes))
            return true;
        if (!writing_begin_block(writing, text, bytes))
            return false;
    }
    return !trim_is_complete(&writing->block, text + writing->line_bytes,
                             bytes - writing->line_bytes);
}

/* Trims what was written: the line, with the block that it opened. */
static bool writing_trim(const struct writing *writing, const struct engine_result *result,
                         unsigned options, struct trimmed *trimmed)
{
    struct trimmed block;
    char *text = NULL;

    if (result->stop == ENGINE_STOP_MAX_TOKENS || result->stop == ENGINE_STOP_TIME ||
        result->stop == ENGINE_STOP_CONTEXT)
        options |= TRIM_CUT_SHORT;
    if (!trim_take(trimmed, writing->context, result->text, result->bytes, options))
        return false;
    if (!writing->has_block)
        return true;

    bool made = trim_take(&block, &writing->block, result->text + writing->line_bytes,
                          result->bytes - writing->line_bytes, options) &&
                asprintf(&text, "%s%s", writing->line, block.text) >= 0;
    free(block.text);
    if (made) {
        free(trimmed->text);
        trimmed->text = text;
    }
    return made;
}

/* Soundness */

/* Trims what was written; closers behind the cursor are replaced only where that leaves no more errors than there were, and no
 * more than without it. */
static bool writing_trim_best(const struct writing *writing, const struct engine_result *result,
                              struct trimmed *trimmed)
{
    struct trimmed kept;

    if (!writing_trim(writing, result, TRIM_REPLACE, trimmed))
        return false;
    if (trimmed->replaced_bytes == 0)
        return true;
    if (!writing_trim(writing, result, 0, &kept)) {
        free(kept.text);
        return false;
    }

    const size_t bytes = strlen(trimmed->text);
    const size_t errors =
        graft_errors(writing->graft, trimmed->replaced_bytes, trimmed->text, bytes);
    if (graft_is_sound(writing->graft, trimmed->replaced_bytes, trimmed->text, bytes) &&
        errors <= graft_errors(writing->graft, 0, kept.text, strlen(kept.text))) {
        free(kept.text);
    } else {
        free(trimmed->text);
        *trimmed = kept;
    }
    return true;
}

/* Trims what was written so that the parser does not complain more than before; "" where nothing of it can stay. What stands in
 * the way of the cursor's rest of line goes too: there a shorter text that leaves fewer errors is the better one. */
static bool writing_shown(const struct writing *writing, const struct engine_result *result,
                          struct trimmed *trimmed)
{
    size_t start;

    if (!writing_trim_best(writing, result, trimmed))
        return false;
    const size_t bytes = strlen(trimmed->text);
    size_t sound = graft_sound_bytes(writing->graft, trimmed->replaced_bytes, trimmed->text, bytes);
    if (trimmed->replaced_bytes == 0 && context_rest(writing->context, &start) > 0)
        sound = graft_best_bytes(writing->graft, trimmed->text, sound);
    bool is_broken_block = writing->has_block && !memchr(trimmed->text, '\n', sound);
    if (sound < bytes && (is_broken_block || trim_is_noise(trimmed->text, sound)))
        sound = 0;
    trimmed->text[sound] = '\0';
    return true;
}

/* The list */

/* Whether a candidate comes before another one: fewer errors first, then the more probable. */
static bool is_better(const struct candidate *left, const struct candidate *right)
{
    if (left->errors != right->errors)
        return left->errors < right->errors;
    return left->probability > right->probability;
}

/* Of the first run: others have the same prompt, all of it known by then. */
static void on_prompt(void *user, const char *text, size_t bytes,
                      const struct prompt_counts *counts)
{
    given_keep(&((const struct writing *)user)->candidates->given, text, bytes, counts);
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
static bool candidates_take(struct candidates *candidates, const struct writing *writing,
                            const struct engine_result *result)
{
    struct trimmed trimmed;

    if (!writing_shown(writing, result, &trimmed)) {
        free(trimmed.text);
        return false;
    }
    struct candidate facts = {
        .replaced_bytes = trimmed.replaced_bytes,
        .confidence = mean_probability(result, trimmed.line_bytes),
        .errors = graft_errors(writing->graft, trimmed.replaced_bytes, trimmed.text,
                               strlen(trimmed.text)),
    };
    facts.probability = chance(facts.confidence, first_line_bytes(trimmed.text));
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
    struct writing writing = {
        .candidates = candidates,
        .context = context,
        .graft = graft,
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
        .user = &writing,
    };
    bool done = engine_complete(engine, &run, &result, error);

    if (done) {
        candidates_count(candidates, &result, index);
        done = candidates_take(candidates, &writing, &result) ||
               error_set(error, ERROR_MEMORY, "no memory for a completion");
        engine_result_finish(&result);
    }
    writing_finish(&writing);
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

char *candidates_preview(const struct context *context, const char *text, size_t bytes)
{
    const bool has_line = memchr(text, '\n', bytes) != NULL;
    struct graft *graft = has_line ? graft_create(context) : NULL;
    struct writing writing = {.context = context, .graft = graft};
    const struct engine_result said = {
        .text = (char *)(uintptr_t)text, .bytes = bytes, .stop = ENGINE_STOP_CALLER};
    struct trimmed trimmed = {0};

    if (graft)
        writing_begin_block(&writing, text, bytes);
    if (!writing_trim(&writing, &said, 0, &trimmed) || *trimmed.text == '\0') {
        free(trimmed.text);
        trimmed.text = NULL;
    }
    writing_finish(&writing);
    graft_destroy(graft);
    return trimmed.text;
}

void candidates_finish(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        free(candidates->texts[i]);
    given_finish(&candidates->given);
    *candidates = (struct candidates){0};
}
