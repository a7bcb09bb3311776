/* One parser and one tree per document.
 *
 * Edits are noted in the tree at once and parsed lazily, so a burst of them costs one parse. A parse is bounded by processor
 * time, not by the clock on the wall, so that a suspended machine gives nothing up. The bound sits in the function that hands
 * the text over: once time is spent the text seems to end, the parser finishes quickly, and its tree is thrown away. Newer
 * versions of tree-sitter renamed their own time limits twice; this way needs none of them.
 */
#include "parsers/syntax.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parsers/faults.h"

enum {
    SYNTAX_CHUNK_BYTES = 4096, /* handed over between two looks at the clock */
    SYNTAX_RETRY_EDITS = 256,  /* edits that pass before a parse that was given up is tried again */
};

struct syntax {
    const struct language *language;
    TSParser *parser;
    TSTree *tree;      /* NULL: none */
    bool current;      /* nothing was edited since the tree was parsed */
    int skipped_edits; /* still to pass before parsing is tried again */
};

/* What the parser reads from. */
struct reading {
    struct pieces text;
    int64_t deadline_ns;
    bool expired;
};

static int64_t processor_time_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const char *read_chunk(void *payload, uint32_t offset, TSPoint point, uint32_t *count)
{
    struct reading *reading = payload;
    size_t at = offset;
    int piece = 0;

    (void)point;
    *count = 0;
    if (!reading->expired)
        reading->expired = processor_time_ns() > reading->deadline_ns;
    while (piece < PIECES_MAX && at >= reading->text.items[piece].bytes)
        at -= reading->text.items[piece++].bytes;
    if (reading->expired || piece == PIECES_MAX)
        return "";

    size_t left = reading->text.items[piece].bytes - at;
    *count = left < SYNTAX_CHUNK_BYTES ? (uint32_t)left : SYNTAX_CHUNK_BYTES;
    return reading->text.items[piece].text + at;
}

/* The tree of what `reading` holds, `old` having been told of the edits since; NULL when it was given up. */
static TSTree *parse_pieces(TSParser *parser, const TSTree *old, struct reading *reading)
{
    TSInput input = {.payload = reading, .read = read_chunk, .encoding = TSInputEncodingUTF8};

    reading->deadline_ns = processor_time_ns() + (int64_t)SYNTAX_LIMIT_MS * 1000000;
    TSTree *tree = ts_parser_parse(parser, old, input);
    if (tree && !reading->expired)
        return tree;
    if (tree)
        ts_tree_delete(tree);
    ts_parser_reset(parser);
    return NULL;
}

/* Row and column, in bytes, of what lies `count` bytes behind `point`. Tree-sitter counts rows by '\n' alone. */
static TSPoint point_after(TSPoint point, const char *bytes, size_t count)
{
    const char *at = bytes, *end = bytes + count;
    const char *newline;

    while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        point.row++;
        point.column = 0;
        at = newline + 1;
    }
    point.column += (uint32_t)(end - at);
    return point;
}

struct syntax *syntax_create(const struct language *language)
{
    struct syntax *syntax = calloc(1, sizeof *syntax);

    if (!syntax)
        return NULL;
    syntax->language = language;
    syntax->parser = ts_parser_new();
    if (!syntax->parser || !ts_parser_set_language(syntax->parser, language_grammar(language))) {
        syntax_destroy(syntax);
        return NULL;
    }
    return syntax;
}

void syntax_destroy(struct syntax *syntax)
{
    if (!syntax)
        return;
    syntax_reset(syntax);
    if (syntax->parser)
        ts_parser_delete(syntax->parser);
    free(syntax);
}

void syntax_reset(struct syntax *syntax)
{
    if (syntax->tree)
        ts_tree_delete(syntax->tree);
    syntax->tree = NULL;
    syntax->current = false;
    syntax->skipped_edits = 0;
}

/* Tells `tree` that bytes `range` of `text` become the `count` bytes of `inserted`. */
static void edit_tree(TSTree *tree, const char *text, struct span range, const char *inserted,
                      size_t count)
{
    TSPoint start_point = point_after((TSPoint){0, 0}, text, range.start);
    TSInputEdit edit = {
        .start_byte = (uint32_t)range.start,
        .old_end_byte = (uint32_t)range.end,
        .new_end_byte = (uint32_t)(range.start + count),
        .start_point = start_point,
        .old_end_point = point_after(start_point, text + range.start, range.end - range.start),
        .new_end_point = point_after(start_point, inserted, count),
    };
    ts_tree_edit(tree, &edit);
}

void syntax_edit(struct syntax *syntax, const char *text, size_t start, size_t end,
                 const char *inserted, size_t count)
{
    syntax->current = false;
    if (syntax->skipped_edits > 0)
        syntax->skipped_edits--;
    if (syntax->tree)
        edit_tree(syntax->tree, text, (struct span){start, end}, inserted, count);
}

/* Drops the tree and waits for some edits before the next attempt. */
static bool give_up(struct syntax *syntax)
{
    syntax_reset(syntax);
    syntax->skipped_edits = SYNTAX_RETRY_EDITS;
    return false;
}

bool syntax_parse(struct syntax *syntax, const char *text, size_t bytes)
{
    if (syntax->current)
        return true;
    if (syntax->skipped_edits > 0)
        return false;
    if (bytes > SYNTAX_LIMIT_BYTES)
        return give_up(syntax);

    struct reading reading = {.text = {{{text, bytes}}}};
    TSTree *tree = parse_pieces(syntax->parser, syntax->tree, &reading);
    if (!tree)
        return give_up(syntax);
    if (syntax->tree)
        ts_tree_delete(syntax->tree);
    syntax->tree = tree;
    syntax->current = true;
    return true;
}

const struct language *syntax_language(const struct syntax *syntax)
{
    return syntax->language;
}

const TSTree *syntax_tree(const struct syntax *syntax)
{
    return syntax->current ? syntax->tree : NULL;
}

size_t syntax_error_count(const struct syntax *syntax, const char *text, size_t bytes)
{
    const struct pieces whole = {{{text, bytes}}};

    return syntax_tree(syntax) ? faults_count(syntax->tree, &whole) : 0;
}

size_t syntax_error_count_with(const struct syntax *syntax, const char *text, size_t bytes,
                               struct span range, const char *inserted, size_t count)
{
    if (!syntax_tree(syntax))
        return 0;
    if (bytes + count > SYNTAX_LIMIT_BYTES)
        return SYNTAX_ERROR_LIMIT;

    struct reading reading = {.text = {{
                                  {text, range.start},
                                  {inserted, count},
                                  {text + range.end, bytes - range.end},
                              }}};
    TSTree *old = ts_tree_copy(syntax->tree);
    edit_tree(old, text, range, inserted, count);
    TSTree *tree = parse_pieces(syntax->parser, old, &reading);
    size_t errors = tree ? faults_count(tree, &reading.text) : SYNTAX_ERROR_LIMIT;
    if (tree)
        ts_tree_delete(tree);
    ts_tree_delete(old);
    return errors;
}
