/* Works line by line on a small growing buffer: the texts are a screenful at most, and clarity is worth more than copies. */
#include "lsp/errand/prose.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/byte.h"

/* --- a text that grows ------------------------------------------------------------------------------------------------ */

struct buffer {
    char *bytes; /* [count], NUL-terminated; NULL after memory was exhausted */
    size_t count, capacity;
};

static void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){.bytes = calloc(1, 1), .capacity = 1};
}

static void buffer_add(struct buffer *buffer, const char *bytes, size_t count)
{
    if (!buffer->bytes)
        return;
    if (buffer->count + count + 1 > buffer->capacity) {
        const size_t capacity = 2 * (buffer->count + count + 1);
        char *grown = realloc(buffer->bytes, capacity);
        if (!grown)
            free(buffer->bytes);
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    if (!buffer->bytes)
        return;
    memcpy(buffer->bytes + buffer->count, bytes, count);
    buffer->count += count;
    buffer->bytes[buffer->count] = '\0';
}

static void buffer_put(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

/* --- lines ------------------------------------------------------------------------------------------------------------ */

struct line {
    const char *bytes; /* [count], without its line end */
    size_t count;
};

/* The line at *at, which moves to the next one; false behind the last. */
static bool next_line(const char *text, size_t bytes, size_t *at, struct line *line)
{
    if (*at >= bytes)
        return false;
    const char *end = memchr(text + *at, '\n', bytes - *at);
    line->bytes = text + *at;
    line->count = end ? (size_t)(end - line->bytes) : bytes - *at;
    *at += line->count + 1;
    return true;
}

static struct line trim_end(struct line line)
{
    while (line.count > 0 && byte_is_space(line.bytes[line.count - 1]))
        line.count--;
    return line;
}

static struct line trim(struct line line)
{
    while (line.count > 0 && byte_is_space(*line.bytes)) {
        line.bytes++;
        line.count--;
    }
    return trim_end(line);
}

static bool begins_with(struct line line, struct line mark)
{
    return line.count >= mark.count && memcmp(line.bytes, mark.bytes, mark.count) == 0;
}

/* A mark of a style without the white space around it. */
static struct line mark_of(const char *text)
{
    return trim((struct line){text, strlen(text)});
}

/* --- out of what a model wrote ---------------------------------------------------------------------------------------- */

size_t prose_comment_end(const struct comment_style *style, const char *text, size_t bytes,
                         bool *ended)
{
    const struct line close = mark_of(style->doc_close), mark = mark_of(style->doc_line);
    size_t at = 0, lines = 0;
    struct line line;

    *ended = true;
    while (next_line(text, bytes, &at, &line)) {
        const struct line content = trim(line);
        const size_t start = (size_t)(line.bytes - text);
        const char *closed =
            close.count ? memmem(line.bytes, line.count, close.bytes, close.count) : NULL;
        if (closed)
            return (size_t)(closed - text);
        if (++lines > PROSE_LINES_MAX)
            return start;

        /* without a mark that closes it, a comment ends where a line does not begin like one */
        const bool is_whole = start + line.count < bytes;
        if (!close.count && lines > 1 && !begins_with(content, mark) &&
            (is_whole || !begins_with(mark, content)))
            return start;
    }
    *ended = false;
    return bytes;
}

/* Whether `line` stands in `text` already. */
static bool is_said(const char *text, size_t bytes, struct line line)
{
    size_t at = 0;
    struct line said;

    while (next_line(text, bytes, &at, &said)) {
        if (said.count == line.count && memcmp(said.bytes, line.bytes, line.count) == 0)
            return true;
    }
    return false;
}

static bool has_word(struct line line)
{
    for (size_t i = 0; i < line.count; i++) {
        const unsigned char byte = (unsigned char)line.bytes[i];
        if (byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
            return true;
    }
    return false;
}

char *prose_of_comment(const struct comment_style *style, const char *text, size_t bytes)
{
    const struct line mark = mark_of(style->doc_line);
    struct buffer out;
    size_t at = 0, empty = 0;
    struct line line;
    bool ended, is_first = true;

    buffer_init(&out);
    bytes = prose_comment_end(style, text, bytes, &ended);
    for (; next_line(text, bytes, &at, &line); is_first = false) {
        struct line said = trim(line);
        if (!is_first && mark.count && begins_with(said, mark))
            said = trim((struct line){said.bytes + mark.count, said.count - mark.count});
        if (!has_word(said)) {
            empty++;
            continue;
        }
        if (!out.bytes || is_said(out.bytes, out.count, said))
            continue;
        if (out.count)
            buffer_put(&out, empty ? "\n\n" : "\n");
        buffer_add(&out, said.bytes, said.count);
        empty = 0;
    }
    return out.bytes;
}

char *prose_of_answer(const char *text, size_t bytes)
{
    struct line all = trim((struct line){text, bytes});

    /* a fence around everything: its first line may name a language */
    if (all.count > 6 && memcmp(all.bytes, "```", 3) == 0 &&
        memcmp(all.bytes + all.count - 3, "```", 3) == 0) {
        const char *end = memchr(all.bytes, '\n', all.count);
        if (end) {
            all.count -= (size_t)(end + 1 - all.bytes) + 3;
            all.bytes = end + 1;
            all = trim(all);
        }
    }
    if (all.count > 1 && *all.bytes == '"' && all.bytes[all.count - 1] == '"' &&
        !memchr(all.bytes + 1, '"', all.count - 2))
        all = trim((struct line){all.bytes + 1, all.count - 2});

    struct buffer out;
    buffer_init(&out);
    size_t at = 0;
    struct line line;
    while (next_line(all.bytes, all.count, &at, &line)) {
        line = trim_end(line);
        buffer_add(&out, line.bytes, line.count);
        if (at < all.count)
            buffer_put(&out, "\n");
    }
    return out.bytes;
}

size_t prose_stutter(const char *text, size_t bytes)
{
    enum { PERIOD_MIN = 4, PERIOD_MAX = 120, TIMES = 4 };

    for (size_t period = PERIOD_MIN; period <= PERIOD_MAX && period * TIMES <= bytes; period++) {
        size_t same = 0;
        while (same + period < bytes && text[bytes - 1 - same] == text[bytes - 1 - same - period])
            same++;
        if (same < period * (TIMES - 1))
            continue;

        /* indentation and rulers repeat a byte; that is no stutter */
        const struct line first = {text + bytes - period, period};
        if (has_word(first))
            return bytes - same;
    }
    return bytes;
}

size_t prose_sentence_end(const char *text, size_t bytes)
{
    for (size_t at = bytes; at > 0; at--) {
        const bool is_end = strchr(".!?", text[at - 1]) && text[at - 1];
        if (is_end && (at == bytes || byte_is_space(text[at])))
            return at;
    }
    return 0;
}

size_t prose_code_end(const char *text, size_t bytes, bool *ended)
{
    size_t at = 0;
    struct line line;

    *ended = true;
    while (next_line(text, bytes, &at, &line)) {
        if (begins_with(trim(line), mark_of("```")))
            return (size_t)(line.bytes - text);
    }
    *ended = false;
    return bytes;
}

/* --- into the text ---------------------------------------------------------------------------------------------------- */

/* Where marks are quotation marks, the words follow them at once. */
static const char *gap(const struct comment_style *style)
{
    return *style->doc_open && strchr("\"'", *style->doc_open) ? "" : " ";
}

char *prose_comment_opening(const struct comment_style *style, const char *indent)
{
    struct buffer out;

    buffer_init(&out);
    buffer_put(&out, indent);
    buffer_put(&out, style->doc_open);
    if (*style->doc_open && *style->doc_line) {
        buffer_put(&out, "\n");
        buffer_put(&out, indent);
    } else if (*style->doc_open) {
        buffer_put(&out, gap(style));
    }
    buffer_put(&out, style->doc_line);
    return out.bytes;
}

/* Bytes of the first line when `line` is broken at a space so as to be `columns` long at most; a longer word stays whole. */
static size_t break_at(struct line line, size_t columns)
{
    size_t at = 0, column = 0, space = 0;

    for (; at < line.count && (column <= columns || space == 0); at++) {
        if (line.bytes[at] == ' ' && at > 0)
            space = at;
        column += ((unsigned char)line.bytes[at] & 0xC0) != 0x80;
    }
    return at == line.count && column <= columns ? line.count : space ? space : line.count;
}

/* Sentences as lines of a width; inside a comment, what ends it is taken apart. */
static char *wrap(const char *sentences, size_t columns, struct line close)
{
    struct buffer out;
    size_t at = 0;
    struct line line;

    buffer_init(&out);
    while (next_line(sentences, strlen(sentences), &at, &line)) {
        do {
            const size_t count = break_at(line, columns);
            for (size_t i = 0; i < count; i++) {
                const struct line rest = {line.bytes + i, count - i};
                buffer_add(&out, line.bytes + i, 1);
                if (close.count && begins_with(rest, close))
                    buffer_put(&out, " ");
            }
            buffer_put(&out, "\n");
            line = trim((struct line){line.bytes + count, line.count - count});
        } while (line.count > 0);
    }
    return out.bytes;
}

/* One line of a comment: what it begins with, and its words. */
static void put_line(struct buffer *out, const char *indent, const char *begin, struct line words)
{
    const size_t start = out->count;

    buffer_put(out, indent);
    buffer_put(out, begin);
    buffer_add(out, words.bytes, words.count);
    if (out->bytes) {
        while (out->count > start && byte_is_space(out->bytes[out->count - 1]))
            out->count--;
        out->bytes[out->count] = '\0';
    }
    buffer_put(out, "\n");
}

/* Everything on one line: open, words, close. */
static void put_single(struct buffer *out, const struct comment_style *style, const char *indent,
                       struct line words)
{
    const struct line close = mark_of(style->doc_close);

    buffer_put(out, indent);
    buffer_put(out, style->doc_open);
    buffer_put(out, gap(style));
    buffer_add(out, words.bytes, words.count);
    buffer_put(out, gap(style));
    buffer_add(out, close.bytes, close.count);
    buffer_put(out, "\n");
}

char *prose_comment(const struct comment_style *style, const char *indent, const char *sentences)
{
    const struct line close = mark_of(style->doc_close);
    const size_t taken = strlen(indent) + strlen(style->doc_line);
    const size_t columns =
        taken + PROSE_COLUMNS_MIN > PROSE_COLUMNS ? PROSE_COLUMNS_MIN : PROSE_COLUMNS - taken;
    char *lines = wrap(sentences, columns, close);
    const size_t bytes = lines ? strlen(lines) : 0;
    const size_t around = strlen(style->doc_open) + close.count + 2 * strlen(gap(style));
    const struct line nothing = {"", 0};
    struct buffer out;
    size_t at = 0;
    struct line line;

    buffer_init(&out);
    bool is_open = !*style->doc_open;
    while (next_line(lines, bytes, &at, &line)) {
        if (!is_open && at >= bytes && strlen(indent) + around + line.count <= PROSE_COLUMNS) {
            put_single(&out, style, indent, line);
            free(lines);
            return out.bytes;
        }

        /* docstrings begin behind their quotation marks, other comments on a line of their own */
        const bool begins_here = !is_open && !*gap(style);
        if (!is_open && !begins_here)
            put_line(&out, indent, style->doc_open, nothing);
        put_line(&out, indent, begins_here ? style->doc_open : style->doc_line, line);
        is_open = true;
    }
    if (*style->doc_close)
        put_line(&out, indent, style->doc_close, nothing);
    free(lines);
    return out.bytes;
}

/* White space that all lines with anything on them begin with, in bytes. */
static size_t common_indent(const char *code, size_t bytes)
{
    const char *first = NULL;
    size_t at = 0, common = SIZE_MAX;
    struct line line;

    while (next_line(code, bytes, &at, &line)) {
        size_t same = 0;
        if (trim(line).count == 0)
            continue;
        first = first ? first : line.bytes;
        while (same < line.count && same < common && byte_is_blank(line.bytes[same]) &&
               line.bytes[same] == first[same])
            same++;
        common = same;
    }
    return common == SIZE_MAX ? 0 : common;
}

char *prose_indent(const char *code, size_t bytes, const char *indent)
{
    const size_t common = common_indent(code, bytes);
    struct buffer out;
    size_t at = 0, empty = 0;
    struct line line;

    buffer_init(&out);
    while (next_line(code, bytes, &at, &line)) {
        line = trim_end(line);
        if (line.count == 0) {
            empty++;
            continue;
        }
        for (; out.count && empty > 0; empty--)
            buffer_put(&out, "\n");
        if (out.count)
            buffer_put(&out, "\n");
        buffer_put(&out, indent);
        buffer_add(&out, line.bytes + common, line.count - common);
        empty = 0;
    }
    return out.bytes;
}
