/* A text takes three steps: it is watched while it is written; trimmed to what belongs at the cursor; and grafted, which is
 * when the parser has its say. That also tells which line lacks an end: one that the parser complains less about with an end of
 * some language on the next line, or one that ends in a colon. The tree then tells whether that is a block and still empty. */
#include "lsp/completion/attempt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the name of an element is made of, and how long its end tag may be. */
static const char name_bytes[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:_";
enum { END_TAG_BYTES = 64 };

void attempt_finish(struct attempt *attempt)
{
    if (attempt->has_block)
        context_finish(&attempt->block);
    free(attempt->line);
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

/* Whether a line may open a block: it lacks the end of one, with which the parser would complain less, or ends in a colon,
 * behind which only a body is missing. */
static bool may_open_block(const struct graft *graft, const char *line)
{
    static const char *const ends[] = {"}", "end", "fi", "done"};
    const size_t bytes = strlen(line), errors = graft_errors(graft, 0, line, bytes);
    char tag[END_TAG_BYTES];
    bool may_open = bytes > 0 && line[bytes - 1] == ':';

    end_tag_of(line, tag);
    for (size_t i = 0; i < sizeof ends / sizeof *ends && errors > 0 && !may_open; i++)
        may_open = is_better_with(graft, line, errors, ends[i]);
    return may_open || (errors > 0 && *tag && is_better_with(graft, line, errors, tag));
}

/* Sees whether the first line, which is all that was asked for, opens a block in which nothing stands yet; then the block is to
 * be written too. */
static bool attempt_begin_block(struct attempt *attempt, const char *text, size_t bytes)
{
    const struct context *context = attempt->context;
    size_t start, end = strspn(text, " \t\n");
    const char *newline = memchr(text + end, '\n', bytes - end);
    struct trimmed line;

    if (attempt->line || !newline || !context->language || context->extent != SCOPE_LINE ||
        context_rest(context, &start) > 0)
        return false;
    attempt->line_bytes = (size_t)(newline - text);
    if (!trim_take(&line, context, text, attempt->line_bytes, 0))
        return false;
    attempt->line = line.text;
    if (*line.text == '\0' || !may_open_block(attempt->graft, line.text) ||
        !context_advance(&attempt->block, context, line.text, strlen(line.text), 0))
        return false;

    context_parse(&attempt->block);
    attempt->has_block = attempt->block.extent == SCOPE_BLOCK;
    if (!attempt->has_block)
        context_finish(&attempt->block);
    return attempt->has_block;
}

bool attempt_goes_on(struct attempt *attempt, const char *text, size_t bytes)
{
    if (!attempt->has_block) {
        if (!trim_is_complete(attempt->context, text, bytes))
            return true;
        if (!attempt_begin_block(attempt, text, bytes))
            return false;
    }
    return !trim_is_complete(&attempt->block, text + attempt->line_bytes,
                             bytes - attempt->line_bytes);
}

/* What is shown */

/* Trims what was written: the line, with the block that it opened. */
static bool trim_all(const struct attempt *attempt, const struct engine_result *result,
                     unsigned options, struct trimmed *trimmed)
{
    struct trimmed block;
    char *text = NULL;

    if (result->stop == ENGINE_STOP_MAX_TOKENS || result->stop == ENGINE_STOP_TIME ||
        result->stop == ENGINE_STOP_CONTEXT)
        options |= TRIM_CUT_SHORT;
    if (!trim_take(trimmed, attempt->context, result->text, result->bytes, options))
        return false;
    if (!attempt->has_block)
        return true;

    bool made = trim_take(&block, &attempt->block, result->text + attempt->line_bytes,
                          result->bytes - attempt->line_bytes, options) &&
                asprintf(&text, "%s%s", attempt->line, block.text) >= 0;
    free(block.text);
    if (made) {
        free(trimmed->text);
        trimmed->text = text;
    }
    return made;
}

/* Trims what was written; closers behind the cursor are replaced only where that leaves no more errors than there were, and no
 * more than without it. */
static bool trim_best(const struct attempt *attempt, const struct engine_result *result,
                      struct trimmed *trimmed)
{
    struct trimmed kept;

    if (!trim_all(attempt, result, TRIM_REPLACE, trimmed))
        return false;
    if (trimmed->replaced_bytes == 0)
        return true;
    if (!trim_all(attempt, result, 0, &kept)) {
        free(kept.text);
        return false;
    }

    const size_t bytes = strlen(trimmed->text);
    const size_t errors =
        graft_errors(attempt->graft, trimmed->replaced_bytes, trimmed->text, bytes);
    if (graft_is_sound(attempt->graft, trimmed->replaced_bytes, trimmed->text, bytes) &&
        errors <= graft_errors(attempt->graft, 0, kept.text, strlen(kept.text))) {
        free(kept.text);
    } else {
        free(trimmed->text);
        *trimmed = kept;
    }
    return true;
}

/* Trims what was written so that the parser does not complain more than before; "" where nothing of it can stay. What stands in
 * the way of the cursor's rest of line goes too: there a shorter text that leaves fewer errors is the better one. */
bool attempt_show(const struct attempt *attempt, const struct engine_result *result,
                  struct trimmed *trimmed)
{
    size_t start;

    if (!trim_best(attempt, result, trimmed))
        return false;
    const size_t bytes = strlen(trimmed->text);
    size_t sound = graft_sound_bytes(attempt->graft, trimmed->replaced_bytes, trimmed->text, bytes);
    if (trimmed->replaced_bytes == 0 && context_rest(attempt->context, &start) > 0)
        sound = graft_best_bytes(attempt->graft, trimmed->text, sound);
    const bool is_broken_block = attempt->has_block && sound < strlen(attempt->line);
    if (sound < bytes && (is_broken_block || trim_is_noise(trimmed->text, sound)))
        sound = 0;
    trimmed->text[sound] = '\0';
    return true;
}

char *attempt_preview(const struct context *context, const char *text, size_t bytes)
{
    const bool has_line = memchr(text, '\n', bytes) != NULL;
    struct graft *graft = has_line ? graft_create(context) : NULL;
    struct attempt attempt = {.context = context, .graft = graft};
    const struct engine_result said = {
        .text = (char *)(uintptr_t)text, .bytes = bytes, .stop = ENGINE_STOP_CALLER};
    struct trimmed trimmed = {0};

    if (graft)
        attempt_begin_block(&attempt, text, bytes);
    if (!trim_all(&attempt, &said, 0, &trimmed) || *trimmed.text == '\0') {
        free(trimmed.text);
        trimmed.text = NULL;
    }
    attempt_finish(&attempt);
    graft_destroy(graft);
    return trimmed.text;
}
