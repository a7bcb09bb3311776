/* The text of one document: bytes, lines, and the places in it that the protocol names by line and column.
 *
 * A text owns one growing buffer and an index of its line starts that follows every edit, so that finding a line costs a
 * table look-up and an edit costs one move of what lies behind it. Outside this file and its header places are byte
 * offsets; encodings stop here. Lives as long as its document; the loop thread alone uses it.
 */
#ifndef LSP_TEXT_H
#define LSP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

enum { TEXT_LIMIT_BYTES = 32 * 1024 * 1024 };

/* What one column is (LSP 3.17, PositionEncodingKind). A byte that belongs to no well-formed UTF-8 sequence is one unit in
 * each of them. */
enum text_encoding {
    TEXT_UTF8,  /* a byte */
    TEXT_UTF16, /* a code unit: two above U+FFFF */
    TEXT_UTF32, /* a code point */
};

/* What ends a line. Editors that treat '\r' as an ordinary character count columns and lines differently from the protocol,
 * so a server that followed its rule for them would lose its place. */
enum text_lines {
    TEXT_LINES_PROTOCOL, /* "\n", "\r\n" and "\r": the rule of LSP */
    TEXT_LINES_NEWLINE,  /* only "\n"; any '\r' before it is a character that columns count */
};

/* Zero-based, as in the protocol. */
struct text_position {
    size_t line;
    size_t column; /* in units of an encoding */
};

/* A copy of `bytes`. NULL when it is larger than TEXT_LIMIT_BYTES or memory is exhausted. */
struct text *text_create(enum text_lines lines, const char *bytes, size_t count);
void text_destroy(struct text *text);

/* Contents, followed by a NUL that does not count; valid until the next text_replace. */
const char *text_bytes(const struct text *text);
size_t text_size(const struct text *text);

/* Lines are counted from zero; there is always at least one, and a final line end is followed by an empty line. */
size_t text_line_count(const struct text *text);

/* Offset of a line's first byte, and of its line end; the size of the text for lines that do not exist. */
size_t text_line_start(const struct text *text, size_t line);
size_t text_line_end(const struct text *text, size_t line);

/* The offset of a position. Columns past the line's end mean its end and lines past the last one the end of the text (LSP:
 * "defaults back to the line length"); a column inside a character means its start. */
size_t text_offset(const struct text *text, enum text_encoding encoding,
                   struct text_position position);

/* The position of an offset. Inside a character it is the character's, inside a line end the line's end, past the text the
 * text's end. */
struct text_position text_position_at(const struct text *text, enum text_encoding encoding,
                                      size_t offset);

/* Puts `count` bytes in the place of [start, end); offsets beyond the text mean its end, and an `end` before `start` means
 * `start`. `bytes` must not point into the text. False, the text unchanged, when it would exceed TEXT_LIMIT_BYTES or memory
 * is exhausted. */
bool text_replace(struct text *text, size_t start, size_t end, const char *bytes, size_t count);

/* Bytes of the well-formed UTF-8 sequence that begins at `bytes` and ends before `end`, at least one: 1 to 4, or 1 for a byte
 * that begins none (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
size_t text_character_bytes(const char *bytes, const char *end);

#endif
