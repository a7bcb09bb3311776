/* What is told of a definition: the comment above and the signature, of types all of it, never a line with a secret. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/context/definitions.h"

/* Names and texts, joined; static storage. */
static const char *told(const char *path, const char *text)
{
    static char all[8192];
    const struct language *language = language_find(NULL, path);
    struct syntax *syntax = language ? syntax_create(language) : NULL;
    size_t at = 0;

    assert_true(!syntax || syntax_parse(syntax, text, strlen(text)));
    struct definitions *list = definitions_of(path, syntax, text, strlen(text));
    assert_non_null(list);
    all[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        assert_int_equal(strlen(list->items[i].text), list->items[i].bytes);
        assert_string_equal(list->items[i].path, path);
        at += (size_t)snprintf(all + at, sizeof all - at, "[%s]%s", list->items[i].name,
                               list->items[i].text);
    }
    definitions_destroy(list);
    syntax_destroy(syntax);
    return all;
}

static void definitions_are_told_by_comment_and_signature(void **state)
{
    static const struct {
        const char *path, *text, *told;
    } cases[] = {
        {"a.c", "/* Adds. */\nint add(int a, int b)\n{\n    return a + b;\n}\n",
         "[add]/* Adds. */\nint add(int a, int b)\n"},
        {"a.h", "struct ring {\n    int head;\n    int tail;\n};\n",
         "[ring]struct ring {\n    int head;\n    int tail;\n};\n"},
        {"a.py", "def f(x):\n    \"\"\"Says.\"\"\"\n    return x\n",
         "[f]def f(x):\n    \"\"\"Says.\"\"\"\n"},
        {"a.py", "def f(x): return x", "[f]def f(x): return x\n"},
        /* lines with secrets are left out, a definition that is nothing else too */
        {"a.py", "class A:\n    key = 'q7Zr2LxW4tYvB6nM1kPd3s'\n    name = 1\n",
         "[A]class A:\n    name = 1\n"},
        {"a.py", "KEY = 'q7Zr2LxW4tYvB6nM1kPd3s'\n", ""},
        /* nothing to tell */
        {"id_rsa.py", "def f(x):\n    return x\n", ""},
        {"a.txt", "def f(x):\n    return x\n", ""},
        {"a.c", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(told(cases[i].path, cases[i].text), cases[i].told);
}

static void definition_that_is_long_is_cut_at_a_line(void **state)
{
    static char text[64 * 1024];
    size_t at = (size_t)sprintf(text, "struct all {\n");

    (void)state;
    for (int i = 0; i < 500; i++)
        at += (size_t)sprintf(text + at, "    int member_%d;\n", i);
    strcpy(text + at, "};\n");
    const char *all = told("a.c", text);
    assert_in_range(strlen(all), DEFINITIONS_TEXT_BYTES / 2, DEFINITIONS_TEXT_BYTES + 16);
    assert_int_equal(all[strlen(all) - 1], '\n');
}

static void text_made_by_machines_defines_nothing(void **state)
{
    static char text[DEFINITIONS_FILE_BYTES + 64];

    (void)state;
    sprintf(text, "int f(void);/*%0*d*/\n", 2 * DEFINITIONS_LINE_BYTES, 0);
    assert_string_equal(told("a.c", text), ""); /* long lines */
    strcpy(text, "int f(void);\n");
    assert_string_equal(told("a.c", text), "[f]int f(void);\n");
    for (size_t i = strlen(text); i < DEFINITIONS_FILE_BYTES + 32; i++)
        text[i] = '\n';
    assert_string_equal(told("a.c", text), ""); /* large */
}

static void files_worth_reading_are_known_by_name(void **state)
{
    (void)state;
    assert_true(definitions_can_read("/a/b.c"));
    assert_true(definitions_can_read("/a/b.tsx"));
    assert_false(definitions_can_read("/a/package-lock.json"));
    assert_false(definitions_can_read("/a/jquery.min.js"));
    assert_false(definitions_can_read("/a/b.bin"));
    assert_false(definitions_can_read("/a/.ssh/b.c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions_are_told_by_comment_and_signature),
        cmocka_unit_test(definition_that_is_long_is_cut_at_a_line),
        cmocka_unit_test(text_made_by_machines_defines_nothing),
        cmocka_unit_test(files_worth_reading_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
