/* Edits near one another are one, copied texts are known again, the oldest fall out. */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lsp/context/recent.h"

static void edits_near_one_another_are_one(void **state)
{
    struct recent recent = {0};

    (void)state;
    for (size_t line = 0; line < 3 * RECENT_NEAR_LINES; line++)
        recent_note_edit(&recent, "file:///a.c", line); /* typing downwards */
    assert_int_equal(recent.edit_count, 1);
    assert_int_equal(recent.edits[0].line, 3 * RECENT_NEAR_LINES - 1);

    recent_note_edit(&recent, "file:///b.c", 0);
    recent_note_edit(&recent, "file:///a.c", 500);
    assert_int_equal(recent.edit_count, 3);

    /* going back makes an old place the newest */
    recent_note_edit(&recent, "file:///b.c", 3);
    assert_int_equal(recent.edit_count, 3);
    assert_string_equal(recent.edits[2].uri, "file:///b.c");
    for (size_t i = 0; i < 3 * RECENT_EDITS; i++)
        recent_note_edit(&recent, "file:///c.c", i * 1000);
    assert_int_equal(recent.edit_count, RECENT_EDITS);
    recent_finish(&recent);
}

static void yank_is_cleaned_and_known_again(void **state)
{
    static const struct {
        const char *text, *kept; /* NULL: not taken */
    } cases[] = {
        {"one line", NULL},
        {"int a;\nint b;", "int a;\nint b;\n"},
        {"int a;\nkey = 'q7Zr2LxW4tYvB6nM1kPd3s'\nint b;\n", "int a;\nint b;\n"},
        {"int a;\nkey = 'q7Zr2LxW4tYvB6nM1kPd3s'\n", NULL}, /* one line is left */
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recent recent = {0};
        const size_t bytes = strlen(cases[i].text);
        assert_int_equal(recent_note_yank(&recent, NULL, cases[i].text, bytes),
                         cases[i].kept != NULL);
        assert_int_equal(recent.yank_count, cases[i].kept != NULL);
        if (cases[i].kept)
            assert_string_equal(recent.yanks[0].text, cases[i].kept);
        assert_false(recent_note_yank(&recent, NULL, cases[i].text, bytes));
        assert_true(recent.yank_count <= 1);
        recent_finish(&recent);
    }
}

static void yank_that_is_long_is_cut_at_a_line(void **state)
{
    static char text[3 * RECENT_YANK_BYTES];
    struct recent recent = {0};
    size_t bytes = 0;

    (void)state;
    while (bytes + 32 < sizeof text)
        bytes += (size_t)sprintf(text + bytes, "int value_%zu;\n", bytes);
    for (int i = 0; i < RECENT_YANKS + 2; i++) {
        text[0] = (char)('a' + i);
        assert_true(recent_note_yank(&recent, "/p/a.c", text, bytes));
    }
    assert_int_equal(recent.yank_count, RECENT_YANKS);
    assert_true(recent.yanks[0].bytes <= RECENT_YANK_BYTES);
    assert_int_equal(recent.yanks[0].text[0], 'a' + 2);
    assert_int_equal(recent.yanks[0].text[recent.yanks[0].bytes - 1], '\n');
    recent_finish(&recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_near_one_another_are_one),
        cmocka_unit_test(yank_is_cleaned_and_known_again),
        cmocka_unit_test(yank_that_is_long_is_cut_at_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
