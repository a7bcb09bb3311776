/* What documents.h and text.h do for open documents, for any piece of text. */
#include "lsp/lines.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/byte.h"

size_t lines_start(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

size_t lines_content_end(const char *text, size_t bytes, size_t at)
{
    while (at < bytes && text[at] != '\n')
        at++;
    return at > 0 && at < bytes && text[at - 1] == '\r' ? at - 1 : at;
}

size_t lines_end(const char *text, size_t bytes, size_t at)
{
    const char *newline = at < bytes ? memchr(text + at, '\n', bytes - at) : NULL;

    return newline ? (size_t)(newline - text) + 1 : bytes;
}

size_t lines_indent(const char *text, size_t bytes, size_t at)
{
    const size_t start = at;

    while (at < bytes && byte_is_blank(text[at]))
        at++;
    return at - start;
}

bool lines_are_blank(const char *text, size_t from, size_t to)
{
    while (from < to && byte_is_space(text[from]))
        from++;
    return from >= to;
}

struct span lines_selected(const char *text, struct span range)
{
    if (lines_are_blank(text, range.start, range.end))
        return (struct span){range.start, range.start};
    while (byte_is_space(text[range.start]))
        range.start++;
    while (byte_is_space(text[range.end - 1]))
        range.end--;
    return range;
}

struct span lines_cut(const char *text, struct span range, size_t limit)
{
    if (range.end <= range.start + limit)
        return range;
    range.end = lines_start(text, range.start + limit);
    range.end = range.end > range.start ? range.end : range.start;
    return range;
}

char *lines_copy(const char *text, struct span range)
{
    char *copy = malloc(range.end > range.start ? range.end - range.start + 1 : 1);
    size_t count = 0;

    if (!copy)
        return NULL;
    for (size_t i = range.start; i < range.end; i++) {
        if (text[i] != '\r' || i + 1 == range.end || text[i + 1] != '\n')
            copy[count++] = text[i] ? text[i] : ' ';
    }
    copy[count] = '\0';
    return copy;
}
