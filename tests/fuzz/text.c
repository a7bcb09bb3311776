/* Edits of a text: contents follow a plain array, and places named by line and column come back to the same offset.
 *
 * Input: two bytes that choose the rule of line ends and the encoding, then edits: start, end, length, and that many bytes.
 */
#include "lsp/text.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { REFERENCE_BYTES = 4096, EDITS_MAX = 64 };

struct reference {
    char bytes[REFERENCE_BYTES];
    size_t size;
};

static void reference_replace(struct reference *reference, size_t start, size_t end,
                              const char *bytes, size_t count)
{
    memmove(reference->bytes + start + count, reference->bytes + end, reference->size - end);
    memcpy(reference->bytes + start, bytes, count);
    reference->size += count - (end - start);
}

/* Lines tile the text, and every offset is on the line that its position names. */
static void check_places(const struct text *text, enum text_encoding encoding)
{
    const size_t lines = text_line_count(text);

    fuzz_check(lines > 0 && text_line_start(text, 0) == 0, "the first line begins the text");
    for (size_t line = 0; line < lines; line++) {
        const size_t start = text_line_start(text, line), end = text_line_end(text, line);
        fuzz_check(start <= end && end <= text_size(text), "a line lies within the text");
        fuzz_check(line + 1 == lines || end < text_line_start(text, line + 1),
                   "a line end stands between two lines");
    }
    for (size_t offset = 0; offset <= text_size(text); offset++) {
        const struct text_position position = text_position_at(text, encoding, offset);
        const size_t back = text_offset(text, encoding, position);
        const struct text_position again = text_position_at(text, encoding, back);
        fuzz_check(position.line < lines && back <= offset, "a position names a place before");
        fuzz_check(again.line == position.line && again.column == position.column,
                   "a place keeps its position");
    }
}

/* One edit of the input; returns the bytes it took. */
static size_t apply_edit(struct text *text, struct reference *reference, const uint8_t *data,
                         size_t size)
{
    const size_t length = data[2] < size - 3 ? data[2] : size - 3;
    size_t start = data[0] * (reference->size + 1) / 256;
    size_t end = start + data[1] * (reference->size - start + 1) / 256;

    if (reference->size + length > REFERENCE_BYTES)
        return size;
    fuzz_check(text_replace(text, start, end, (const char *)data + 3, length),
               "a small edit is possible");
    reference_replace(reference, start, end, (const char *)data + 3, length);
    fuzz_check(text_size(text) == reference->size &&
                   memcmp(text_bytes(text), reference->bytes, reference->size) == 0 &&
                   text_bytes(text)[reference->size] == '\0',
               "the text is what the edits say");
    return 3 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum text_encoding encodings[] = {TEXT_UTF8, TEXT_UTF16, TEXT_UTF32};
    struct reference reference = {.size = 0};

    if (size < 2)
        return 0;
    struct text *text = text_create(data[0] & 1 ? TEXT_LINES_NEWLINE : TEXT_LINES_PROTOCOL, "", 0);
    fuzz_check(text != NULL, "an empty text is possible");
    for (size_t at = 2, edits = 0; size - at > 3 && edits < EDITS_MAX; edits++) {
        at += apply_edit(text, &reference, data + at, size - at);
        check_places(text, encodings[data[1] % 3]);
    }
    text_destroy(text);
    return 0;
}
