/* The unread bytes stay in one buffer. A header is looked for until its empty line is there (a bounded search, headers being
 * small); from then on only lengths are compared, so a body that arrives byte by byte costs nothing extra. The buffer grows
 * with the bytes that did arrive, never with the length that a header promises. */
#include "lsp/protocol/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lsp/byte.h"

enum { LENGTH_DIGITS_MAX = 18 }; /* fits 64 bits */

void frame_reader_init(struct frame_reader *reader)
{
    *reader = (struct frame_reader){0};
}

void frame_reader_finish(struct frame_reader *reader)
{
    free(reader->bytes);
    frame_reader_init(reader);
}

/* Moves the unread bytes to the front, and gives a large buffer back once it is empty. */
static void reader_compact(struct frame_reader *reader)
{
    size_t unread = reader->end - reader->start;
    if (unread == 0 && reader->capacity > FRAME_KEEP_BYTES) {
        free(reader->bytes);
        reader->bytes = NULL;
        reader->capacity = 0;
    } else if (reader->start > 0) {
        memmove(reader->bytes, reader->bytes + reader->start, unread);
    }
    reader->start = 0;
    reader->end = unread;
}

/* Drops what belongs to a refused body. */
static void reader_skip(struct frame_reader *reader)
{
    size_t unread = reader->end - reader->start;
    size_t count = reader->skip_bytes < unread ? (size_t)reader->skip_bytes : unread;
    reader->start += count;
    reader->skip_bytes -= count;
}

bool frame_reader_push(struct frame_reader *reader, const char *bytes, size_t count)
{
    reader_compact(reader);

    size_t needed = reader->end + count;
    if (needed > reader->capacity) {
        size_t capacity = reader->capacity * 2 > needed ? reader->capacity * 2 : needed;
        char *grown = realloc(reader->bytes, capacity);
        if (!grown)
            return false;
        reader->bytes = grown;
        reader->capacity = capacity;
    }
    memcpy(reader->bytes + reader->end, bytes, count);
    reader->end += count;
    reader_skip(reader);
    return true;
}

/* What the header lines said. */
struct header {
    bool has_length;
    uint64_t length;
    bool is_utf8;
};

static bool length_parse(const char *text, size_t bytes, uint64_t *length)
{
    if (bytes == 0 || bytes > LENGTH_DIGITS_MAX)
        return false;

    *length = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (!byte_is_digit(text[i]))
            return false;
        *length = *length * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

/* A content type without charset means UTF-8; the protocol wants "utf8" understood too. */
static bool type_is_utf8(const char *value)
{
    const char *charset = strcasestr(value, "charset=");
    if (!charset)
        return true;

    charset += strlen("charset=");
    charset += *charset == '"';
    return strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "utf8", 4) == 0;
}

/* One NUL-terminated line; unknown fields are allowed, a second or unreadable length is not. */
static bool header_line(struct header *header, char *line)
{
    char *value = strchr(line, ':');
    if (!value)
        return false;

    *value++ = '\0';
    value += strspn(value, " \t");
    size_t bytes = strlen(value);
    while (bytes > 0 && byte_is_blank(value[bytes - 1]))
        bytes--;

    if (strcasecmp(line, "Content-Length") == 0) {
        if (header->has_length || !length_parse(value, bytes, &header->length))
            return false;
        header->has_length = true;
    } else if (strcasecmp(line, "Content-Type") == 0) {
        header->is_utf8 = type_is_utf8(value);
    }
    return true;
}

/* Reads all lines of text[0..bytes), each ended by CR LF. */
static bool header_parse(struct header *header, const char *text, size_t bytes)
{
    char copy[FRAME_HEADER_BYTES + 1];
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    if (strlen(copy) != bytes)
        return false;

    *header = (struct header){.is_utf8 = true};
    for (char *line = copy, *end; *line; line = end + 2) {
        end = strstr(line, "\r\n");
        if (!end)
            return false;
        *end = '\0';
        if (!header_line(header, line))
            return false;
    }
    return header->has_length;
}

/* Printable beginning of bytes that are no header, for the one line that a user will read. */
static enum frame_status reader_break(struct frame_reader *reader, struct error *error)
{
    char shown[33];
    size_t count = 0;
    const char *bytes = reader->bytes + reader->start;
    size_t unread = reader->end - reader->start;
    for (; count < unread && count + 1 < sizeof shown; count++)
        shown[count] = bytes[count] >= ' ' && bytes[count] <= '~' ? bytes[count] : '.';
    shown[count] = '\0';

    reader->broken = true;
    error_set(
        error, ERROR_INPUT,
        "expected a header with one Content-Length, got \"%s\"; is an editor at the other end?",
        shown);
    return FRAME_BROKEN;
}

/* Whether the unread bytes can still become a header; tells garbage from the first bytes on, so that it needs no empty
 * line to be noticed: a field name is made of letters and dashes. */
static bool can_be_header(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && bytes[i] != ':'; i++) {
        if (!byte_is_letter(bytes[i]) && bytes[i] != '-')
            return false;
    }
    return true;
}

/* Looks for a header at the front; FRAME_MESSAGE means that it is there and has been consumed. */
static enum frame_status reader_header(struct frame_reader *reader, struct error *error)
{
    size_t unread = reader->end - reader->start;
    if (unread == 0)
        return FRAME_NEED_MORE;

    const char *text = reader->bytes + reader->start;
    size_t window = unread < FRAME_HEADER_BYTES ? unread : FRAME_HEADER_BYTES;
    const char *blank = memmem(text, window, "\r\n\r\n", 4);
    if (!blank && unread < FRAME_HEADER_BYTES && can_be_header(text, unread))
        return FRAME_NEED_MORE;

    struct header header;
    if (!blank || !can_be_header(text, unread) ||
        !header_parse(&header, text, (size_t)(blank - text) + 2))
        return reader_break(reader, error);
    reader->start += (size_t)(blank - text) + 4;

    /* a body that cannot be used is skipped as it comes */
    if (header.length > FRAME_BODY_BYTES || !header.is_utf8) {
        reader->skip_bytes = header.length;
        reader_skip(reader);
        error_set(error, ERROR_LIMIT,
                  header.is_utf8 ? "a message of %llu bytes is over the limit of %d"
                                 : "a message of %llu bytes is not in UTF-8",
                  (unsigned long long)header.length, FRAME_BODY_BYTES);
        return FRAME_REFUSED;
    }
    reader->has_header = true;
    reader->body_bytes = (size_t)header.length;
    return FRAME_MESSAGE;
}

enum frame_status frame_reader_next(struct frame_reader *reader, char **body, size_t *bytes,
                                    struct error *error)
{
    if (reader->broken)
        return reader_break(reader, error);
    if (!reader->has_header) {
        enum frame_status status = reader_header(reader, error);
        if (status != FRAME_MESSAGE)
            return status;
    }
    if (reader->end - reader->start < reader->body_bytes)
        return FRAME_NEED_MORE;

    *body = reader->bytes + reader->start;
    *bytes = reader->body_bytes;
    reader->start += reader->body_bytes;
    reader->has_header = false;
    return FRAME_MESSAGE;
}

char *frame_write(const char *body, size_t bytes, size_t *framed_bytes)
{
    char header[64];
    size_t header_bytes =
        (size_t)snprintf(header, sizeof header, "Content-Length: %zu\r\n\r\n", bytes);
    char *framed = malloc(header_bytes + bytes);
    if (!framed)
        return NULL;

    memcpy(framed, header, header_bytes);
    memcpy(framed + header_bytes, body, bytes);
    *framed_bytes = header_bytes + bytes;
    return framed;
}
