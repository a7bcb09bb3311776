/* context: what is copied around a cursor. A "¦" in the cases is the cursor. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/context.h"
#include "tests/support/marked.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct context_case {
    const char *name;
    const char *text;
    const char *before, *after;
    size_t blank_bytes;
    const char *line; /* the cursor line's beginning, as far as it stands before the insertion */
    const char *rest;
};

static const struct context_case context_cases[] = {
    {"nothing", "¦", "", "", 0, "", ""},
    {"within a line", "a\nb = ¦ + c \nd\n", "a\nb = ", " + c \nd\n", 0, "b = ", "+ c"},
    {"end of a line", "a\n  b¦\nd\n", "a\n  b", "\nd\n", 0, "  b", ""},
    {"two spaces", "a;  ¦\n", "a;  ", "\n", 0, "a;  ", ""},
    {"empty line", "a\n¦\nb\n", "a\n", "\nb\n", 0, "", ""},
    {"blank line", "a\n \t ¦\nb\n", "a\n \t ", "\nb\n", 3, "", ""},
    {"blank line goes on", "a\n  ¦  \nb\n", "a\n  ", "  \nb\n", 2, "", ""},
    {"one tab", "a\n\t¦\nb\n", "a\n\t", "\nb\n", 1, "", ""},
    {"indentation before a word", "a\n  ¦b\n", "a\n  ", "b\n", 0, "  ", "b"},
    {"first line blank", "  ¦", "  ", "", 2, "", ""},
    {"crlf", "a\r\n  ¦\r\nb\r\n", "a\n  ", "\nb\n", 2, "", ""},
    {"lone carriage return", "a\rb¦\rc", "a\rb", "\rc", 0, "a\rb", "c"},
};

/* The context of a marked text as plain text; the caller finishes it. */
static void make_context(struct context *context, const char *marked)
{
    size_t bytes, cursor;
    char *text = marked_text(marked, &bytes, &cursor);

    assert_true(context_init(context, NULL, NULL, text, bytes, cursor));
    free(text);
}

static void context_holds_copies_of_both_sides(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(context_cases); i++) {
        const struct context_case *given = &context_cases[i];
        struct context context;
        make_context(&context, given->text);

        size_t start, rest = context_rest(&context, &start);
        size_t insertion = context_insertion_start(&context), line = context_line_start(&context);
        if (strcmp(context.before, given->before) || strcmp(context.after, given->after))
            fail_msg("%s: \"%s\" and \"%s\"", given->name, context.before, context.after);
        if (context.blank_bytes != given->blank_bytes)
            fail_msg("%s: %zu blank bytes", given->name, context.blank_bytes);
        if (insertion - line != strlen(given->line) ||
            memcmp(context.before + line, given->line, insertion - line))
            fail_msg("%s: the line begins at %zu", given->name, line);
        if (rest != strlen(given->rest) || memcmp(context.after + start, given->rest, rest))
            fail_msg("%s: a rest of %zu bytes", given->name, rest);
        assert_int_equal(insertion + context.blank_bytes, context.before_bytes);
        context_finish(&context);
    }
}

static void context_of_a_large_text_is_cut_at_line_starts(void **state)
{
    (void)state;
    enum { LINE = 37, LINES = 8000, CURSOR_LINE = 4000 };
    char *text = malloc(LINE * LINES);
    struct context context;

    for (size_t i = 0; i < LINE * LINES; i++)
        text[i] = i % LINE == LINE - 1 ? '\n' : (char)('a' + i / LINE % 26);
    assert_true(context_init(&context, NULL, NULL, text, LINE * LINES, LINE * CURSOR_LINE + 5));
    assert_in_range(context.before_bytes, CONTEXT_PREFIX_BYTES - CONTEXT_PREFIX_STEP - LINE + 1,
                    CONTEXT_PREFIX_BYTES);
    assert_int_equal(context.before_bytes % LINE, 5);
    assert_in_range(context.after_bytes, CONTEXT_SUFFIX_BYTES - LINE + 1, CONTEXT_SUFFIX_BYTES);
    assert_int_equal(context.after[context.after_bytes - 1], '\n');
    assert_memory_equal(context.before + context.before_bytes - 5, text + LINE * CURSOR_LINE, 5);
    context_finish(&context);

    /* a line that begins exactly where the limit lies is kept whole */
    size_t cursor = CONTEXT_PREFIX_BYTES + CONTEXT_PREFIX_STEP;
    text[CONTEXT_PREFIX_STEP - 1] = '\n';
    assert_true(context_init(&context, NULL, NULL, text, LINE * LINES, cursor));
    assert_int_equal(context.before_bytes, CONTEXT_PREFIX_BYTES);
    context_finish(&context);
    free(text);
}

/* What a model has read of the beginning stays good while the user types. */
static void context_of_a_large_text_keeps_its_beginning_while_typing(void **state)
{
    (void)state;
    enum { LINE = 10, KEYS = 3000 };
    const size_t size = 2 * CONTEXT_PREFIX_BYTES;
    char *text = malloc(size);
    size_t moves = 0, start = 0;

    for (size_t i = 0; i < size; i++)
        text[i] = i % LINE == LINE - 1 ? '\n' : 'a';
    for (size_t key = 0; key < KEYS; key++) {
        const size_t cursor = CONTEXT_PREFIX_BYTES + 100 + key;
        struct context context;
        assert_true(context_init(&context, NULL, NULL, text, size, cursor));
        moves += key > 0 && start != cursor - context.before_bytes;
        start = cursor - context.before_bytes;
        context_finish(&context);
    }
    assert_in_range(moves, 0, 1);
    free(text);
}

static void context_of_a_large_line_is_cut_at_code_points(void **state)
{
    (void)state;
    enum { CHARACTERS = 40000 };
    char *text = malloc(3 * CHARACTERS);
    struct context context;

    for (size_t i = 0; i < CHARACTERS; i++)
        memcpy(text + 3 * i, "漢", 3);
    assert_true(context_init(&context, NULL, NULL, text, 3 * CHARACTERS, 3 * 30000));
    assert_in_range(context.before_bytes, CONTEXT_PREFIX_BYTES - CONTEXT_PREFIX_STEP - 2,
                    CONTEXT_PREFIX_BYTES);
    assert_in_range(context.after_bytes, CONTEXT_SUFFIX_BYTES - 2, CONTEXT_SUFFIX_BYTES);
    assert_memory_equal(context.before, "漢", 3);
    assert_int_equal(context.after_bytes % 3, 0);
    context_finish(&context);
    free(text);
}

static void context_extent_comes_from_the_tree(void **state)
{
    (void)state;
    const struct language *python = language_find("python", NULL);
    static const char text[] = "def f(x):\n    ";
    struct syntax *syntax = syntax_create(python);
    struct context context;

    assert_true(syntax_parse(syntax, text, strlen(text)));
    assert_true(context_init(&context, python, syntax, text, strlen(text), 9999));
    assert_int_equal(context.extent, SCOPE_BLOCK);
    assert_ptr_equal(context.language, python);
    context_finish(&context);
    assert_true(context_init(&context, python, syntax, text, strlen(text), 6));
    assert_int_equal(context.extent, SCOPE_LINE);
    context_finish(&context);
    syntax_destroy(syntax);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_holds_copies_of_both_sides),
        cmocka_unit_test(context_of_a_large_text_is_cut_at_line_starts),
        cmocka_unit_test(context_of_a_large_text_keeps_its_beginning_while_typing),
        cmocka_unit_test(context_of_a_large_line_is_cut_at_code_points),
        cmocka_unit_test(context_extent_comes_from_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
