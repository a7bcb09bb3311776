/* Places come from the marks of a range around them; prose from the lines of a comment, each without its marks. */
#include "parsers/comments.h"

#include <string.h>

#include "parsers/marks.h"

enum {
    COMMENT_ABOVE_BYTES = 16 * 1024, /* how far up a comment may begin */
};

enum place place_at(const struct syntax *syntax, const char *text, size_t cursor,
                    struct span *range)
{
    const TSTree *tree = syntax ? syntax_tree(syntax) : NULL;
    struct span around = {cursor > 0 ? cursor - 1 : 0, cursor + 1}, ignored;
    struct marks marks;

    range = range ? range : &ignored;
    *range = (struct span){cursor, cursor};
    if (!tree || !marks_init(&marks, syntax_language(syntax), tree, text, around, MARKS_LITERALS))
        return PLACE_CODE;
    enum place place = marks_place(&marks, syntax_language(syntax), text, cursor, range);
    marks_finish(&marks);
    return place;
}

struct span comment_above(const struct syntax *syntax, const char *text, size_t offset)
{
    const TSTree *tree = syntax ? syntax_tree(syntax) : NULL;
    size_t from = offset > COMMENT_ABOVE_BYTES ? offset - COMMENT_ABOVE_BYTES : 0;
    struct span found = {offset, offset};
    struct marks marks;

    if (!tree || !marks_init(&marks, syntax_language(syntax), tree, text,
                             (struct span){from, offset}, 1u << MARK_COMMENT))
        return found;
    found = marks_comment_above(&marks, text, offset);
    marks_finish(&marks);
    return found;
}

/* Prose */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\f';
}

static struct span strip(const char *text, struct span span)
{
    while (span.start < span.end && is_blank(text[span.start]))
        span.start++;
    while (span.end > span.start && is_blank(text[span.end - 1]))
        span.end--;
    return span;
}

static bool begins_with(const char *text, struct span span, const char *mark)
{
    size_t bytes = strlen(mark);

    return bytes > 0 && span.end - span.start >= bytes && !memcmp(text + span.start, mark, bytes);
}

static bool ends_with(const char *text, struct span span, const char *mark)
{
    size_t bytes = strlen(mark);

    return bytes > 0 && span.end - span.start >= bytes &&
           !memcmp(text + span.end - bytes, mark, bytes);
}

/* A docstring without its quotation marks and the letters before them. */
static struct span strip_quotes(const char *text, struct span span)
{
    size_t start = span.start, count = 0;

    while (start < span.end && text[start] != '"' && text[start] != '\'')
        start++;
    if (start == span.end || start - span.start > 2)
        return span;
    char quote = text[start];
    while (count < 3 && start < span.end && text[start] == quote)
        start++, count++;
    span.start = start;
    while (count-- > 0 && span.end > span.start && text[span.end - 1] == quote)
        span.end--;
    return span;
}

/* What a comment that is one piece, or a docstring, holds; *is_piece false for lines that have marks of their own. */
static struct span strip_piece(const struct comment_style *style, const char *text,
                               struct span span, bool *is_piece)
{
    span = strip(text, span);
    *is_piece = begins_with(text, span, style->open);
    if (*is_piece) {
        span.start += strlen(style->open);
        if (ends_with(text, span, style->close))
            span.end -= strlen(style->close);
        while (span.start < span.end && (text[span.start] == '*' || text[span.start] == '!'))
            span.start++;
        while (span.end > span.start && text[span.end - 1] == '*')
            span.end--;
        return span;
    }
    return begins_with(text, span, style->line) ? span : strip_quotes(text, span);
}

/* A line without its own mark: "//" and all that repeats its last byte, or the star of a comment in one piece. Indentation
 * behind the mark stays. */
static struct span strip_line(const struct comment_style *style, const char *text, struct span line,
                              bool is_piece)
{
    struct span bare = strip(text, line);

    if (is_piece && bare.start < bare.end && text[bare.start] == '*' &&
        strchr(style->doc_line, '*')) {
        bare.start++;
        return bare;
    }
    if (is_piece || !begins_with(text, bare, style->line))
        return (struct span){line.start, bare.end > line.start ? bare.end : line.start};
    bare.start += strlen(style->line);
    char repeated = style->line[strlen(style->line) - 1];
    while (bare.start < bare.end && (text[bare.start] == repeated || text[bare.start] == '!'))
        bare.start++;
    return bare;
}

static size_t indent_of(const char *text, struct span line)
{
    return strip(text, line).start - line.start;
}

/* The line that begins at `at`, without its end. */
static struct span line_at(const char *text, size_t at, size_t end)
{
    const char *newline = memchr(text + at, '\n', end - at);

    return (struct span){at, newline ? (size_t)(newline - text) : end};
}

size_t comment_prose(const struct language *language, const char *text, struct span range,
                     char *prose)
{
    const struct comment_style *style = language_comments(language);
    bool is_piece;
    struct span all = strip_piece(style, text, range, &is_piece);
    size_t common = (size_t)-1, bytes = 0, blank_lines = 0;

    /* the first line of a docstring or piece stands behind its mark, so its indentation says nothing */
    for (size_t at = all.start; at < all.end;) {
        struct span raw = line_at(text, at, all.end);
        struct span line = strip_line(style, text, raw, is_piece);
        bool counts =
            line.start < line.end && (at > all.start || begins_with(text, all, style->line));
        if (counts && indent_of(text, line) < common)
            common = indent_of(text, line);
        at = raw.end + 1;
    }

    for (size_t at = all.start; at < all.end;) {
        struct span raw = line_at(text, at, all.end);
        struct span line = strip_line(style, text, raw, is_piece);
        size_t indent = indent_of(text, line);
        bool is_first = at == all.start && !begins_with(text, all, style->line);
        at = raw.end + 1;
        if (indent == line.end - line.start) {
            blank_lines += bytes > 0;
            continue;
        }
        /* empty lines only between others */
        for (blank_lines += bytes > 0; blank_lines > 0; blank_lines--)
            prose[bytes++] = '\n';
        line.start += is_first || indent < common ? indent : common;
        memcpy(prose + bytes, text + line.start, line.end - line.start);
        bytes += line.end - line.start;
    }
    return bytes;
}
