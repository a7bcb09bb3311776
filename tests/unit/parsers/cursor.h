/* A text of a language with a "¦" for the cursor, parsed: what most tests of this room begin with.
 *
 * Owned by whoever placed it. The functions are here, inline, since each test is a program of its own.
 */
#ifndef TESTS_UNIT_PARSERS_CURSOR_H
#define TESTS_UNIT_PARSERS_CURSOR_H

#include "tests/support/test.h"

#include <stdlib.h>

#include "parsers/syntax.h"
#include "tests/support/marked.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct placed {
    char *text; /* without the mark */
    size_t bytes, cursor;
    struct syntax *syntax;
};

static inline struct placed place_cursor(const char *language, const char *marked)
{
    struct placed placed = {.syntax = syntax_create(language_find(language, NULL))};

    placed.text = marked_text(marked, &placed.bytes, &placed.cursor);
    assert_non_null(placed.syntax);
    assert_true(syntax_parse(placed.syntax, placed.text, placed.bytes));
    return placed;
}

static inline void remove_cursor(struct placed *placed)
{
    syntax_destroy(placed->syntax);
    free(placed->text);
}

#endif
