/* syntax: a tree that followed edits equals one made anew. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/syntax.h"
#include "parsers/tree.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { TEXT_ROOM = 8192, EDITS = 1000 };

struct sample {
    const char *language;
    const char *text;
    const char *pieces[8]; /* that edits insert */
};

static const struct sample samples[] = {
    {
        "c",
        "#include <a.h>\nint f(int a)\n{\n    if (a) {\n        g(\"x\");\n    }\n    return "
        "a;\n}\n",
        {"{", "}", "(", ";\n", "int b", "\"", "/* é */", "#if X\n"},
    },
    {
        "javascript",
        "const a = (b) => {\n  return `x${b}`;\n};\nclass C {\n  m() {\n  }\n}\n",
        {"{", "}", "`", "${", "(", ";\n", "/x/", "// 😀\n"},
    },
    {
        "lua",
        "local function f(a)\n  if a then\n    g([[x]])\n  end\n  return a\nend\n",
        {"end", " then ", "function f()", "\n", "[[", "]]", "-- 漢\n", "'"},
    },
    {
        "python",
        "class A:\n    def f(self, x):\n        if x:\n            return f\"{x}\"\n        return "
        "1\n\nA()\n",
        {":", "\n    ", "\n", "(", ")", "\"\"\"", "def g():", "# é\n"},
    },
};

static uint32_t random_below(uint32_t *seed, uint32_t limit)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % limit;
}

/* Fails when two nodes, or any below them, differ in type, extent or place. */
static void compare_nodes(TSNode left, TSNode right)
{
    assert_string_equal(ts_node_type(left), ts_node_type(right));
    assert_int_equal(ts_node_start_byte(left), ts_node_start_byte(right));
    assert_int_equal(ts_node_end_byte(left), ts_node_end_byte(right));
    assert_int_equal(ts_node_end_point(left).row, ts_node_end_point(right).row);
    assert_int_equal(ts_node_end_point(left).column, ts_node_end_point(right).column);
    assert_int_equal(ts_node_child_count(left), ts_node_child_count(right));
    for (uint32_t i = 0; i < ts_node_child_count(left); i++)
        compare_nodes(ts_node_child(left, i), ts_node_child(right, i));
}

static void check_against_fresh(const struct syntax *syntax, const char *text, size_t bytes)
{
    struct syntax *fresh = syntax_create(syntax_language(syntax));

    assert_true(syntax_parse(fresh, text, bytes));
    compare_nodes(ts_tree_root_node(syntax_tree(syntax)), ts_tree_root_node(syntax_tree(fresh)));
    assert_int_equal(syntax_error_count(syntax), syntax_error_count(fresh));
    syntax_destroy(fresh);
}

/* Applies one random edit to the text and tells the syntax; returns the new size. */
static size_t edit_randomly(struct syntax *syntax, const struct sample *sample, char *text,
                            size_t bytes, uint32_t *seed)
{
    size_t start = random_below(seed, (uint32_t)bytes + 1);
    size_t removed = random_below(seed, 12);
    const char *inserted = sample->pieces[random_below(seed, COUNT(sample->pieces))];
    size_t count = random_below(seed, 4) ? strlen(inserted) : 0;

    removed = start + removed > bytes ? bytes - start : removed;
    syntax_edit(syntax, text, start, start + removed, inserted, count);
    memmove(text + start + count, text + start + removed, bytes - start - removed);
    memcpy(text + start, inserted, count);
    return bytes - removed + count;
}

static void edited_tree_equals_fresh_tree(void **state)
{
    (void)state;
    static char text[TEXT_ROOM];

    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *sample = &samples[i];
        struct syntax *syntax = syntax_create(language_find(sample->language, NULL));
        size_t bytes = 0;
        uint32_t seed = 17;

        for (int edit = 0; edit < EDITS; edit++) {
            if (bytes == 0 || bytes > TEXT_ROOM / 4) {
                bytes = strlen(sample->text);
                memcpy(text, sample->text, bytes);
                syntax_reset(syntax);
            }
            bytes = edit_randomly(syntax, sample, text, bytes, &seed);
            // several edits may come before a parse
            if (random_below(&seed, 3) == 0)
                continue;
            assert_true(syntax_parse(syntax, text, bytes));
            check_against_fresh(syntax, text, bytes);
        }
        syntax_destroy(syntax);
    }
}

static void tree_is_there_only_while_up_to_date(void **state)
{
    (void)state;
    struct syntax *syntax = syntax_create(language_find("c", NULL));

    assert_null(syntax_tree(syntax));
    assert_true(syntax_parse(syntax, "int a;", 6));
    assert_non_null(syntax_tree(syntax));
    assert_int_equal(syntax_error_count(syntax), 0);
    syntax_edit(syntax, "int a;", 5, 6, "=", 1);
    assert_null(syntax_tree(syntax));
    assert_true(syntax_parse(syntax, "int a=", 6));
    assert_true(syntax_error_count(syntax) > 0);
    syntax_destroy(syntax);
    syntax_destroy(NULL);
}

static void text_beyond_limit_is_given_up_for_some_edits(void **state)
{
    (void)state;
    struct syntax *syntax = syntax_create(language_find("lua", NULL));
    char *big = malloc(SYNTAX_LIMIT_BYTES + 1);
    int edits = 0;

    memset(big, '\n', SYNTAX_LIMIT_BYTES + 1);
    assert_false(syntax_parse(syntax, big, SYNTAX_LIMIT_BYTES + 1));
    assert_int_equal(syntax_error_count(syntax), 0);
    while (!syntax_parse(syntax, "x = 1", 5)) {
        syntax_edit(syntax, "x = 1", 0, 0, "", 0);
        assert_true(edits++ < 1000);
    }
    assert_true(edits > 1);

    // a new text is another matter
    syntax_reset(syntax);
    assert_false(syntax_parse(syntax, big, SYNTAX_LIMIT_BYTES + 1));
    syntax_reset(syntax);
    assert_true(syntax_parse(syntax, "x = 1", 5));
    syntax_destroy(syntax);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edited_tree_equals_fresh_tree),
        cmocka_unit_test(tree_is_there_only_while_up_to_date),
        cmocka_unit_test(text_beyond_limit_is_given_up_for_some_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
