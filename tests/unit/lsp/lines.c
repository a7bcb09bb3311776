/* What a selection is about, as the editors send it. */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lsp/lines.h"

static void selection_is_without_white_space_at_its_ends(void **state)
{
    /* '[' and ']' stand around what is selected, '<' and '>' around what that is about */
    static const struct {
        const char *selected, *about;
    } cases[] = {
        {"a[]b", "a<>b"},               /* a cursor */
        {"  []  b", "  <>  b"},         /* in an indentation */
        {"a\n[]\nb", "a\n<>\nb"},       /* on an empty line */
        {"a[b]c", "a<b>c"},             /* Helix: a cursor is the character that it is on */
        {"ab[\n]c", "ab<>\nc"},         /* there behind a line's end */
        {"a\n[\n]c", "a\n<>\nc"},       /* there on an empty line */
        {"[ab\n]c", "<ab>\nc"},         /* a whole line, up to where the next one begins */
        {"[  ab\r\n]c", "  <ab>\r\nc"}, /* its line end is of two characters */
        {"x\n[  a\n  b\n\n]c", "x\n  <a\n  b>\n\nc"}, /* paragraphs */
        {"[a\n  ]b", "<a>\n  b"},                     /* up to where the next line's text begins */
        {"a[ \t\n  ]b", "a<> \t\n  b"},               /* nothing at all */
        {"[ab]", "<ab>"},
        {"[]", "<>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64], shown[64];
        const char *open = strchr(cases[i].selected, '['), *close = strchr(open, ']');
        const struct span range = {(size_t)(open - cases[i].selected),
                                   (size_t)(close - cases[i].selected) - 1};
        sprintf(text, "%.*s%.*s%s", (int)range.start, cases[i].selected,
                (int)(range.end - range.start), open + 1, close + 1);
        const struct span about = lines_selected(text, range);
        sprintf(shown, "%.*s<%.*s>%s", (int)about.start, text, (int)(about.end - about.start),
                text + about.start, text + about.end);
        assert_string_equal(shown, cases[i].about);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection_is_without_white_space_at_its_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
