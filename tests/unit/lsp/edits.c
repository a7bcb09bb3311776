/* Where an edit belongs after the text has changed, and how small it can be made. */
#include "tests/support/test.h"

#include <string.h>

#include "lsp/errand/edits.h"

static void edit_follows_changes_elsewhere_and_none_at_its_place(void **state)
{
    /* "[" and "]" mark the range in both texts; no range in `now`: refused */
    static const struct {
        const char *before, *now;
    } cases[] = {
        {"one\n[]two\n", "one\n[]two\n"},
        {"one\n[]two\n", "new\none\n[]two\n"},
        {"one\n[]two\n", "two\n"}, /* what stood beside it is gone */
        {"one\n[]two\n", "one\n[]two\nthree\n"},
        {"one\n[two]\nsix\n", "ONE\n[two]\nsix\n"},
        {"one\n[two]\nsix\n", "one\n[two]\nsixty\n"},
        {"one\n[]two\n", "one\nX two\n"}, /* typed at the place */
        {"one\n[two]\nsix\n", "one\ntw\nsix\n"},
        {"one\n[two]\nsix\n", "one\ntwo!\nsix\n"},
        {"one\n[two]\nsix\n", "uno\ntwo\nses\n"}, /* around it on both sides */
        {"[]", "x"},
        {"[]one\n", "[]one\nx"},
        {"one\n[]", "x\none\n[]"},
        {"[]", "[]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char before[64] = "", now[64] = "";
        struct span range = {0}, wanted = {0};
        for (const char *c = cases[i].before; *c; c++) {
            if (*c == '[')
                range.start = strlen(before);
            else if (*c == ']')
                range.end = strlen(before);
            else
                before[strlen(before)] = *c;
        }
        for (const char *c = cases[i].now; *c; c++) {
            if (*c == '[')
                wanted.start = strlen(now);
            else if (*c == ']')
                wanted.end = strlen(now);
            else
                now[strlen(now)] = *c;
        }
        const bool moves = edits_rebase(before, strlen(before), now, strlen(now), &range);
        if (moves != (strchr(cases[i].now, '[') != NULL))
            fail_msg("case %zu: %s", i, moves ? "moved" : "refused");
        if (moves && (range.start != wanted.start || range.end != wanted.end))
            fail_msg("case %zu: at %zu..%zu", i, range.start, range.end);
    }
}

static void edits_are_narrowed_to_the_lines_that_differ(void **state)
{
    static const struct {
        const char *text, *replacement;
        size_t start, end;
        const char *narrowed;
    } cases[] = {
        {"a\nb\nc\n", "a\nB\nc\n", 2, 4, "B\n"},
        {"a\nb\nc\n", "a\nb\nc\n", 6, 6, ""},
        {"a\nc\n", "a\nb\nc\n", 2, 2, "b\n"},
        {"a\nb\nc\n", "a\nc\n", 2, 4, ""},
        {"a\nb\n", "a\nb\nc\n", 4, 4, "c\n"},
        {"a", "b", 0, 1, "b"},
        {"", "b\n", 0, 0, "b\n"},
        {"a\na\n", "a\na\na\n", 4, 4, "a\n"},
        {"x\na\n", "a\n", 0, 2, ""},
        {"a\nb", "A\nb", 0, 2, "A\n"},
        {"c\n", "b\nc\n", 0, 0, "b\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct span range = {0, strlen(cases[i].text)};
        const char *replacement = cases[i].replacement;
        size_t bytes = strlen(replacement);
        edits_narrow(cases[i].text, &range, &replacement, &bytes);
        if (range.start != cases[i].start || range.end != cases[i].end ||
            bytes != strlen(cases[i].narrowed) ||
            memcmp(replacement, cases[i].narrowed, bytes) != 0)
            fail_msg("case %zu: %zu..%zu becomes \"%.*s\"", i, range.start, range.end, (int)bytes,
                     replacement);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edit_follows_changes_elsewhere_and_none_at_its_place),
        cmocka_unit_test(edits_are_narrowed_to_the_lines_that_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
