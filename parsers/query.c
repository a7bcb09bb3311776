/* A cursor over matches, and the predicates that tree-sitter leaves to its users. */
#include "parsers/query.h"

#include <stdlib.h>
#include <string.h>

bool query_run_init(struct query_run *run, const struct language *language, enum query_kind kind,
                    const TSTree *tree, const char *text, struct span range)
{
    *run = (struct query_run){.query = language_query(language, kind), .text = text};
    if (!run->query || !(run->cursor = ts_query_cursor_new()))
        return false;
    ts_query_cursor_set_byte_range(run->cursor, (uint32_t)range.start, (uint32_t)range.end);
    ts_query_cursor_exec(run->cursor, run->query, ts_tree_root_node(tree));
    return true;
}

void query_run_finish(struct query_run *run)
{
    if (run->cursor)
        ts_query_cursor_delete(run->cursor);
    *run = (struct query_run){0};
}

struct span node_span(TSNode node)
{
    return (struct span){ts_node_start_byte(node), ts_node_end_byte(node)};
}

void *room_for_one(void *items, size_t count, size_t item_bytes)
{
    enum {
        FIRST = 64
    }; /* doubled whenever they are used up, so a power of two says that they are */

    if (count == 0)
        return items ? items : malloc(FIRST * item_bytes);
    if (count < FIRST || (count & (count - 1)) != 0)
        return items;
    return realloc(items, 2 * count * item_bytes);
}

int query_capture_index(const struct query_run *run, uint32_t capture, const char *const *names,
                        int count)
{
    uint32_t length = 0;
    const char *name = ts_query_capture_name_for_id(run->query, capture, &length);
    int index = 0;

    while (index < count && strcmp(names[index], name))
        index++;
    return index;
}

/* Whether the text of the match's first capture of that id is one of the strings that `step` goes on with, or only begins with
 * it. */
static bool is_any_of(const struct query_run *run, const TSQueryMatch *match, uint32_t capture,
                      const TSQueryPredicateStep *step, bool beginning)
{
    uint16_t at = 0;
    uint32_t length = 0;

    while (at < match->capture_count && match->captures[at].index != capture)
        at++;
    if (at == match->capture_count)
        return false;
    struct span span = node_span(match->captures[at].node);
    for (; step->type == TSQueryPredicateStepTypeString; step++) {
        const char *word = ts_query_string_value_for_id(run->query, step->value_id, &length);
        size_t bytes = span.end - span.start;
        if ((beginning ? length <= bytes : length == bytes) &&
            !memcmp(word, run->text + span.start, length))
            return true;
    }
    return false;
}

/* A pattern's predicates lie in a row: a name, a capture, strings, and a step that ends each. */
static bool satisfies_predicates(const struct query_run *run, const TSQueryMatch *match)
{
    uint32_t count = 0, length = 0;
    const TSQueryPredicateStep *steps =
        ts_query_predicates_for_pattern(run->query, match->pattern_index, &count);

    for (uint32_t at = 0; at + 3 < count; at++) {
        const char *name = ts_query_string_value_for_id(run->query, steps[at].value_id, &length);
        bool wanted = strcmp(name, "not-any-of?") != 0;
        bool beginning = !strcmp(name, "begins-with?");
        if (is_any_of(run, match, steps[at + 1].value_id, &steps[at + 2], beginning) != wanted)
            return false;
        while (steps[at].type != TSQueryPredicateStepTypeDone)
            at++;
    }
    return true;
}

bool query_run_next(struct query_run *run, TSQueryMatch *match)
{
    while (ts_query_cursor_next_match(run->cursor, match)) {
        if (satisfies_predicates(run, match))
            return true;
    }
    return false;
}
