/* syntax: a tree that followed edits equals one made anew.
 *
 * Compared where the text is sound: around an error tree-sitter itself may settle for another tree when it reuses parts of an
 * earlier one. So texts are broken by random edits, parsed in that state, and repaired by undoing the edits in turn.
 */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/syntax.h"
#include "parsers/tree.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    TEXT_ROOM = 16 * 1024,
    COPIES_MAX = 24, /* of a sample make a text */
    ROUNDS = 120,
    EDITS_MAX = 6, /* of one round */
    REMOVED_MAX = 12,
};

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
        "json",
        "{\n  \"a\": [1, {\"b\": null}],\n  \"c\": \"d\"\n}\n",
        {"{", "}", "[", "]", "\"", ":", "// é\n", "1e3"},
    },
    {
        "lua",
        "local function f(a)\n  if a then\n    g([[x]])\n  end\n  return a\nend\n",
        {"end", " then ", "function f()", "\n", "[[", "]]", "-- 漢\n", "'"},
    },
    {
        "bash",
        "# a\nf() {\n  if [ \"$1\" = x ]; then\n    echo \"${a:-b}\" | c\n  fi\n}\nf y\n",
        {"fi", "; then ", "\"", "$(", ")", "\n", "# é\n", "done"},
    },
    {
        "cpp",
        "namespace n {\ntemplate <class T>\nclass A : B {\n    void f() { g(\"x\"); }\n};\n}\n",
        {"{", "}", "<", ">", "::", "R\"(", "// 😀\n", "public:"},
    },
    {
        "css",
        ".a > #b:hover {\n  color: red; /* x */\n}\n@media (x) {\n  p { margin: 0 }\n}\n",
        {"{", "}", ";", ":", "/*", "\"", ".é", "@media "},
    },
    {
        "go",
        "type S struct {\n\tA int\n}\n\nfunc (s *S) F(a int) {\n\tif a > 0 {\n\t\tg(`x`)\n\t}\n}\n",
        {"{", "}", "(", "`", ":= ", "\n", "// 漢\n", "func "},
    },
    {
        "html",
        "<div class=\"a\">\n  <p>x <br> y</p>\n  <ul><li>z</li></ul>\n</div>\n",
        {"<", ">", "</p>", "<b>", "\"", "<!-- ", "é", "&amp;"},
    },
    {
        "java",
        "class A {\n  int f(int a) {\n    if (a > 0) { g(\"x\"); }\n    return a;\n  }\n}\n",
        {"{", "}", "(", ";\n", "\"\"\"", "int b", "// é\n", "@O "},
    },
    {
        "rust",
        "impl<'a> S<'a> {\n    /// x\n    fn f(&self) -> u8 {\n        g!(\"x\", 'y')\n    }\n}\n",
        {"{", "}", "(", "'", "\"", "r#\"", "/* é */", "fn "},
    },
    {
        "tsx",
        "const a = (b: C) => {\n  return <p x={1}>y {b as D} z</p>;\n};\n",
        {"{", "}", "<", ">", "`", "</p>", ": E", "// 😀\n"},
    },
    {
        "typescript",
        "interface I {\n  a: number;\n}\nclass C<T> {\n  m(a: T): void {\n    f<T>(`x${a}`);\n  "
        "}\n}\n",
        {"{", "}", "<", ">", "`", ": E", "?", "// 😀\n"},
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
    assert_int_equal(syntax_error_count(syntax, text, bytes),
                     syntax_error_count(fresh, text, bytes));
    syntax_destroy(fresh);
}

/* A text that a syntax follows. */
struct buffer {
    struct syntax *syntax;
    char text[TEXT_ROOM];
    size_t bytes;
};

static void replace(struct buffer *buffer, size_t start, size_t removed, const char *inserted,
                    size_t count)
{
    char *at = buffer->text + start;

    assert_true(buffer->bytes - removed + count <= TEXT_ROOM);
    syntax_edit(buffer->syntax, buffer->text, start, start + removed, inserted, count);
    memmove(at + count, at + removed, buffer->bytes - start - removed);
    memcpy(at, inserted, count);
    buffer->bytes += count - removed;
}

struct undo {
    size_t start, count; /* what was inserted */
    char removed[REMOVED_MAX];
    size_t removed_bytes;
};

static struct undo break_randomly(struct buffer *buffer, const struct sample *sample,
                                  uint32_t *seed)
{
    struct undo undo = {.start = random_below(seed, (uint32_t)buffer->bytes + 1)};
    const char *inserted = sample->pieces[random_below(seed, COUNT(sample->pieces))];
    size_t left = buffer->bytes - undo.start;

    undo.count = random_below(seed, 4) ? strlen(inserted) : 0;
    undo.removed_bytes = random_below(seed, REMOVED_MAX);
    undo.removed_bytes = undo.removed_bytes < left ? undo.removed_bytes : left;
    memcpy(undo.removed, buffer->text + undo.start, undo.removed_bytes);
    replace(buffer, undo.start, undo.removed_bytes, inserted, undo.count);
    return undo;
}

/* Adds or removes a whole copy of the sample, so that the text stays sound. */
static void change_copies(struct buffer *buffer, const struct sample *sample, uint32_t *seed)
{
    size_t copy = strlen(sample->text), copies = buffer->bytes / copy;
    size_t start = random_below(seed, (uint32_t)copies + 1) * copy;

    if (copies < COPIES_MAX && (start == buffer->bytes || random_below(seed, 3) > 0))
        replace(buffer, start, 0, sample->text, copy);
    else if (start < buffer->bytes)
        replace(buffer, start, copy, "", 0);
}

static void parse_sometimes(struct buffer *buffer, uint32_t *seed)
{
    if (random_below(seed, 2) == 0)
        assert_true(syntax_parse(buffer->syntax, buffer->text, buffer->bytes));
}

static void edited_tree_equals_fresh_tree(void **state)
{
    (void)state;
    static struct buffer buffer;

    for (size_t i = 0; i < COUNT(samples); i++) {
        uint32_t seed = 17;
        buffer.bytes = 0;
        buffer.syntax = syntax_create(language_find(samples[i].language, NULL));

        for (int round = 0; round < ROUNDS; round++) {
            struct undo undos[EDITS_MAX];
            size_t edits = random_below(&seed, EDITS_MAX + 1);

            change_copies(&buffer, &samples[i], &seed);
            for (size_t edit = 0; edit < edits; edit++) {
                undos[edit] = break_randomly(&buffer, &samples[i], &seed);
                parse_sometimes(&buffer, &seed);
            }
            while (edits-- > 0) {
                const struct undo *undo = &undos[edits];
                replace(&buffer, undo->start, undo->count, undo->removed, undo->removed_bytes);
                parse_sometimes(&buffer, &seed);
            }
            assert_true(syntax_parse(buffer.syntax, buffer.text, buffer.bytes));
            assert_int_equal(syntax_error_count(buffer.syntax, buffer.text, buffer.bytes), 0);
            check_against_fresh(buffer.syntax, buffer.text, buffer.bytes);
        }
        syntax_destroy(buffer.syntax);
    }
}

struct errors_case {
    const char *language, *text;
    size_t start, end;
    const char *inserted;
    int change; /* sign of what the insertion adds to the errors */
};

static const struct errors_case errors_cases[] = {
    {"c", "int f(void)\n{\n    return ;\n}\n", 25, 25, "1", 0},
    {"c", "int f(void)\n{\n    return ;\n}\n", 25, 25, "1;\n}", 1},
    {"c", "int f(void)\n{\n    return ;\n}\n", 25, 26, "(1", 1},
    {"c", "int f(void)\n{\n    return ;\n", 26, 26, "\n}", -1},
    {"python", "def f(x):\n    return x\n", 21, 22, "(", 1},
    {"python", "x = 1\n", 4, 5, "(2", 1},
    {"go", "func f() {\n}\n", 10, 10, "\n\treturn", 0},
    {"tsx", "const a = <p></p>;\n", 13, 13, "<b>", 1},
    {"html", "<ul></ul>\n", 4, 4, "<li>a</li>", 0},
    {"html", "<div>\n<p>a\n</div>\n", 10, 10, "</b>", 1},
    {"html", "<div>\n<p>a</b></p>\n</div>\n", 10, 10, "<b>", -1},
    {"html", "<div></div>\n", 5, 5, "<b>a", 1},
    {"html", "<div></div>\n", 5, 5, "<b>a</b>", 0},
    {"html", "<div></div>\n", 5, 5, "<my-card>a", 1},
    {"html", "<div></div>\n", 5, 5, "a</div>", 1},
    {"html", "<div></div>\n", 5, 5, "<p>a<br><img src=\"a.png\"><hr/>", 0},
    {"html", "<div></div>\n", 5, 5, "<P>a<TABLE><TR><TD>a<TR><TH>b</TABLE>", 0},
    {"html", "<div><b></div>\n", 8, 8, "a</b>", -1},
    {"html", "<b></button>\n", 2, 2, "utton", -1},
    {"tsx", "const a = <p>b</p>;\n", 17, 17, "re", 1},
    {"tsx", "const a = <p>b</a.p>;\n", 11, 11, "a.", -1},
    {"tsx", "const a = <><b>c</b></>;\n", 12, 12, "<i>d</i>", 0},
    {"javascript", "const a = <p>b</p>;\n", 14, 14, "<p></p>", 0},
};

static size_t errors_of(const struct language *language, const char *text, size_t bytes)
{
    struct syntax *syntax = syntax_create(language);

    assert_true(syntax_parse(syntax, text, bytes));
    size_t errors = syntax_error_count(syntax, text, bytes);
    syntax_destroy(syntax);
    return errors;
}

static void errors_with_an_insertion_are_those_of_the_new_text(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(errors_cases); i++) {
        const struct errors_case *c = &errors_cases[i];
        const struct language *language = language_find(c->language, NULL);
        struct syntax *syntax = syntax_create(language);
        size_t bytes = strlen(c->text), count = strlen(c->inserted);
        char whole[256];

        assert_true(syntax_parse(syntax, c->text, bytes));
        size_t before = syntax_error_count(syntax, c->text, bytes);
        size_t with = syntax_error_count_with(syntax, c->text, bytes,
                                              (struct span){c->start, c->end}, c->inserted, count);
        int written = snprintf(whole, sizeof whole, "%.*s%s%s", (int)c->start, c->text, c->inserted,
                               c->text + c->end);

        assert_int_equal(with, errors_of(language, whole, (size_t)written));
        if ((with > before) - (with < before) != c->change)
            fail_msg("%s: %zu errors before, %zu after", whole, before, with);
        check_against_fresh(syntax, c->text, bytes);
        syntax_destroy(syntax);
    }
}

static void errors_with_an_insertion_without_a_tree_are_none(void **state)
{
    (void)state;
    struct syntax *syntax = syntax_create(language_find("c", NULL));
    static char big[SYNTAX_LIMIT_BYTES];

    assert_int_equal(syntax_error_count_with(syntax, "", 0, (struct span){0, 0}, "{", 1), 0);
    assert_true(syntax_parse(syntax, "", 0));
    assert_true(syntax_error_count_with(syntax, "", 0, (struct span){0, 0}, "{", 1) > 0);
    memset(big, ' ', sizeof big);
    assert_int_equal(
        syntax_error_count_with(syntax, "int", 3, (struct span){0, 0}, big, sizeof big),
        SYNTAX_ERROR_LIMIT);
    syntax_destroy(syntax);
}

static void tree_is_there_only_while_up_to_date(void **state)
{
    (void)state;
    struct syntax *syntax = syntax_create(language_find("c", NULL));

    assert_null(syntax_tree(syntax));
    assert_true(syntax_parse(syntax, "int a;", 6));
    assert_non_null(syntax_tree(syntax));
    assert_int_equal(syntax_error_count(syntax, "int a;", 6), 0);
    syntax_edit(syntax, "int a;", 5, 6, "=", 1);
    assert_null(syntax_tree(syntax));
    assert_true(syntax_parse(syntax, "int a=", 6));
    assert_true(syntax_error_count(syntax, "int a=", 6) > 0);
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
    assert_int_equal(syntax_error_count(syntax, big, SYNTAX_LIMIT_BYTES + 1), 0);
    while (!syntax_parse(syntax, "x = 1", 5)) {
        syntax_edit(syntax, "x = 1", 0, 0, "", 0);
        assert_true(edits++ < 1000);
    }
    assert_true(edits > 1);

    /* a new text is another matter */
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
        cmocka_unit_test(errors_with_an_insertion_are_those_of_the_new_text),
        cmocka_unit_test(errors_with_an_insertion_without_a_tree_are_none),
        cmocka_unit_test(tree_is_there_only_while_up_to_date),
        cmocka_unit_test(text_beyond_limit_is_given_up_for_some_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
