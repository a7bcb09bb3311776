/* Small readers that the rules for secrets share; none looks beyond the passage. */
#include "lsp/secrets/passage.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { SHORT_BYTES = 4 }; /* "%s", "%1$s" and their like */

const char *skip_blank(const struct passage *passage, const char *at)
{
    while (at < passage->end && byte_is_blank(*at))
        at++;
    return at;
}

const char *skip_word(const struct passage *passage, const char *at, const char *word)
{
    const size_t bytes = strlen(word);

    return (size_t)(passage->end - at) >= bytes && strncasecmp(at, word, bytes) == 0 ? at + bytes
                                                                                     : NULL;
}

const char *line_start(const struct passage *passage, const char *at)
{
    const size_t before = (size_t)(at - passage->text);
    const size_t bytes = before < PASSAGE_LINE_BYTES ? before : PASSAGE_LINE_BYTES;
    const char *newline = memrchr(at - bytes, '\n', bytes);

    return newline ? newline + 1 : at - bytes;
}

bool stretch_has(struct stretch stretch, const char *word)
{
    return memmem(stretch.start, stretch_bytes(stretch), word, strlen(word)) != NULL;
}

bool stretch_has_digit(struct stretch stretch)
{
    for (const char *byte = stretch.start; byte < stretch.end; byte++)
        if (isdigit((unsigned char)*byte))
            return true;
    return false;
}

size_t stretch_bytes(struct stretch stretch)
{
    return (size_t)(stretch.end - stretch.start);
}

bool stretch_is_reference(struct stretch stretch)
{
    const char *start = stretch.start, *end = stretch.end;

    if (end - start < 2)
        return false;
    return (start[0] == '$' && byte_is_one_of(start[1], "{(") && byte_is_one_of(end[-1], "})")) ||
           (start[0] == '{' && end[-1] == '}') || (start[0] == '<' && end[-1] == '>') ||
           (start[0] == '%' && (start[1] == 's' || end - start <= SHORT_BYTES));
}

struct stretch word_from(const struct passage *passage, const char *at)
{
    const char *end = at;

    while (end < passage->end && !byte_is_space(*end) && end - at < PASSAGE_VALUE_BYTES)
        end++;
    return (struct stretch){at, end};
}

struct stretch plain_from(const struct passage *passage, const char *at)
{
    struct stretch plain = word_from(passage, at);
    const char *end = at;

    while (end < plain.end && !byte_is_one_of(*end, "\"'`;&,()[]{}<>\\"))
        end++;
    plain.end = end;
    return plain;
}

const char *find_quote(const struct passage *passage, const char *at)
{
    for (int i = 0; i < 3 && at < passage->end; i++, at++) {
        if (byte_is_quote(*at))
            return at;
        if (!byte_is_one_of(*at, "bBfFlLrRuU8@$#\\"))
            return NULL;
    }
    return at < passage->end && byte_is_quote(*at) ? at : NULL;
}

struct stretch quoted_from(const struct passage *passage, const char *at)
{
    const char quote = *at, *start = at + 1;
    const bool is_escaped = at > passage->text && at[-1] == '\\';

    if (peek(passage, start) == quote && peek(passage, start + 1) == quote)
        start += 2;
    const char *end = start;
    while (end < passage->end && *end != quote && *end != '\n' &&
           end - start < PASSAGE_VALUE_BYTES && !(is_escaped && *end == '\\'))
        end += *end == '\\' && end + 1 < passage->end ? 2 : 1;
    return (struct stretch){start, end < passage->end ? end : passage->end};
}
