/* Errors are compared by number: a cursor mostly stands in text that does not parse yet, and what completes it makes them
 * fewer. Where a whole text brings errors, its beginnings are tried from the longest down: first whole lines, then within
 * the first one whatever ends before or behind a word. */
#include "lsp/completion/graft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/byte.h"

enum { GRAFT_TRIES_MAX = 24 }; /* beginnings that are looked at */

struct graft {
    const struct syntax *syntax; /* NULL: no grammar, or text that could not be parsed */
    const char *text;            /* [bytes] */
    size_t bytes;
    struct span range; /* what a text takes the place of, and more behind it where it says so */
    const char *lead;  /* [lead_bytes], put in before every text */
    size_t lead_bytes;

    /* What does not belong to others; NULL where it does. */
    struct syntax *own_syntax;
    char *own_text;
    size_t own_errors; /* with no text put in */
};

struct graft *graft_create(const struct context *context)
{
    struct graft *graft = calloc(1, sizeof *graft);

    if (!graft)
        return NULL;
    const size_t cursor = context->before_bytes;
    graft->range = (struct span){cursor, cursor};
    graft->bytes = cursor + context->after_bytes;
    graft->own_text = malloc(graft->bytes + 1);
    graft->own_syntax = context->language ? syntax_create(context->language) : NULL;
    if (!graft->own_text || (context->language && !graft->own_syntax)) {
        graft_destroy(graft);
        return NULL;
    }
    memcpy(graft->own_text, context->before, cursor);
    memcpy(graft->own_text + cursor, context->after, context->after_bytes);
    graft->text = graft->own_text;
    if (graft->own_syntax && syntax_parse(graft->own_syntax, graft->text, graft->bytes)) {
        graft->syntax = graft->own_syntax;
        graft->own_errors = syntax_error_count(graft->syntax, graft->text, graft->bytes);
    }
    return graft;
}

struct graft *graft_borrow(const struct syntax *syntax, const char *text, size_t bytes,
                           struct span range, const char *lead, size_t lead_bytes)
{
    struct graft *graft = calloc(1, sizeof *graft);

    if (!graft)
        return NULL;
    *graft = (struct graft){.syntax = syntax, .text = text, .bytes = bytes, .range = range};
    graft->lead = lead;
    graft->lead_bytes = lead_bytes;
    return graft;
}

void graft_destroy(struct graft *graft)
{
    if (!graft)
        return;
    syntax_destroy(graft->own_syntax);
    free(graft->own_text);
    free(graft);
}

size_t graft_errors(const struct graft *graft, size_t replaced_bytes, const char *text,
                    size_t bytes)
{
    const struct span replaced = {graft->range.start, graft->range.end + replaced_bytes};
    char *led;

    if (!graft->syntax)
        return 0;
    if (graft->lead_bytes == 0)
        return syntax_error_count_with(graft->syntax, graft->text, graft->bytes, replaced, text,
                                       bytes);
    const int led_bytes =
        asprintf(&led, "%.*s%.*s", (int)graft->lead_bytes, graft->lead, (int)bytes, text);
    if (led_bytes < 0)
        return SYNTAX_ERROR_LIMIT;
    const size_t errors = syntax_error_count_with(graft->syntax, graft->text, graft->bytes,
                                                  replaced, led, (size_t)led_bytes);
    free(led);
    return errors;
}

/* Errors with no text put in. A tree of one's own is asked many times and was counted once, one that is borrowed seldom. */
static size_t errors_before(const struct graft *graft)
{
    if (!graft->syntax || graft->own_syntax)
        return graft->own_errors;
    return graft->lead_bytes > 0 || graft->range.start < graft->range.end
               ? graft_errors(graft, 0, "", 0)
               : syntax_error_count(graft->syntax, graft->text, graft->bytes);
}

bool graft_is_sound(const struct graft *graft, size_t replaced_bytes, const char *text,
                    size_t bytes)
{
    return graft_errors(graft, replaced_bytes, text, bytes) <= errors_before(graft);
}

/* The next place before `at` where a text may end: a line's end, or in the first line the side of a word. */
static size_t end_before(const char *text, size_t at)
{
    const bool is_first = !memchr(text, '\n', at);

    for (at -= at > 0; at > 0; at--) {
        const bool ends =
            is_first ? !byte_is_word(text[at]) || !byte_is_word(text[at - 1]) : text[at] == '\n';
        if (ends && !byte_is_space(text[at - 1]))
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

size_t graft_best_bytes(const struct graft *graft, const char *text, size_t bytes)
{
    size_t best = bytes, least = graft_errors(graft, 0, text, bytes);

    for (int tries = 0; least > 0 && tries < GRAFT_TRIES_MAX; tries++) {
        bytes = end_before(text, bytes);
        if (bytes == 0)
            break;
        const size_t errors = graft_errors(graft, 0, text, bytes);
        if (errors < least) {
            least = errors;
            best = bytes;
        }
    }
    return best;
}
