/* The split expression: what it cuts, what of its dialect is accepted, and that it ends. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "infer/tokenizer/split.h"

/* Qwen2's, as every tokenizer.json of the family has it. */
#define QWEN2                                                                                      \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "                          \
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"                                                                \
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

enum { LONG_BYTES = 200000, PIECES_BYTES = 256 };

/* Pieces joined by |. */
struct pieces {
    char text[PIECES_BYTES];
    size_t bytes;
};

static bool join(void *user, const char *piece, size_t bytes)
{
    struct pieces *pieces = user;
    assert_true(bytes > 0 && pieces->bytes + bytes + 1 < PIECES_BYTES);
    if (pieces->bytes > 0)
        pieces->text[pieces->bytes++] = '|';
    memcpy(pieces->text + pieces->bytes, piece, bytes);
    pieces->bytes += bytes;
    return true;
}

static bool count(void *user, const char *piece, size_t bytes)
{
    (void)piece;
    (void)bytes;
    ++*(size_t *)user;
    return true;
}

static bool stop(void *user, const char *piece, size_t bytes)
{
    count(user, piece, bytes);
    return false;
}

static struct split *create(const char *expression)
{
    struct error error = {0};
    struct split *split = split_create(expression, "FILE", &error);
    if (!split)
        fail_msg("%s", error.text);
    return split;
}

static void each_text_is_cut_as_the_expression_says(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *text, *pieces;
    } cases[] = {
        {QWEN2, "", ""},
        {QWEN2, "int x12 = a_b;", "int| x|1|2| =| a|_b|;"},
        {QWEN2, "we'LL don't 'quote'", "we|'LL| don|'t| '|quote|'"},
        {QWEN2, "'\u017F'\u017Fx", "'\u017F|'\u017F|x"}, /* long s folds to s */
        {QWEN2, "a  b \n\n  c\t\r\n", "a| | b| \n\n| | c|\t\r\n"},
        {QWEN2, "{\r\n\t};", "{\r\n|\t|};"},
        {QWEN2, "\u00A0x\xC2\x85\u3000y", "\u00A0x|\xC2\x85|\u3000y"},
        {QWEN2, "!\u180E!", "!\u180E!"}, /* no white space, though PCRE2's \s says so */
        {QWEN2, " \u180E", " \u180E"},
        {QWEN2, "\u4E2D\u6587\u2167\u00BD", "\u4E2D\u6587|\u2167|\u00BD"},
        {QWEN2, "\U0001F600\u200D\U0001F600 ", "\U0001F600\u200D\U0001F600| "},
        /* what no match covers is a piece as well */
        {"b+", "aabbabc", "aa|bb|a|b|c"},
        {"[^\\p{Lu}]", "aBC.", "a|BC|."},
        {"\\S+", "ab c", "ab| |c"},
        {"a{1,2}|\\[", "aaa[", "aa|a|["},
        {"(?:ab)+(?=c)|(\\p{Nd})", "ababc7", "abab|c|7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct split *split = create(cases[i].expression);
        struct pieces pieces = {0};
        assert_true(split_each(split, cases[i].text, strlen(cases[i].text), join, &pieces, NULL));
        assert_string_equal(pieces.text, cases[i].pieces);
        split_destroy(split);
    }
}

static void create_expression_outside_the_dialect_is_refused(void **state)
{
    (void)state;
    static const char *const expressions[] = {
        /* differ between Oniguruma and PCRE2 */
        "\\d",
        "\\w+",
        "\\h",
        "\\bx",
        "\\x41",
        "\\1",
        "^a",
        "a$",
        ".",
        "[[a]b]",
        "[a&&b]",
        "[]a]",
        "[^]a]",
        "[\\S]",
        "a{1,2}+",
        "\\p{Han}",
        "\\p{^L}",
        "\\pL",
        "\\p{L",
        "(?<n>a)",
        "(?R)",
        "(*UTF)a",
        "(?i)a",
        "(?s:a)",
        "(?",
        /* wrong in both */
        "(a",
        "a)",
        "[a",
        "*a",
        "a\\",
        "\\p{Lz}",
        /* matches nothing at all */
        "",
        "a*",
        "a|",
        "(?=a)",
        "\\s*",
    };
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        struct error error = {0};
        struct split *split = split_create(expressions[i], "FILE", &error);
        if (split)
            fail_msg("accepted: %s", expressions[i]);
        assert_int_equal(error.code, ERROR_INPUT);
        assert_int_equal(strncmp(error.text, "FILE: the split expression ", 27), 0);
    }
}

static void create_expression_above_limit_is_refused(void **state)
{
    (void)state;
    char *expression = calloc(1, SPLIT_EXPRESSION_MAX_BYTES + 2);
    struct error error = {0};
    memset(expression, 'a', SPLIT_EXPRESSION_MAX_BYTES + 1);
    assert_null(split_create(expression, "FILE", &error));
    assert_int_equal(error.code, ERROR_LIMIT);
    expression[SPLIT_EXPRESSION_MAX_BYTES] = '\0';
    split_destroy(create(expression));
    free(expression);
}

static void each_visitor_that_returns_false_ends_the_walk(void **state)
{
    (void)state;
    struct split *split = create(QWEN2);
    struct error error = {0};
    size_t pieces = 0;
    assert_false(split_each(split, "a b c", 5, stop, &pieces, &error));
    assert_int_equal(pieces, 1);
    assert_int_equal(error.code, ERROR_NONE);
    split_destroy(split);
}

static void each_deep_backtracking_outgrows_no_stack(void **state)
{
    (void)state;
    struct split *split = create("(?:ab|a)+c|\\p{L}+");
    char *text = malloc(LONG_BYTES);
    struct error error = {0};
    size_t pieces = 0;
    for (size_t i = 0; i < LONG_BYTES; i++)
        text[i] = i % 2 ? 'b' : 'a';
    if (!split_each(split, text, LONG_BYTES, count, &pieces, &error))
        fail_msg("%s", error.text);
    assert_int_equal(pieces, 1);
    free(text);
    split_destroy(split);
}

static void each_runaway_expression_ends_with_an_error(void **state)
{
    (void)state;
    struct split *split = create("(?:a+)+[bc]");
    struct error error = {0};
    size_t pieces = 0;
    assert_false(split_each(split, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad", 58,
                            count, &pieces, &error));
    assert_int_equal(error.code, ERROR_LIMIT);
    split_destroy(split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_is_cut_as_the_expression_says),
        cmocka_unit_test(create_expression_outside_the_dialect_is_refused),
        cmocka_unit_test(create_expression_above_limit_is_refused),
        cmocka_unit_test(each_visitor_that_returns_false_ends_the_walk),
        cmocka_unit_test(each_deep_backtracking_outgrows_no_stack),
        cmocka_unit_test(each_runaway_expression_ends_with_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
