/* UTF-8: every way of being well or ill formed, repair as Python does it, NFC. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "infer/utf8.h"

enum { MARK_RUN = 20000 };

#define R UTF8_REPLACEMENT

static void step_first_sequence_is_classified(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int step;
    } cases[] = {
        /* nothing, and beginnings */
        {"", 0},
        {"\xC3", 0},
        {"\xE2\x82", 0},
        {"\xF0\x9F\x98", 0},
        /* the borders of each length */
        {"a\xFF", 1},
        {"\x7F", 1},
        {"\xC2\x80", 2},
        {"\xDF\xBF", 2},
        {"\xE0\xA0\x80", 3},
        {"\xED\x9F\xBF", 3},
        {"\xEE\x80\x80", 3},
        {"\xEF\xBF\xBF", 3},
        {"\xF0\x90\x80\x80", 4},
        {"\xF4\x8F\xBF\xBF", 4},
        /* never lead bytes */
        {"\x80", -1},
        {"\xC0\x80", -1},
        {"\xC1\xBF", -1},
        {"\xF5\x80\x80\x80", -1},
        {"\xFF", -1},
        /* overlong, surrogates, above U+10FFFF */
        {"\xE0\x9F\xBF", -1},
        {"\xED\xA0\x80", -1},
        {"\xF0\x8F\xBF\xBF", -1},
        {"\xF4\x90\x80\x80", -1},
        /* broken off */
        {"\xC3(", -1},
        {"\xE2\x82(", -2},
        {"\xF0\x9F(", -2},
        {"\xF0\x9F\x98(", -3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(utf8_step(cases[i].text, strlen(cases[i].text)), cases[i].step);
}

static void repair_each_maximal_subpart_becomes_one_replacement(void **state)
{
    (void)state;
    static const struct {
        const char *text, *repaired; /* as Python's bytes.decode("utf-8", "replace") has it */
    } cases[] = {
        {"", ""},
        {"plain \xC3\xA9", "plain \xC3\xA9"},
        {"a\xFF\xFE", "a" R R},
        {"\xE2\x82x\xE2\x82", R "x" R},
        {"\xED\xA0\x80", R R R},
        {"\xF0\x9F\x98\xF0\x9F\x98\x80", R "\xF0\x9F\x98\x80"},
        {"\xF4\x90\x80\x80", R R R R},
        {"\xC3\xC3\xA9", R "\xC3\xA9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t bytes;
        char *repaired = utf8_repair(cases[i].text, strlen(cases[i].text), &bytes);
        assert_int_equal(bytes, strlen(cases[i].repaired));
        assert_memory_equal(repaired, cases[i].repaired, bytes);
        assert_true(utf8_is_valid(repaired, bytes));
        assert_int_equal(utf8_is_valid(cases[i].text, strlen(cases[i].text)),
                         strcmp(cases[i].text, cases[i].repaired) == 0);
        free(repaired);
    }
}

static void assert_composes(const char *text, size_t bytes, const char *expected,
                            size_t expected_bytes)
{
    size_t composed_bytes;
    char *composed = utf8_compose(text, bytes, &composed_bytes);
    assert_non_null(composed);
    assert_int_equal(composed_bytes, expected_bytes);
    assert_memory_equal(composed, expected, expected_bytes);
    free(composed);
}

static void compose_text_becomes_nfc(void **state)
{
    (void)state;
    static const struct {
        const char *text, *composed;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"e\u0301", "\u00E9"},
        {"a\u0307\u0323", "\u1EA1\u0307"}, /* marks change places */
        {"a\u0315\u0300\u05AE\u0301b",
         "\u00E0\u05AE\u0301\u0315b"},    /* from NormalizationTest.txt */
        {"\u0344", "\u0308\u0301"},       /* decomposes for good */
        {"\u0958", "\u0915\u093C"},       /* excluded from composition */
        {"\u1100\u1161\u11A8", "\uAC01"}, /* Hangul */
        {"\u212B\u2126", "\u00C5\u03A9"}, /* singletons */
        {"\u0F73\u0F71", "\u0F71\u0F71\u0F72"},
        {"e\u0301\u0315\u0327e\u0301", "\u0229\u0301\u0315\u00E9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_composes(cases[i].text, strlen(cases[i].text), cases[i].composed,
                        strlen(cases[i].composed));
        /* the quick check errs on one side only */
        if (utf8_is_composed(cases[i].text, strlen(cases[i].text)))
            assert_string_equal(cases[i].text, cases[i].composed);
    }
    assert_true(utf8_is_composed("caf\u00E9 \u02FF", 8));
}

/* Sorting them by exchanging neighbours would take some 10^8 steps; more to the point, the result is right. */
static void compose_long_run_of_marks_is_ordered(void **state)
{
    (void)state;
    char *text = malloc(MARK_RUN * 4), *expected = malloc(MARK_RUN * 4);
    for (size_t i = 0; i < MARK_RUN; i++) {
        memcpy(text + i * 4, "\u0315\u0323", 4); /* classes 232 and 220 */
        memcpy(expected + i * 2, "\u0323", 2);
        memcpy(expected + (MARK_RUN + i) * 2, "\u0315", 2);
    }
    assert_composes(text, MARK_RUN * 4, expected, MARK_RUN * 4);
    free(text);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_first_sequence_is_classified),
        cmocka_unit_test(repair_each_maximal_subpart_becomes_one_replacement),
        cmocka_unit_test(compose_text_becomes_nfc),
        cmocka_unit_test(compose_long_run_of_marks_is_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
