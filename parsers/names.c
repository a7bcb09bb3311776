/* Names are what a language's names query captures.
 *
 * They are visited from the cursor outwards, so that a limit drops the distant ones, and each text is kept where it is first
 * met, found again through a table of hashes.
 */
#include "parsers/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/query.h"

enum {
    NAMES_OCCURRENCES = 8 * 1024,  /* that are looked at */
    NAMES_TABLE = 4 * NAMES_LIMIT, /* places for hashes, a power of two */
    NAMES_SHORTEST = 2,            /* bytes */
};

static const char *const name_captures[] = {"name"};

/* All captures in the range, in no particular order; false when memory is exhausted. */
static bool collect_names(struct names *names, struct query_run *run)
{
    TSQueryMatch match;

    while (names->count < NAMES_OCCURRENCES && query_run_next(run, &match)) {
        for (uint16_t i = 0; i < match.capture_count; i++) {
            if (query_capture_index(run, match.captures[i].index, name_captures, 1) != 0)
                continue;
            struct span *items = room_for_one(names->items, names->count, sizeof *items);
            if (!items)
                return false;
            names->items = items;
            items[names->count++] = node_span(match.captures[i].node);
        }
    }
    return true;
}

static int compare_starts(const void *left, const void *right)
{
    const struct span *a = left, *b = right;

    return (a->start > b->start) - (a->start < b->start);
}

static size_t distance(struct span span, size_t cursor)
{
    if (span.end <= cursor)
        return cursor - span.end;
    return span.start > cursor ? span.start - cursor : 0;
}

/* FNV-1a. */
static uint32_t hash_span(const char *text, struct span span)
{
    uint32_t hash = 2166136261u;

    for (size_t at = span.start; at < span.end; at++)
        hash = (hash ^ (unsigned char)text[at]) * 16777619u;
    return hash;
}

/* Adds `span` unless its text is there already. `table` holds indices into kept->items, one more than they are. */
static void keep_name(struct names *kept, uint16_t *table, const char *text, struct span span)
{
    size_t bytes = span.end - span.start;
    uint32_t place = hash_span(text, span) % NAMES_TABLE;

    if (bytes < NAMES_SHORTEST)
        return;
    for (; table[place]; place = (place + 1) % NAMES_TABLE) {
        struct span other = kept->items[table[place] - 1];
        if (other.end - other.start == bytes &&
            !memcmp(text + other.start, text + span.start, bytes))
            return;
    }
    kept->items[kept->count++] = span;
    table[place] = (uint16_t)kept->count;
}

/* Keeps what of `all`, sorted by place, lies in `range`, the nearer of its two ends first. */
static void keep_nearest(struct names *kept, const struct names *all, const char *text,
                         struct span range, size_t cursor)
{
    uint16_t table[NAMES_TABLE] = {0};
    size_t after = 0;

    while (after < all->count && all->items[after].start < cursor)
        after++;
    size_t before = after;
    while (kept->count < NAMES_LIMIT && (before > 0 || after < all->count)) {
        bool goes_back =
            before > 0 && (after == all->count || distance(all->items[before - 1], cursor) <=
                                                      distance(all->items[after], cursor));
        struct span span = goes_back ? all->items[--before] : all->items[after++];
        if (span.start >= range.start && span.end <= range.end)
            keep_name(kept, table, text, span);
    }
}

bool names_init(struct names *names, const struct syntax *syntax, const char *text,
                struct span range, size_t cursor)
{
    const TSTree *tree = syntax ? syntax_tree(syntax) : NULL;
    struct names all = {0};
    struct query_run run;

    *names = (struct names){0};
    if (!tree || range.start >= range.end)
        return true;
    if (!query_run_init(&run, syntax_language(syntax), QUERY_NAMES, tree, text, range))
        return false;
    bool done = collect_names(&all, &run);
    query_run_finish(&run);

    if (done && all.count > 0) {
        qsort(all.items, all.count, sizeof *all.items, compare_starts);
        names->items = malloc(NAMES_LIMIT * sizeof *names->items);
        done = names->items != NULL;
        if (done)
            keep_nearest(names, &all, text, range, cursor);
    }
    free(all.items);
    return done;
}

void names_finish(struct names *names)
{
    free(names->items);
    *names = (struct names){0};
}

struct span name_at(const struct syntax *syntax, const char *text, size_t cursor)
{
    const TSTree *tree = syntax ? syntax_tree(syntax) : NULL;
    struct span around = {cursor > 0 ? cursor - 1 : 0, cursor + 1}, found = {cursor, cursor};
    struct names all = {0};
    struct query_run run;

    if (!tree || !query_run_init(&run, syntax_language(syntax), QUERY_NAMES, tree, text, around))
        return found;
    collect_names(&all, &run);
    query_run_finish(&run);

    /* one that goes on behind the cursor wins over one that ends there */
    for (size_t i = 0; i < all.count; i++) {
        struct span span = all.items[i];
        if (span.start <= cursor && cursor <= span.end && (found.end <= cursor))
            found = span;
    }
    free(all.items);
    return found;
}
