/* One flat buffer and a sorted table of line starts.
 *
 * Flat, because parsers and prompts want the text in one piece; moving the tail of a megabyte takes some ten microseconds,
 * far below a key stroke. Whether a line starts at an offset depends on the byte before it and, after a '\r', on the byte
 * there. An edit of [start, end) can therefore only change the starts within [start, end]: these are replaced, those behind
 * are shifted.
 */
#include "lsp/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_SLACK_BYTES = 256, /* spare room of a new buffer */
    TEXT_SLACK_LINES = 64,
};

struct text {
    enum text_lines lines;
    char *bytes; /* [size] and a NUL */
    size_t size, capacity;
    uint32_t *starts; /* [line_count], ascending; the first is 0 */
    size_t line_count, line_capacity;
};

/* Characters */

static bool byte_continues(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The ranges that the second byte may have after some first bytes are those of RFC 3629's table of well-formed sequences. */
size_t text_character_bytes(const char *bytes, const char *end)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t room = (size_t)(end - bytes);
    size_t length = at[0] < 0xC2 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 1;

    if (length == 1 || length > room)
        return 1;
    unsigned char low = at[0] == 0xE0 ? 0xA0 : at[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = at[0] == 0xED ? 0x9F : at[0] == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high)
        return 1;
    for (size_t i = 2; i < length; i++) {
        if (!byte_continues(at[i]))
            return 1;
    }
    return length;
}

static size_t character_units(enum text_encoding encoding, size_t character_bytes)
{
    switch (encoding) {
    case TEXT_UTF8:
        return character_bytes;
    case TEXT_UTF16:
        return character_bytes == 4 ? 2 : 1;
    case TEXT_UTF32:
        break;
    }
    return 1;
}

/* Walks over whole characters from `at` while neither `end` nor `units` is passed; returns where it stopped and takes what it
 * walked from *units. Eight ASCII bytes at a time, since most lines are nothing else. */
static const char *skip_units(enum text_encoding encoding, const char *at, const char *end,
                              size_t *units)
{
    while (*units > 0 && at < end) {
        uint64_t word;
        if (end - at >= (ptrdiff_t)sizeof word && *units >= sizeof word) {
            memcpy(&word, at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof word;
                *units -= sizeof word;
                continue;
            }
        }
        size_t bytes = text_character_bytes(at, end);
        size_t width = character_units(encoding, bytes);
        if (width > *units)
            break;
        at += bytes;
        *units -= width;
    }
    return at;
}

/* Lines */

/* Whether a line starts at `offset` > 0; the NUL behind the text stands for "no '\n' here". */
static bool is_line_start(const struct text *text, size_t offset)
{
    char before = text->bytes[offset - 1];

    if (before == '\n')
        return true;
    return before == '\r' && text->lines == TEXT_LINES_PROTOCOL && text->bytes[offset] != '\n';
}

/* Index of the first line that starts at or after `offset`. */
static size_t first_line_from(const struct text *text, size_t offset)
{
    size_t low = 0, high = text->line_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text->starts[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Brings the line table up to date with bytes [start, old_end) having become [start, new_end). Room was reserved. */
static void update_lines(struct text *text, size_t start, size_t old_end, size_t new_end)
{
    size_t first = first_line_from(text, start > 0 ? start : 1);
    size_t last = first_line_from(text, old_end + 1);
    size_t tail = text->line_count - last;
    size_t added = 0;

    for (size_t at = start > 0 ? start : 1; at <= new_end; at++)
        added += is_line_start(text, at);
    memmove(text->starts + first + added, text->starts + last, tail * sizeof *text->starts);
    text->line_count = first + added + tail;

    size_t line = first;
    for (size_t at = start > 0 ? start : 1; line < first + added; at++) {
        if (is_line_start(text, at))
            text->starts[line++] = (uint32_t)at;
    }
    if (new_end != old_end) {
        for (; line < text->line_count; line++)
            text->starts[line] = (uint32_t)(text->starts[line] - old_end + new_end);
    }
}

/* Makes room for `size` bytes and `lines` lines, half as much again where it has to grow. */
static bool reserve(struct text *text, size_t size, size_t lines)
{
    if (size + 1 > text->capacity) {
        size_t capacity = size + size / 2 + TEXT_SLACK_BYTES;
        char *bytes = realloc(text->bytes, capacity);
        if (!bytes)
            return false;
        text->bytes = bytes;
        text->capacity = capacity;
    }
    if (lines > text->line_capacity) {
        size_t capacity = lines + lines / 2 + TEXT_SLACK_LINES;
        uint32_t *starts = realloc(text->starts, capacity * sizeof *starts);
        if (!starts)
            return false;
        text->starts = starts;
        text->line_capacity = capacity;
    }
    return true;
}

/* Line ends in `bytes`, or more: "\r\n" counts twice. */
static size_t count_line_bytes(const char *bytes, size_t count)
{
    size_t lines = 0;

    for (size_t i = 0; i < count; i++)
        lines += bytes[i] == '\n' || bytes[i] == '\r';
    return lines;
}

/* The text */

struct text *text_create(enum text_lines lines, const char *bytes, size_t count)
{
    struct text *text = calloc(1, sizeof *text);

    if (!text)
        return NULL;
    text->lines = lines;
    if (!reserve(text, 0, 1))
        goto fail;
    text->bytes[0] = '\0';
    text->starts[0] = 0;
    text->line_count = 1;
    if (!text_replace(text, 0, 0, bytes, count))
        goto fail;
    return text;

fail:
    text_destroy(text);
    return NULL;
}

void text_destroy(struct text *text)
{
    if (!text)
        return;
    free(text->bytes);
    free(text->starts);
    free(text);
}

const char *text_bytes(const struct text *text)
{
    return text->bytes;
}

size_t text_size(const struct text *text)
{
    return text->size;
}

size_t text_line_count(const struct text *text)
{
    return text->line_count;
}

size_t text_line_start(const struct text *text, size_t line)
{
    return line < text->line_count ? text->starts[line] : text->size;
}

size_t text_line_end(const struct text *text, size_t line)
{
    if (line + 1 >= text->line_count)
        return text->size;

    size_t end = text->starts[line + 1] - 1;
    bool pair = text->lines == TEXT_LINES_PROTOCOL && text->bytes[end] == '\n' &&
                end > text->starts[line] && text->bytes[end - 1] == '\r';
    return pair ? end - 1 : end;
}

size_t text_offset(const struct text *text, enum text_encoding encoding,
                   struct text_position position)
{
    const char *start = text->bytes + text_line_start(text, position.line);
    const char *end = text->bytes + text_line_end(text, position.line);

    return (size_t)(skip_units(encoding, start, end, &position.column) - text->bytes);
}

struct text_position text_position_at(const struct text *text, enum text_encoding encoding,
                                      size_t offset)
{
    size_t past = first_line_from(text, offset + 1);
    struct text_position position = {.line = past - 1};
    const char *at = text->bytes + text_line_start(text, position.line);
    const char *end = text->bytes + text_line_end(text, position.line);
    const char *target = offset < text->size ? text->bytes + offset : text->bytes + text->size;

    while (at < end && at < target) {
        size_t bytes = text_character_bytes(at, end);
        if (bytes > (size_t)(target - at))
            break;
        position.column += character_units(encoding, bytes);
        at += bytes;
    }
    return position;
}

bool text_replace(struct text *text, size_t start, size_t end, const char *bytes, size_t count)
{
    start = start < text->size ? start : text->size;
    end = end < start ? start : end < text->size ? end : text->size;

    size_t kept = text->size - (end - start);
    if (count > TEXT_LIMIT_BYTES || kept > TEXT_LIMIT_BYTES - count)
        return false;

    /* reserve first, so that a failure leaves everything as it was; one more line for a '\r' that loses its '\n' */
    size_t size = kept + count;
    if (!reserve(text, size, text->line_count + count_line_bytes(bytes, count) + 1))
        return false;

    memmove(text->bytes + start + count, text->bytes + end, text->size - end);
    if (count > 0)
        memcpy(text->bytes + start, bytes, count);
    text->bytes[size] = '\0';
    text->size = size;
    update_lines(text, start, end, start + count);
    return true;
}
