/* Errors are compared by number: a cursor mostly stands in text that does not parse yet, and what completes it makes them
 * fewer. Where a whole text brings errors, its beginnings are tried from the longest down: first whole lines, then within
 * the first one whatever ends before or behind a word. */
#include "lsp/graft.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/syntax.h"

enum { GRAFT_TRIES_MAX = 24 }; /* beginnings that are looked at */

struct graft {
    struct syntax *syntax; /* NULL: no grammar, or text that could not be parsed */
    char *text;
    size_t bytes, cursor;
    size_t errors;
};

static bool is_word(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_' || (byte & 0x80);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n';
}

struct graft *graft_create(const struct context *context)
{
    struct graft *graft = calloc(1, sizeof *graft);

    if (!graft)
        return NULL;
    graft->cursor = context->before_bytes;
    graft->bytes = context->before_bytes + context->after_bytes;
    graft->text = malloc(graft->bytes + 1);
    graft->syntax = context->language ? syntax_create(context->language) : NULL;
    if (!graft->text || (context->language && !graft->syntax)) {
        graft_destroy(graft);
        return NULL;
    }
    memcpy(graft->text, context->before, context->before_bytes);
    memcpy(graft->text + graft->cursor, context->after, context->after_bytes);
    if (graft->syntax && !syntax_parse(graft->syntax, graft->text, graft->bytes)) {
        syntax_destroy(graft->syntax);
        graft->syntax = NULL;
    }
    graft->errors =
        graft->syntax ? syntax_error_count(graft->syntax, graft->text, graft->bytes) : 0;
    return graft;
}

void graft_destroy(struct graft *graft)
{
    if (!graft)
        return;
    syntax_destroy(graft->syntax);
    free(graft->text);
    free(graft);
}

size_t graft_errors(const struct graft *graft, size_t replaced_bytes, const char *text,
                    size_t bytes)
{
    const struct span replaced = {graft->cursor, graft->cursor + replaced_bytes};

    return graft->syntax ? syntax_error_count_with(graft->syntax, graft->text, graft->bytes,
                                                   replaced, text, bytes)
                         : 0;
}

bool graft_is_sound(const struct graft *graft, size_t replaced_bytes, const char *text,
                    size_t bytes)
{
    return graft_errors(graft, replaced_bytes, text, bytes) <= graft->errors;
}

/* The next place before `at` where a text may end: a line's end, or in the first line the side of a word. */
static size_t end_before(const char *text, size_t at)
{
    const bool is_first = !memchr(text, '\n', at);

    for (at -= at > 0; at > 0; at--) {
        const bool ends =
            is_first ? !is_word(text[at]) || !is_word(text[at - 1]) : text[at] == '\n';
        if (ends && !is_blank(text[at - 1]))
            break;
    }
    return at;
}

size_t graft_sound_bytes(const struct graft *graft, size_t replaced_bytes, const char *text,
                         size_t bytes)
{
    for (int tries = 0; bytes > 0 && tries < GRAFT_TRIES_MAX; tries++) {
        if (graft_is_sound(graft, replaced_bytes, text, bytes))
            return bytes;
        bytes = end_before(text, bytes);
    }
    return 0;
}
