/* What becomes of a model's words: sentences, comments in the style of a language, code at its place. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/errand/prose.h"

static const struct comment_style *style_of(const char *language)
{
    return language_comments(language_find(language, NULL));
}

static void written_comments_become_sentences(void **state)
{
    static const struct {
        const char *language, *written, *sentences;
    } cases[] = {
        {"c", "Adds two numbers. */\nint add", "Adds two numbers."},
        {"c", "Adds.\n * Twice.\n */\n", "Adds.\nTwice."},
        {"c", "Adds.\n *\n * Twice.\n *\n */", "Adds.\n\nTwice."},
        {"c", "\n * Adds.  \n */", "Adds."},
        {"c", "Adds.\n * Adds.\n * Adds.\n", "Adds."}, /* it repeats itself */
        {"c", " */\n", ""},
        {"c", "----\n", ""},
        {"c", "- a\n * - b\n */", "- a\n- b"},
        {"python", "Return it.\"\"\"\n    return x", "Return it."},
        {"python", "Return it.\n\n    Args: x\n    \"\"\"", "Return it.\n\nArgs: x"},
        {"rust", "Adds.\n/// Twice.\nfn add()", "Adds.\nTwice."},
        {"rust", "Adds.\n    /// Twice.\n    fn add()", "Adds.\nTwice."},
        {"go", "Add adds.\nfunc Add()", "Add adds."},
        {"bash", "adds\n# twice\n\nadd() {", "adds\ntwice"},
        {"html", "A menu. -->\n<ul>", "A menu."},
        {"css", "Größe.\n */\na {}", "Größe."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *sentences = prose_of_comment(style_of(cases[i].language), cases[i].written,
                                           strlen(cases[i].written));
        assert_string_equal(sentences, cases[i].sentences);
        free(sentences);
    }
}

static void comment_has_ended_when_more_cannot_add_to_it(void **state)
{
    static const struct {
        const char *language, *written;
        bool ended;
    } cases[] = {
        {"c", "Adds", false},
        {"c", "Adds.\n *", false},
        {"c", "Adds. */", true},
        {"rust", "Adds", false},
        {"rust", "Adds.\n", false},
        {"rust", "Adds.\n/", false},
        {"rust", "Adds.\n    ", false},
        {"rust", "Adds.\nf", true},
        {"rust", "Adds.\n\n", true},
        {"python", "Adds.\"\"", false},
        {"python", "Adds.\"\"\"", true},
        {"c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ended;
        prose_comment_end(style_of(cases[i].language), cases[i].written, strlen(cases[i].written),
                          &ended);
        if (ended != cases[i].ended)
            fail_msg("case %zu: %s", i, cases[i].written);
    }
}

static void answers_lose_what_stands_around_them(void **state)
{
    static const struct {
        const char *answer, *sentences;
    } cases[] = {
        {"  It adds.\n\n", "It adds."},
        {"```\nIt adds.\n```", "It adds."},
        {"```text\nIt adds.\n```\n", "It adds."},
        {"\"It adds.\"", "It adds."},
        {"\"a\" and \"b\"", "\"a\" and \"b\""},
        {"It adds.  \r\nTwice.", "It adds.\nTwice."},
        {"", ""},
        {"```", "```"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *sentences = prose_of_answer(cases[i].answer, strlen(cases[i].answer));
        assert_string_equal(sentences, cases[i].sentences);
        free(sentences);
    }
}

#define LONG                                                                                       \
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"

static void sentences_become_comments_in_the_style_of_the_language(void **state)
{
    static const struct {
        const char *language, *indent, *sentences, *comment, *opening;
    } cases[] = {
        {"c", "", "Adds.", "/** Adds. */\n", "/**\n * "},
        {"c", "  ", "Adds.\n\nTwice.", "  /**\n   * Adds.\n   *\n   * Twice.\n   */\n",
         "  /**\n   * "},
        {"c", "", LONG,
         "/**\n * one two three four five six seven eight nine ten eleven twelve thirteen\n"
         " * fourteen fifteen\n */\n",
         "/**\n * "},
        {"c", "", "a */ b", "/** a * / b */\n", "/**\n * "},
        {"python", "    ", "Adds.", "    \"\"\"Adds.\"\"\"\n", "    \"\"\""},
        {"python", "    ", "Adds.\nTwice.", "    \"\"\"Adds.\n    Twice.\n    \"\"\"\n",
         "    \"\"\""},
        {"rust", "\t", "Adds.\nTwice.", "\t/// Adds.\n\t/// Twice.\n", "\t/// "},
        {"go", "", "Add adds.", "// Add adds.\n", "// "},
        {"lua", "", "Adds.\n\nTwice.", "--- Adds.\n---\n--- Twice.\n", "--- "},
        {"html", "", "A menu.", "<!-- A menu. -->\n", "<!-- "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct comment_style *style = style_of(cases[i].language);
        char *comment = prose_comment(style, cases[i].indent, cases[i].sentences);
        char *opening = prose_comment_opening(style, cases[i].indent);
        assert_string_equal(comment, cases[i].comment);
        assert_string_equal(opening, cases[i].opening);
        free(comment);
        free(opening);
    }
}

static void long_words_and_deep_indentation_are_not_broken(void **state)
{
    char word[301], indent[101];

    (void)state;
    memset(word, 'w', sizeof word - 1);
    memset(indent, ' ', sizeof indent - 1);
    word[sizeof word - 1] = indent[sizeof indent - 1] = '\0';
    char *comment = prose_comment(style_of("go"), indent, word);
    assert_int_equal(strlen(comment), 100 + 3 + 300 + 1);
    free(comment);
}

static void code_ends_at_its_fence_and_takes_the_indentation(void **state)
{
    static const struct {
        const char *written, *indent, *code;
    } cases[] = {
        {"x = 1\n```\nThis sets x.", "", "x = 1"},
        {"\n\nif x:\n    y\n\n\n", "  ", "  if x:\n      y"},
        {"    a\n\n      b\n", "\t", "\ta\n\n\t  b"},
        {"a\r\nb\r\n", "", "a\nb"},
        {"\ta\n    b\n", "", "\ta\n    b"}, /* nothing in common */
        {"```", "  ", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ended;
        const size_t bytes = prose_code_end(cases[i].written, strlen(cases[i].written), &ended);
        char *code = prose_indent(cases[i].written, bytes, cases[i].indent);
        assert_string_equal(code, cases[i].code);
        assert_int_equal(ended, strstr(cases[i].written, "```") != NULL);
        free(code);
    }
}

static void stuttering_text_is_cut_behind_its_first_time(void **state)
{
    static const struct {
        const char *text, *kept;
    } cases[] = {
        {"x = a + a + a + a + a + a + a", "x = a +"},
        {"it adds. it adds. it adds. it adds. ", "it adds. "},
        {"it adds. it adds. it adds. ", "it adds. it adds. it adds. "},
        {"--------------------------------------", "--------------------------------------"},
        {"                                      x", "                                      x"},
        {"a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n", "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t kept = prose_stutter(cases[i].text, strlen(cases[i].text));
        if (kept != strlen(cases[i].kept))
            fail_msg("case %zu: %.*s", i, (int)kept, cases[i].text);
    }
}

static void text_that_broke_off_ends_with_a_sentence(void **state)
{
    static const struct {
        const char *text, *kept;
    } cases[] = {
        {"It adds. Then it", "It adds."},
        {"It adds.", "It adds."},
        {"It adds", ""},
        {"See a.c for", ""},
        {"One!\nTwo", "One!"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t kept = prose_sentence_end(cases[i].text, strlen(cases[i].text));
        assert_int_equal(kept, strlen(cases[i].kept));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_comments_become_sentences),
        cmocka_unit_test(comment_has_ended_when_more_cannot_add_to_it),
        cmocka_unit_test(answers_lose_what_stands_around_them),
        cmocka_unit_test(sentences_become_comments_in_the_style_of_the_language),
        cmocka_unit_test(long_words_and_deep_indentation_are_not_broken),
        cmocka_unit_test(stuttering_text_is_cut_behind_its_first_time),
        cmocka_unit_test(text_that_broke_off_ends_with_a_sentence),
        cmocka_unit_test(code_ends_at_its_fence_and_takes_the_indentation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
