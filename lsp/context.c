/* Cuts a window out of a document.
 *
 * What lies farther from the cursor than the limits is cut at line starts, so that neither the model nor the parser begins in
 * the middle of one.
 */
#include "lsp/context.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/byte.h"
#include "lsp/lines.h"
#include "lsp/secrets.h"

/* The first code point at or after `at`; bytes that continue one are passed over. */
static size_t code_point_from(const char *text, size_t bytes, size_t at)
{
    while (at < bytes && (text[at] & 0xC0) == 0x80)
        at++;
    return at;
}

/* Where the copy of what precedes the cursor begins. */
static size_t find_prefix(const char *text, size_t cursor)
{
    if (cursor <= CONTEXT_PREFIX_BYTES)
        return 0;

    /* in steps, so that typing moves the beginning rarely and what a model has read of it stays good; one byte earlier may be
     * the end of a line that fits exactly */
    const size_t excess = cursor - CONTEXT_PREFIX_BYTES;
    const size_t from =
        (excess + CONTEXT_PREFIX_STEP - 1) / CONTEXT_PREFIX_STEP * CONTEXT_PREFIX_STEP;
    const char *newline = memchr(text + from - 1, '\n', cursor - from + 1);
    return newline ? (size_t)(newline - text) + 1 : code_point_from(text, cursor, from);
}

/* Where the copy of what follows the cursor ends. */
static size_t find_suffix(const char *text, size_t bytes, size_t cursor)
{
    if (bytes - cursor <= CONTEXT_SUFFIX_BYTES)
        return bytes;

    size_t to = cursor + CONTEXT_SUFFIX_BYTES;
    const char *newline = memrchr(text + cursor, '\n', CONTEXT_SUFFIX_BYTES);
    if (newline)
        return (size_t)(newline - text) + 1;
    while (to > cursor && (text[to] & 0xC0) == 0x80)
        to--;
    return to;
}

/* A NUL-terminated copy with '\n' for "\r\n"; NULL when memory is exhausted. */
static char *copy_lines(const char *text, size_t bytes, size_t *copied)
{
    char *copy = malloc(bytes + 1);

    if (!copy)
        return NULL;
    *copied = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] != '\r' || i + 1 == bytes || text[i + 1] != '\n')
            copy[(*copied)++] = text[i];
    }
    copy[*copied] = '\0';
    return copy;
}

/* Finds out whether nothing but white space stands on the cursor's line, and how much before the cursor. */
static void measure_blank(struct context *context)
{
    const size_t start = lines_start(context->before, context->before_bytes);
    size_t rest;

    context->is_blank_line = lines_are_blank(context->before, start, context->before_bytes) &&
                             context_rest(context, &rest) == 0;
    context->blank_bytes = context->is_blank_line ? context->before_bytes - start : 0;
}

/* A NUL-terminated copy of two texts, the second behind the first; NULL when memory is exhausted. */
static char *copy_joined(const char *first, size_t first_bytes, const char *second,
                         size_t second_bytes)
{
    char *copy = malloc(first_bytes + second_bytes + 1);

    if (!copy)
        return NULL;
    memcpy(copy, first, first_bytes);
    memcpy(copy + first_bytes, second, second_bytes);
    copy[first_bytes + second_bytes] = '\0';
    return copy;
}

/* Masks the secrets in both copies; one that the cursor stands in is one of both together. */
static bool mask_secrets(struct context *context)
{
    char *text =
        copy_joined(context->before, context->before_bytes, context->after, context->after_bytes);

    if (!text)
        return false;
    if (secrets_mask(text, context->before_bytes + context->after_bytes) > 0) {
        memcpy(context->before, text, context->before_bytes);
        memcpy(context->after, text + context->before_bytes, context->after_bytes);
    }
    free(text);
    return true;
}

bool context_init(struct context *context, const struct language *language,
                  const struct syntax *syntax, const char *text, size_t bytes, size_t cursor)
{
    cursor = cursor < bytes ? cursor : bytes;
    size_t from = find_prefix(text, cursor), to = find_suffix(text, bytes, cursor);

    *context = (struct context){.language = language};
    context->before = copy_lines(text + from, cursor - from, &context->before_bytes);
    context->after = copy_lines(text + cursor, to - cursor, &context->after_bytes);
    if (!context->before || !context->after || !mask_secrets(context)) {
        context_finish(context);
        return false;
    }
    measure_blank(context);
    context->extent = scope_extent_at(syntax, text, bytes, cursor);
    return true;
}

void context_finish(struct context *context)
{
    free(context->before);
    free(context->after);
    snippet_list_finish(&context->shown);
    *context = (struct context){0};
}

bool context_advance(struct context *advanced, const struct context *context, const char *text,
                     size_t bytes, size_t replaced_bytes)
{
    size_t replaced = replaced_bytes < context->after_bytes ? replaced_bytes : context->after_bytes;

    *advanced = (struct context){
        .language = context->language,
        .extent = context->extent,
        .before = copy_joined(context->before, context->before_bytes, text, bytes),
        .before_bytes = context->before_bytes + bytes,
        .after_bytes = context->after_bytes - replaced,
    };
    advanced->after = copy_joined(context->after + replaced, advanced->after_bytes, "", 0);
    if (!advanced->before || !advanced->after ||
        !snippet_list_copy(&advanced->shown, &context->shown)) {
        context_finish(advanced);
        return false;
    }
    measure_blank(advanced);
    return true;
}

void context_parse(struct context *context)
{
    size_t bytes = context->before_bytes + context->after_bytes;
    struct syntax *syntax = context->language ? syntax_create(context->language) : NULL;
    char *text =
        copy_joined(context->before, context->before_bytes, context->after, context->after_bytes);

    if (syntax && text && syntax_parse(syntax, text, bytes))
        context->extent = scope_extent_at(syntax, text, bytes, context->before_bytes);
    free(text);
    syntax_destroy(syntax);
}

size_t context_insertion_start(const struct context *context)
{
    return context->before_bytes - context->blank_bytes;
}

size_t context_line_start(const struct context *context)
{
    return lines_start(context->before, context_insertion_start(context));
}

bool context_has_text(const struct context *context)
{
    return !lines_are_blank(context->before, 0, context->before_bytes) ||
           !lines_are_blank(context->after, 0, context->after_bytes);
}

size_t context_rest(const struct context *context, size_t *start)
{
    const char *newline = memchr(context->after, '\n', context->after_bytes);
    size_t end = newline ? (size_t)(newline - context->after) : context->after_bytes;

    for (*start = 0; *start < end && byte_is_space(context->after[*start]);)
        (*start)++;
    while (end > *start && byte_is_space(context->after[end - 1]))
        end--;
    return end - *start;
}
