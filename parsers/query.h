/* Runs one of a language's queries over part of a tree and hands out its matches.
 *
 * Of predicates our queries use `#any-of? @capture "a" "b"...`, its opposite `#not-any-of?`, which compare the capture's text,
 * and `#begins-with?`, which compares its beginning. Captures whose name begins with "_" serve predicates alone.
 *
 * A value owned by whoever began it; private to this room.
 */
#ifndef PARSERS_QUERY_H
#define PARSERS_QUERY_H

#include <stdbool.h>

#include "parsers/tree.h"

struct query_run {
    const TSQuery *query;
    TSQueryCursor *cursor;
    const char *text;
};

/* Matches in `tree` that touch bytes `range` of `text`. False when memory is exhausted or the query is faulty; then there is
 * nothing to finish. */
bool query_run_init(struct query_run *run, const struct language *language, enum query_kind kind,
                    const TSTree *tree, const char *text, struct span range);
void query_run_finish(struct query_run *run);

/* The next match whose predicates hold; false behind the last. Its captures live until the next call. */
bool query_run_next(struct query_run *run, TSQueryMatch *match);

/* Which of `names` [count] a capture is called; `count` if none of them. */
int query_capture_index(const struct query_run *run, uint32_t capture, const char *const *names,
                        int count);

struct span node_span(TSNode node);

/* `items`, which holds `count` items and grew by this alone, with room for another one; NULL when memory is exhausted, then
 * `items` is as it was. */
void *room_for_one(void *items, size_t count, size_t item_bytes);

#endif
