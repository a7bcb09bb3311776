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
    {"cpp", "b.h", "cpp"},
    {"cuda-cpp", NULL, "cpp"},
    {"python", "file:///a/b.txt", "python"},
    {"javascriptreact", NULL, "javascript"},
    {"typescript", NULL, "typescript"},
    {"typescriptreact", "b.ts", "tsx"},
    {"shellscript", NULL, "bash"},
    {"sh", NULL, "bash"},
    {"jsonc", NULL, "json"},
    {"lua", NULL, "lua"},
    {"rust", "b.c", "rust"},
    {NULL, "a/b.c", "c"},
    {NULL, "a/b.h", "c"},
    {NULL, "a/b.hpp", "cpp"},
    {NULL, "a/b.c++", "cpp"},
    {NULL, "a/b.tsx", "tsx"},
    {NULL, "a/b.d.ts", "typescript"},
    {NULL, "b.go", "go"},
    {NULL, "B.java", "java"},
    {NULL, "b.htm", "html"},
    {NULL, "b.css", "css"},
    {NULL, "b.bash", "bash"},
    {NULL, "file:///a/b.PY", "python"},
    {"", "b.mjs", "javascript"},
    {"plaintext", "b.lua", "lua"},
    {"scss", "b.css", NULL},
    {"zig", "b.c", NULL},
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

    assert_int_equal(language_count(), 14);
    for (size_t i = 1; i < language_count(); i++) {
        const char *before = language_name(language_at(i - 1));
        assert_true(strcmp(before, language_name(language_at(i))) < 0);
    }
    assert_null(language_at(language_count()));
}

static void language_is_prepared_when_all_its_queries_are(void **state)
{
    const struct language *language = language_find("lua", NULL);

    (void)state;
    assert_false(language_is_prepared(language));
    assert_non_null(language_query(language, QUERY_BLOCKS));
    assert_false(language_is_prepared(language));
    language_prepare(language);
    assert_true(language_is_prepared(language));
    assert_false(language_is_prepared(language_find("go", NULL)));
}

static void grammar_and_queries_of_each_language_load(void **state)
{
    (void)state;

    for (size_t i = 0; i < language_count(); i++) {
        const struct language *language = language_at(i);
        struct syntax *syntax = syntax_create(language);

        assert_non_null(syntax);
        for (enum query_kind kind = 0; kind < QUERY_KINDS; kind++) {
            if (!language_query(language, kind))
                fail_msg("%s: query %d is faulty", language_name(language), kind);
            assert_ptr_equal(language_query(language, kind), language_query(language, kind));
        }
        syntax_destroy(syntax);
    }
}

static void comment_marks_of_each_language_are_there(void **state)
{
    (void)state;

    for (size_t i = 0; i < language_count(); i++) {
        const struct comment_style *style = language_comments(language_at(i));

        assert_true(*style->line || *style->open);
        assert_true(!*style->open == !*style->close);
        assert_true(!*style->doc_open == !*style->doc_close);
        assert_true(*style->doc_open || *style->doc_line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_is_found_by_id_else_by_ending),
        cmocka_unit_test(languages_are_listed_alphabetically),
        cmocka_unit_test(language_is_prepared_when_all_its_queries_are),
        cmocka_unit_test(grammar_and_queries_of_each_language_load),
        cmocka_unit_test(comment_marks_of_each_language_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
