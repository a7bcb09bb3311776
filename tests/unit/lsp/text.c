/* text: positions in three encodings against tables, and long runs of random edits against a slow reference. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Positions */

struct position_case {
    const char *name;
    const char *text;
    enum text_lines lines;
    enum text_encoding encoding;
    size_t line, column;
    size_t offset;
    size_t back; /* the column that the offset is given as */
};

static const struct position_case position_cases[] = {
    {"start", "abc", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 0, 0, 0},
    {"within", "abc", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 2, 2, 2},
    {"end", "abc", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 3, 3, 3},
    {"overlong column clamps", "abc\ndef", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 99, 3, 3},
    {"overlong before \\r\\n", "abc\r\ndef", TEXT_LINES_PROTOCOL, TEXT_UTF8, 0, 4, 3, 3},
    {"overlong before \\r", "abc\rdef", TEXT_LINES_PROTOCOL, TEXT_UTF8, 0, 4, 3, 3},
    {"line after \\r", "abc\rdef", TEXT_LINES_PROTOCOL, TEXT_UTF8, 1, 1, 5, 1},
    {"line after \\r\\n", "abc\r\ndef", TEXT_LINES_PROTOCOL, TEXT_UTF8, 1, 1, 6, 1},
    {"empty last line", "abc\n", TEXT_LINES_PROTOCOL, TEXT_UTF8, 1, 5, 4, 0},
    {"two \\r then \\n", "\r\r\nx", TEXT_LINES_PROTOCOL, TEXT_UTF8, 2, 1, 4, 1},
    {"\\r ordinary", "ab\rcd\nef", TEXT_LINES_NEWLINE, TEXT_UTF16, 0, 4, 4, 4},
    {"\\r before \\n is reached", "ab\r\ncd", TEXT_LINES_NEWLINE, TEXT_UTF16, 0, 3, 3, 3},
    {"line after \\r\\n, newline rule", "ab\r\ncd", TEXT_LINES_NEWLINE, TEXT_UTF16, 1, 1, 5, 1},
    {"emoji utf-8", "x😀y", TEXT_LINES_PROTOCOL, TEXT_UTF8, 0, 5, 5, 5},
    {"emoji utf-16", "x😀y", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 3, 5, 3},
    {"emoji utf-32", "x😀y", TEXT_LINES_PROTOCOL, TEXT_UTF32, 0, 2, 5, 2},
    {"inside utf-8 sequence", "x😀y", TEXT_LINES_PROTOCOL, TEXT_UTF8, 0, 3, 1, 1},
    {"inside surrogate pair", "x😀y", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 2, 1, 1},
    {"combining mark", "e\xCC\x81z", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 2, 3, 2},
    {"cjk", "漢字", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 1, 3, 1},
    {"long ascii then emoji", "0123456789abcdef😀!", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 18, 20, 18},
    {"line separator is no line end", "a\xE2\x80\xA8z", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 2, 4,
     2},
    {"invalid bytes are units", "a\xFF\xC0z", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 3, 3, 3},
    {"cut sequence", "\xF0\x9F\x98", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 2, 2, 2},
    {"encoded surrogate", "\xED\xA0\x80z", TEXT_LINES_PROTOCOL, TEXT_UTF32, 0, 3, 3, 3},
    {"overlong form", "\xE0\x9F\xBFz", TEXT_LINES_PROTOCOL, TEXT_UTF32, 0, 3, 3, 3},
    {"shortest three bytes", "\xE0\xA0\x80z", TEXT_LINES_PROTOCOL, TEXT_UTF32, 0, 1, 3, 1},
    {"above U+10FFFF", "\xF4\x90\x80\x80z", TEXT_LINES_PROTOCOL, TEXT_UTF16, 0, 4, 4, 4},
};

static void position_of_column_maps_both_ways(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(position_cases); i++) {
        const struct position_case *c = &position_cases[i];
        struct text *text = text_create(c->lines, c->text, strlen(c->text));
        struct text_position position = {.line = c->line, .column = c->column};

        size_t offset = text_offset(text, c->encoding, position);
        struct text_position back = text_position_at(text, c->encoding, offset);
        if (offset != c->offset || back.line != c->line || back.column != c->back)
            fail_msg("%s: offset %zu, back %zu:%zu", c->name, offset, back.line, back.column);
        text_destroy(text);
    }
}

static void position_past_the_text_clamps(void **state)
{
    (void)state;
    struct text *text = text_create(TEXT_LINES_PROTOCOL, "ab\r\nc", 5);

    assert_int_equal(text_offset(text, TEXT_UTF16, (struct text_position){.line = 9}), 5);
    assert_int_equal(text_line_start(text, 2), 5);
    assert_int_equal(text_line_end(text, 2), 5);

    /* between '\r' and '\n', and beyond the end */
    struct text_position position = text_position_at(text, TEXT_UTF16, 3);
    assert_int_equal(position.line, 0);
    assert_int_equal(position.column, 2);
    position = text_position_at(text, TEXT_UTF16, 99);
    assert_int_equal(position.line, 1);
    assert_int_equal(position.column, 1);
    text_destroy(text);
}

static void replace_beyond_limit_leaves_text(void **state)
{
    (void)state;
    char *big = calloc(1, TEXT_LIMIT_BYTES + 1);
    struct text *text = text_create(TEXT_LINES_PROTOCOL, big, TEXT_LIMIT_BYTES);

    assert_non_null(text);
    assert_false(text_replace(text, 0, 0, "x", 1));
    assert_true(text_replace(text, 0, 1, "x", 1));
    assert_int_equal(text_size(text), TEXT_LIMIT_BYTES);
    assert_null(text_create(TEXT_LINES_PROTOCOL, big, TEXT_LIMIT_BYTES + 1));
    text_destroy(text);
    free(big);
}

/* Random edits against a reference that keeps an array of characters and finds every place by walking from the start */

enum { REFERENCE_CHARACTERS = 4096, REFERENCE_EDITS = 10000 };

struct character {
    char bytes[4];
    size_t count; /* bytes */
    size_t units[3];
};

struct reference {
    struct character characters[REFERENCE_CHARACTERS];
    size_t count;
};

/* Pieces that edits are made of. Each is one character however its neighbours change, but for what is invalid. */
static const char *const pieces[] = {
    "a",
    "b",
    " ",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "(",
    "é",
    "e\xCC\x81",
    "漢",
    "😀",
    "\U0001F468\u200D\U0001F469",
    "\xFF",
    "\xC3",
    "\xE2\x82",
    "\x80",
    "0123456789",
};

/* Decodes by computing the code point and judging that, not by a table of byte ranges. */
static size_t decode(const char *text, size_t room, uint32_t *code)
{
    const unsigned char *at = (const unsigned char *)text;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = 0;

    *code = at[0];
    if (at[0] < 0x80)
        return 1;
    while (length < 8 && (at[0] << length & 0x80))
        length++;
    if (length < 2 || length > 4 || length > room)
        return 0;
    *code = at[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (at[i] & 0x3Fu);
    }
    bool surrogate = *code >= 0xD800 && *code < 0xE000;
    return *code < smallest[length] || surrogate || *code > 0x10FFFF ? 0 : length;
}

static void reference_read(struct reference *reference, const char *bytes, size_t size)
{
    reference->count = 0;
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t length = decode(bytes + at, size - at, &code);
        struct character *character = &reference->characters[reference->count++];

        assert_true(reference->count < REFERENCE_CHARACTERS);
        character->units[TEXT_UTF16] = length > 0 && code > 0xFFFF ? 2 : 1;
        character->units[TEXT_UTF32] = 1;
        length = length > 0 ? length : 1;
        character->units[TEXT_UTF8] = character->count = length;
        memcpy(character->bytes, bytes + at, length);
        at += length;
    }
}

static size_t reference_write(const struct reference *reference, char *bytes)
{
    size_t size = 0;

    for (size_t i = 0; i < reference->count; i++) {
        memcpy(bytes + size, reference->characters[i].bytes, reference->characters[i].count);
        size += reference->characters[i].count;
    }
    return size;
}

/* Characters of the line end at `index`, 0 where there is none. */
static size_t reference_line_end(const struct reference *reference, enum text_lines lines,
                                 size_t index)
{
    char here = reference->characters[index].bytes[0];
    bool newline_follows =
        index + 1 < reference->count && reference->characters[index + 1].bytes[0] == '\n';

    if (here == '\n')
        return 1;
    if (here != '\r' || lines == TEXT_LINES_NEWLINE)
        return 0;
    return newline_follows ? 2 : 1;
}

/* Index of the character that a position names. */
static size_t reference_index(const struct reference *reference, enum text_lines lines,
                              enum text_encoding encoding, struct text_position position)
{
    size_t index = 0;

    for (size_t line = 0; line < position.line && index < reference->count;) {
        size_t end = reference_line_end(reference, lines, index);
        line += end > 0;
        index += end > 0 ? end : 1;
    }
    for (size_t column = 0; index < reference->count; index++) {
        column += reference->characters[index].units[encoding];
        if (column > position.column || reference_line_end(reference, lines, index) > 0)
            break;
    }
    return index;
}

/* Small and repeatable; the constants are those of the C standard's own example of rand. */
static uint32_t random_below(uint32_t *seed, uint32_t limit)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % limit;
}

static size_t random_insertion(uint32_t *seed, size_t limit, char *bytes)
{
    size_t size = 0;

    for (size_t i = random_below(seed, 6); i > 0; i--) {
        const char *piece = pieces[random_below(seed, COUNT(pieces))];
        if (size + strlen(piece) <= limit) {
            memcpy(bytes + size, piece, strlen(piece));
            size += strlen(piece);
        }
    }
    return size;
}

/* One edit between two random positions of both, the reference being spliced as bytes read anew, because halves of characters
 * can meet. */
static void edit_both(struct text *text, struct reference *reference, enum text_lines lines,
                      enum text_encoding encoding, uint32_t *seed)
{
    static char before[4 * REFERENCE_CHARACTERS], after[4 * REFERENCE_CHARACTERS];
    struct text_position from = {random_below(seed, 40), random_below(seed, 24)};
    struct text_position to = {from.line + random_below(seed, 3), random_below(seed, 24)};
    char inserted[256];
    size_t inserted_size = random_insertion(seed, sizeof inserted, inserted);

    size_t first = reference_index(reference, lines, encoding, from);
    size_t last = reference_index(reference, lines, encoding, to);
    last = last < first ? first : last;
    size_t start = text_offset(text, encoding, from);
    size_t end = text_offset(text, encoding, to);

    size_t size = reference_write(reference, before);
    size_t cut_start = 0, cut_end = 0;
    for (size_t i = 0; i < last; i++) {
        cut_start += i < first ? reference->characters[i].count : 0;
        cut_end += reference->characters[i].count;
    }
    memcpy(after, before, cut_start);
    memcpy(after + cut_start, inserted, inserted_size);
    memcpy(after + cut_start + inserted_size, before + cut_end, size - cut_end);
    size = cut_start + inserted_size + (size - cut_end);
    reference_read(reference, after, size);

    assert_true(text_replace(text, start, end, inserted, inserted_size));
    assert_int_equal(text_size(text), size);
    assert_memory_equal(text_bytes(text), after, size);
    assert_int_equal(text_bytes(text)[size], '\0');
}

/* The line table after edits equals that of a text made anew. */
static void check_lines(const struct text *text, enum text_lines lines)
{
    struct text *fresh = text_create(lines, text_bytes(text), text_size(text));

    assert_int_equal(text_line_count(text), text_line_count(fresh));
    for (size_t line = 0; line < text_line_count(fresh); line++) {
        assert_int_equal(text_line_start(text, line), text_line_start(fresh, line));
        assert_int_equal(text_line_end(text, line), text_line_end(fresh, line));
    }
    text_destroy(fresh);
}

static void random_edits_equal_reference(void **state)
{
    (void)state;
    static struct reference reference;

    for (int run = 0; run < 6; run++) {
        enum text_lines lines = run % 2 ? TEXT_LINES_NEWLINE : TEXT_LINES_PROTOCOL;
        enum text_encoding encoding = (enum text_encoding)(run / 2);
        struct text *text = text_create(lines, "", 0);
        uint32_t seed = 7919u + (uint32_t)run;

        reference.count = 0;
        for (int edit = 0; edit < REFERENCE_EDITS; edit++) {
            edit_both(text, &reference, lines, encoding, &seed);
            check_lines(text, lines);
            if (text_size(text) > 1500)
                assert_true(text_replace(text, 100, 1400, "", 0));
            reference_read(&reference, text_bytes(text), text_size(text));
        }
        text_destroy(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_of_column_maps_both_ways),
        cmocka_unit_test(position_past_the_text_clamps),
        cmocka_unit_test(replace_beyond_limit_leaves_text),
        cmocka_unit_test(random_edits_equal_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
