/* languages: the table, and that every query compiles against its grammar. */
#include "tests/support/test.h"

#include <string.h>

#include "parsers/languages.h"
#include "parsers/tree.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct find_case {
    const char *id, *path, *name; /* name NULL: none */
};

static const struct find_case find_cases[] = {
    {"c", NULL, "c"},
    {"python", "file:///a/b.txt", "python"},
    {"javascriptreact", NULL, "javascript"},
    {"lua", NULL, "lua"},
    {NULL, "a/b.c", "c"},
    {NULL, "a/b.h", "c"},
    {NULL, "file:///a/b.PY", "python"},
    {"", "b.mjs", "javascript"},
    {"plaintext", "b.lua", "lua"},
    {"cpp", "b.h", NULL},
    {"rust", "b.c", NULL},
    {NULL, "b.txt", NULL},
    {NULL, ".c", NULL},
    {NULL, "c", NULL},
    {NULL, "", NULL},
    {NULL, NULL, NULL},
};

static void language_is_found_by_id_else_by_ending(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(find_cases); i++) {
        const struct find_case *given = &find_cases[i];
        const struct language *language = language_find(given->id, given->path);

        if (!given->name)
            assert_null(language);
        else
            assert_string_equal(language_name(language), given->name);
    }
}

static void languages_are_listed_alphabetically(void **state)
{
    (void)state;

    assert_int_equal(language_count(), 4);
    for (size_t i = 1; i < language_count(); i++) {
        const char *before = language_name(language_at(i - 1));
        assert_true(strcmp(before, language_name(language_at(i))) < 0);
    }
    assert_null(language_at(language_count()));
}

static void grammar_and_query_of_each_language_load(void **state)
{
    (void)state;

    for (size_t i = 0; i < language_count(); i++) {
        const struct language *language = language_at(i);
        struct syntax *syntax = syntax_create(language);

        assert_non_null(syntax);
        if (!language_blocks(language))
            fail_msg("%s: the query is faulty", language_name(language));
        assert_ptr_equal(language_blocks(language), language_blocks(language));
        syntax_destroy(syntax);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_is_found_by_id_else_by_ending),
        cmocka_unit_test(languages_are_listed_alphabetically),
        cmocka_unit_test(grammar_and_query_of_each_language_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
