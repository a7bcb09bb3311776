/* Texts are compared by their words, so that other marks, another case or other line breaks make no difference. A line of code
 * is never an echo, whatever it says: "# git push" may well ask for `git push`. */
#include "lsp/errand/echo.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "lsp/lines.h"

/* Words in lower case with a space before and behind each. */
struct words {
    char text[ECHO_BYTES_MAX]; /* NUL-terminated */
    size_t count;
};

static void words_add(struct words *words, const char *text, size_t bytes)
{
    if (words->count == 0)
        words->text[words->count++] = ' ';
    for (size_t i = 0; i < bytes && words->count + 2 < sizeof words->text; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if (isalnum(byte) || byte >= 0x80)
            words->text[words->count++] = (char)tolower(byte);
        else if (words->text[words->count - 1] != ' ')
            words->text[words->count++] = ' ';
    }
    if (words->text[words->count - 1] != ' ')
        words->text[words->count++] = ' ';
    words->text[words->count] = '\0';
}

/* Of the last lines of `asked` before which there is an empty one. */
static void words_asked(struct words *words, const char *asked)
{
    size_t end = strlen(asked), start;

    while (end > 0 && strchr(" \t\r\n", asked[end - 1]))
        end--;
    start = lines_start(asked, end);
    for (int i = 1; i < ECHO_LINES_MAX && start > 0; i++) {
        const size_t above = lines_start(asked, start - 1);
        if (lines_are_blank(asked, above, start))
            break;
        start = above;
    }
    words_add(words, asked + start, end - start);
}

static bool begins_with(const char *text, size_t bytes, const char *mark)
{
    mark += strspn(mark, " ");
    const size_t count = strcspn(mark, " ");
    return count > 0 && count <= bytes && memcmp(text, mark, count) == 0;
}

/* A line that begins like a comment, or like one that goes on or ends. */
static bool is_comment(const struct comment_style *style, const char *line, size_t bytes)
{
    const char *const marks[] = {style->line,     style->open,     style->close,
                                 style->doc_open, style->doc_line, style->doc_close};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (begins_with(line, bytes, marks[i]))
            return true;
    }
    return false;
}

enum kind { KIND_CODE, KIND_EMPTY, KIND_ECHO };

/* KIND_EMPTY: without a word, such as the last line of a comment. */
static enum kind kind_of(const struct comment_style *style, const struct words *asked,
                         const char *line, size_t bytes)
{
    const size_t blank = lines_indent(line, bytes, 0);
    struct words words = {0};

    if (lines_are_blank(line, 0, bytes))
        return KIND_EMPTY;
    if (!is_comment(style, line + blank, bytes - blank))
        return KIND_CODE;
    words_add(&words, line, bytes);
    if (words.count <= 1)
        return KIND_EMPTY;
    return strstr(asked->text, words.text) ? KIND_ECHO : KIND_CODE;
}

size_t echo_end(const struct comment_style *style, const char *asked, const char *code,
                size_t bytes)
{
    struct words words = {0};
    size_t end = 0;

    words_asked(&words, asked);
    for (size_t at = 0; at < bytes;) {
        const size_t next = lines_end(code, bytes, at);
        const enum kind kind = kind_of(style, &words, code + at, next - at);
        if (kind == KIND_CODE)
            break;
        if (kind == KIND_ECHO || end > 0)
            end = next;
        at = next;
    }
    return end;
}
