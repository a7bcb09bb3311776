/* Likeness counts each word and line once, and nothing but words and lines. */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lsp/context/likeness.h"

static void words_alike_are_counted_once(void **state)
{
    static const struct {
        const char *of, *with;
        double likeness;
    } cases[] = {
        {"alpha beta", "alpha beta", 1.0},
        {"alpha beta", "beta(alpha, alpha);", 1.0},
        {"alpha beta", "alpha gamma", 1.0 / 3},
        {"alpha beta", "alpha gamma gamma gamma", 1.0 / 3},
        {"alpha beta", "", 0.0},
        {"", "alpha", 0.0},
        {"", "", 0.0},
        {"a b 12 1x", "a b 12 1x", 0.0}, /* no words: too short, or numbers */
        {"größe", "größe", 1.0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct likeness set;
        assert_true(likeness_of_words(&set, cases[i].of, strlen(cases[i].of)));
        /* twice: comparing leaves no trace */
        for (int k = 0; k < 2; k++)
            assert_float_equal(likeness_words(&set, cases[i].with, strlen(cases[i].with)),
                               cases[i].likeness, 1e-9);
        likeness_finish(&set);
    }
}

static void lines_shared_are_counted_without_indentation(void **state)
{
    static const struct {
        const char *of, *with;
        double likeness;
    } cases[] = {
        {"int a;\nint b;\n", "    int a;\r\n", 1.0},
        {"int a;\nint b;\n", "int a;\nint c;\n", 0.5},
        {"int a;\n", "}\n{\n\n", 1.0}, /* nothing that counts says nothing new */
        {"", "int a;\n", 0.0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct likeness set;
        assert_true(likeness_of_lines(&set, cases[i].of, strlen(cases[i].of)));
        assert_float_equal(likeness_lines(&set, cases[i].with, strlen(cases[i].with)),
                           cases[i].likeness, 1e-9);
        likeness_finish(&set);
    }
}

static void set_that_is_full_takes_no_more(void **state)
{
    static char text[16 * LIKENESS_MEMBERS_MAX];
    struct likeness set;
    size_t bytes = 0;

    (void)state;
    for (int i = 0; i < LIKENESS_MEMBERS_MAX + 100; i++)
        bytes += (size_t)sprintf(text + bytes, "word_%d\n", i);
    assert_true(likeness_of_words(&set, text, bytes));
    assert_int_equal(set.count, LIKENESS_MEMBERS_MAX);
    assert_true(likeness_words(&set, text, bytes) > 0.9);
    likeness_finish(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_alike_are_counted_once),
        cmocka_unit_test(lines_shared_are_counted_without_indentation),
        cmocka_unit_test(set_that_is_full_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
