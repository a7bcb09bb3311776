/* Runs a language's blocks query over a range of a tree. */
#include "parsers/marks.h"

#include <stdlib.h>
#include <string.h>

/* The capture that stands for each kind. */
static const char *const capture_names[MARK_KINDS] = {
    [MARK_COMMENT] = "comment",
    [MARK_STRING] = "string",
    [MARK_LOOSE] = "loose",
    [MARK_HEADER] = "header",
    [MARK_HEADER_END] = "header.end",
    [MARK_BRANCH] = "branch",
    [MARK_CLOSE] = "close",
    [MARK_OPEN] = "open",
    [MARK_BRACKET_CLOSE] = "bracket.close",
    [MARK_BRACKET_OPEN] = "bracket.open",
};

static enum mark_kind kind_of_capture(const TSQuery *query, uint32_t capture)
{
    uint32_t length = 0;
    const char *name = ts_query_capture_name_for_id(query, capture, &length);
    int kind = 0;

    while (kind < MARK_KINDS && strcmp(capture_names[kind], name))
        kind++;
    return (enum mark_kind)kind;
}

/* Whether a match passes its pattern's #any-of?, the one predicate that our queries use: its steps are the name, a capture
 * and strings, one of which the captured text must be. */
static bool satisfies_predicates(const TSQuery *query, const TSQueryMatch *match, const char *text)
{
    uint32_t steps = 0, length = 0;
    const TSQueryPredicateStep *step =
        ts_query_predicates_for_pattern(query, match->pattern_index, &steps);

    if (steps < 3 || step[1].type != TSQueryPredicateStepTypeCapture || match->capture_count == 0)
        return true;
    uint32_t start = ts_node_start_byte(match->captures[0].node);
    uint32_t bytes = ts_node_end_byte(match->captures[0].node) - start;
    for (uint32_t i = 2; i < steps && step[i].type == TSQueryPredicateStepTypeString; i++) {
        const char *word = ts_query_string_value_for_id(query, step[i].value_id, &length);
        if (length == bytes && !memcmp(word, text + start, bytes))
            return true;
    }
    return false;
}

static int compare_marks(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

/* Appends, doubling; `capacity` counts items. */
static bool append_mark(struct marks *marks, size_t *capacity, struct mark mark)
{
    if (marks->count == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : 64;
        struct mark *items = realloc(marks->items, grown * sizeof *items);
        if (!items)
            return false;
        marks->items = items;
        *capacity = grown;
    }
    marks->items[marks->count++] = mark;
    return true;
}

/* Every capture of one match. Tokens that the parser only supposes have no bytes and are no marks. */
static bool append_match(struct marks *marks, size_t *capacity, const TSQuery *query,
                         const TSQueryMatch *match)
{
    for (uint16_t i = 0; i < match->capture_count; i++) {
        TSNode node = match->captures[i].node;
        struct mark mark = {
            .kind = kind_of_capture(query, match->captures[i].index),
            .start = ts_node_start_byte(node),
            .end = ts_node_end_byte(node),
        };
        if (mark.kind == MARK_KINDS || mark.start == mark.end)
            continue;
        if (!append_mark(marks, capacity, mark))
            return false;
    }
    return true;
}

bool marks_init(struct marks *marks, const struct language *language, const TSTree *tree,
                const char *text, size_t from, size_t to)
{
    const TSQuery *query = language_blocks(language);
    TSQueryCursor *cursor = ts_query_cursor_new();
    TSQueryMatch match;
    size_t capacity = 0;
    bool done = false;

    *marks = (struct marks){0};
    if (!query || !cursor)
        goto clean;
    ts_query_cursor_set_byte_range(cursor, (uint32_t)from, (uint32_t)to);
    ts_query_cursor_exec(cursor, query, ts_tree_root_node(tree));
    while (marks->count < MARKS_LIMIT && ts_query_cursor_next_match(cursor, &match)) {
        if (satisfies_predicates(query, &match, text) &&
            !append_match(marks, &capacity, query, &match))
            goto clean;
    }
    if (marks->count > 0)
        qsort(marks->items, marks->count, sizeof *marks->items, compare_marks);
    done = true;

clean:
    if (cursor)
        ts_query_cursor_delete(cursor);
    if (!done)
        marks_finish(marks);
    return done;
}

void marks_finish(struct marks *marks)
{
    free(marks->items);
    *marks = (struct marks){0};
}
