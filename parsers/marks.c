/* Runs a language's blocks query over a range of a tree. */
#include "parsers/marks.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/query.h"

/* The capture that stands for each kind. */
static const char *const capture_names[MARK_KINDS] = {
    [MARK_COMMENT] = "comment",
    [MARK_STRING] = "string",
    [MARK_CODE] = "code",
    [MARK_TEXT] = "text",
    [MARK_FOREIGN] = "foreign",
    [MARK_LOOSE] = "loose",
    [MARK_HEADER] = "header",
    [MARK_HEADER_END] = "header.end",
    [MARK_BRANCH] = "branch",
    [MARK_CLOSE] = "close",
    [MARK_OPEN] = "open",
    [MARK_FLUSH] = "flush",
    [MARK_BRACKET_CLOSE] = "bracket.close",
    [MARK_BRACKET_OPEN] = "bracket.open",
};

static int compare_marks(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

static bool is_line_end(char byte)
{
    return byte == '\n' || byte == '\r';
}

/* The captures of one match that are of `kinds`. Tokens that the parser only supposes have no bytes and are no marks. */
static bool append_match(struct marks *marks, const struct query_run *run,
                         const TSQueryMatch *match, unsigned kinds)
{
    for (uint16_t i = 0; i < match->capture_count; i++) {
        int kind = query_capture_index(run, match->captures[i].index, capture_names, MARK_KINDS);
        struct span span = node_span(match->captures[i].node);

        /* some grammars count the line's end as part of the comment */
        while (kind == MARK_COMMENT && span.end > span.start &&
               is_line_end(run->text[span.end - 1]))
            span.end--;
        if (kind == MARK_KINDS || !(kinds & 1u << kind) || span.start == span.end)
            continue;
        struct mark *items = room_for_one(marks->items, marks->count, sizeof *items);
        if (!items)
            return false;
        marks->items = items;
        items[marks->count++] = (struct mark){
            .kind = (enum mark_kind)kind,
            .start = (uint32_t)span.start,
            .end = (uint32_t)span.end,
        };
    }
    return true;
}

bool marks_init(struct marks *marks, const struct language *language, const TSTree *tree,
                const char *text, struct span range, unsigned kinds)
{
    struct query_run run;
    TSQueryMatch match;
    bool done = false;

    *marks = (struct marks){0};
    if (!query_run_init(&run, language, QUERY_BLOCKS, tree, text, range))
        return false;
    while (marks->count < MARKS_LIMIT && query_run_next(&run, &match)) {
        if (!append_match(marks, &run, &match, kinds))
            goto clean;
    }
    if (marks->count > 0)
        qsort(marks->items, marks->count, sizeof *marks->items, compare_marks);
    done = true;

clean:
    query_run_finish(&run);
    if (!done)
        marks_finish(marks);
    return done;
}

void marks_finish(struct marks *marks)
{
    free(marks->items);
    *marks = (struct marks){0};
}

size_t marks_from(const struct marks *marks, size_t offset)
{
    size_t low = 0, high = marks->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->items[middle].start < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether the comment `span` begins with a mark that another one ends, rather than the line's end. */
static bool is_closed_comment(const struct language *language, const char *text, struct span span)
{
    const char *open = language_comments(language)->open;
    size_t bytes = strlen(open);

    return bytes > 0 && span.end - span.start >= bytes && !memcmp(text + span.start, open, bytes);
}

enum place marks_place(const struct marks *marks, const struct language *language, const char *text,
                       size_t at, struct span *range)
{
    enum place place = PLACE_CODE;

    /* of those around `at` the one that starts last is the innermost */
    *range = (struct span){at, at};
    for (size_t i = 0; i < marks->count && marks->items[i].start < at; i++) {
        const struct mark *mark = &marks->items[i];
        struct span span = {mark->start, mark->end};
        bool grows = mark->kind == MARK_COMMENT && !is_closed_comment(language, text, span);
        if (at >= span.end + grows || !(MARKS_LITERALS & 1 << mark->kind))
            continue;
        place = mark->kind == MARK_COMMENT  ? PLACE_COMMENT
                : mark->kind == MARK_STRING ? PLACE_STRING
                                            : PLACE_CODE;
        *range = place == PLACE_CODE ? (struct span){at, at} : span;
    }
    return place;
}

/* Whether [from, to) is white space with one line end at most. */
static bool is_narrow_gap(const char *text, size_t from, size_t to)
{
    int lines = 0;

    for (size_t at = from; at < to; at++) {
        if (!text[at] || !strchr(" \t\r\n\f", text[at]))
            return false;
        lines += text[at] == '\n';
    }
    return lines <= 1;
}

/* Whether nothing but white space stands before `at` on its line. */
static bool begins_line(const char *text, size_t at)
{
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t'))
        at--;
    return at == 0 || is_line_end(text[at - 1]);
}

struct span marks_comment_above(const struct marks *marks, const char *text, size_t offset)
{
    struct span found = {offset, offset};

    for (size_t i = marks_from(marks, offset); i > 0; i--) {
        const struct mark *mark = &marks->items[i - 1];
        if (mark->kind != MARK_COMMENT)
            continue;
        if (mark->end > found.start || !is_narrow_gap(text, mark->end, found.start) ||
            !begins_line(text, mark->start))
            break;
        found.end = found.end == offset ? mark->end : found.end;
        found.start = mark->start;
    }
    return found;
}
