/* The call around the cursor is found by its bracket, backwards; a bracket within a string only makes the range another one. */
#include "lsp/context/asked.h"

#include "lsp/byte.h"
#include "lsp/hash.h"
#include "lsp/lines.h"
#include "parsers/names.h"

/* Where the line of `at` begins, or `least` in a line that begins before it. */
static size_t line_start(const char *text, size_t at, size_t least)
{
    while (at > least && text[at - 1] != '\n')
        at--;
    return at;
}

/* Where the lines begin that hold `end` and the brackets open there; a statement's or block's edge ends the search. */
static size_t call_start(const char *text, size_t end)
{
    const size_t least = end > ASKED_BYTES ? end - ASKED_BYTES : 0;
    size_t start = line_start(text, end, least);
    int closed = 0;

    for (size_t at = end; at > least; at--) {
        const char byte = text[at - 1];
        if (byte == ')' || byte == ']') {
            closed++;
        } else if (byte == '(' || byte == '[') {
            if (closed == 0 && at - 1 < start)
                start = line_start(text, at - 1, least);
            closed -= closed > 0;
        } else if (closed == 0 && (byte == ';' || byte == '{' || byte == '}')) {
            break;
        }
    }
    return start;
}

/* Whether the name is new; it is not any more. */
static bool meet(struct asked *asked, uint64_t hash)
{
    for (size_t i = 0; i < asked->count; i++)
        if (asked->hashes[i] == hash)
            return false;
    if (asked->count == ASKED_NAMES)
        return false;
    asked->hashes[asked->count++] = hash;
    return true;
}

bool asked_meet(struct asked *asked, const struct syntax *syntax, const char *text, size_t cursor,
                struct span *range)
{
    struct names names;
    bool is_new = false;

    for (range->end = cursor; range->end > 0 && byte_is_word(text[range->end - 1]);)
        range->end--;
    range->start = call_start(text, range->end);
    if (!syntax || !names_init(&names, syntax, text, *range, range->end))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const struct span name = names.items[i];
        is_new |= meet(asked, hash_add(hash_start, text + name.start, name.end - name.start));
    }
    names_finish(&names);
    return is_new;
}
