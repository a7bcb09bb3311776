/* What of a model's code only repeats the comment that asked for it. */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lsp/errand/echo.h"

static void comment_written_again_is_told_from_code(void **state)
{
    /* what stands before '|' is an echo */
    static const struct {
        const char *language, *asked, *code;
    } cases[] = {
        {"python", "x = 1\n# sort by name\n", "# sort by name\n|names.sort()\n"},
        {"python", "# sort by name\n", "# sort by name|"},
        {"python", "# sort by name\n", "# Sort by name.\n# sort by name\n|"},
        {"python", "# sort by name\n", "    # sort by name\n\n|    names.sort()\n"},
        {"python", "# sort by name\n", "\"\"\"Sort by name.\"\"\"\n|names.sort()\n"},
        {"python", "# sort by name\n# and age\n", "# sort by name and age\n|names.sort()\n"},
        {"python", "# sort by name and age\n", "# sort by name\n# and age\n|names.sort()\n"},
        {"python", "sort by name", "# sort by name\n|names.sort()\n"}, /* an instruction */
        {"c", "/* Adds. */\n", "/* Adds. */\n|int add(int a)\n"},
        {"c", "/* Adds. */\n", "/*\n * Adds.\n */\n|int add(int a)\n"},
        {"c", "/*\n * Adds a\n * number.\n */\n", "// Adds a number.\n|int add(int a)\n"},
        {"c", "/* Adds. */\n", "* Adds. */\n|"},
        {"html", "<!-- A menu -->\n", "<!-- a menu -->\n|<ul>\n"},
        {"lua", "-- größer\n", "-- größer\n|x = y\n"},

        {"python", "# sort by name\n", "|names.sort()\n# sort by name\n"},
        {"python", "# sort by name\n", "|# sort by age\nnames.sort()\n"},
        {"python", "# sort by names\n", "|# sort by name\n"},
        {"python", "# sort by name\n\n# print\n", "|# sort by name\n"}, /* of a paragraph before */
        {"bash", "# git push\n", "|git push\n"},
        {"bash", "# git push\n", "|\ngit push\n"},
        {"c", "/* Adds. */\n", "|/*\n * Multiplies.\n */\nint f(int a)\n"},
        {"c", "", "|// x\n"},
        {"c", "// x\n", "|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *mark = strchr(cases[i].code, '|');
        const size_t expected = (size_t)(mark - cases[i].code);
        char code[256];
        snprintf(code, sizeof code, "%.*s%s", (int)expected, cases[i].code, mark + 1);
        const size_t end = echo_end(language_comments(language_find(cases[i].language, NULL)),
                                    cases[i].asked, code, strlen(code));
        if (end != expected)
            fail_msg("case %zu: %zu of %s", i, end, code);
    }
}

static void long_comment_is_compared_up_to_a_limit(void **state)
{
    enum { BYTES = 3 * ECHO_BYTES_MAX };
    static char asked[BYTES + 8], code[BYTES + 8];

    (void)state;
    memset(asked, 'a', BYTES);
    memset(code, 'a', BYTES);
    memcpy(asked, "# ", 2);
    memcpy(code, "# ", 2);
    const struct comment_style *style = language_comments(language_find("python", NULL));
    assert_int_equal(echo_end(style, asked, code, BYTES), BYTES);
    memset(asked, '\n', BYTES);
    assert_int_equal(echo_end(style, asked, code, BYTES), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comment_written_again_is_told_from_code),
        cmocka_unit_test(long_comment_is_compared_up_to_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
