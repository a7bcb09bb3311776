/* comments: what a place stands in, the comment above one, and what comments say. "¦" is the cursor. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/comments.h"
#include "tests/unit/parsers/cursor.h"

struct place_case {
    const char *language;
    enum place place;
    const char *text;
};

static const struct place_case place_cases[] = {
    {"c", PLACE_CODE, "int a;¦ // x\n"},
    {"c", PLACE_CODE, "int a; ¦// x\n"},
    {"c", PLACE_COMMENT, "int a; // x¦\n"},
    {"c", PLACE_COMMENT, "int a; // x¦"},
    {"c", PLACE_CODE, "int a; // x\n¦int b;"},
    {"c", PLACE_COMMENT, "int a; /* x ¦*/ int b;\n"},
    {"c", PLACE_CODE, "int a; /* x */¦ int b;\n"},
    {"c", PLACE_STRING, "char *s = \"a¦b\";\n"},
    {"c", PLACE_STRING, "char *s = \"¦\";\n"},
    {"c", PLACE_CODE, "char *s = ¦\"ab\";\n"},
    {"c", PLACE_CODE, "char *s = \"ab\"¦;\n"},
    {"c", PLACE_STRING, "char *s = \"/* ¦ */\";\n"},
    {"cpp", PLACE_STRING, "auto s = R\"(a ¦ b)\";\n"},
    {"python", PLACE_COMMENT, "x = 1  # a¦\n"},
    {"python", PLACE_STRING, "x = '''a\n¦b'''\n"},
    {"python", PLACE_STRING, "x = f'a¦{b}'\n"},
    {"python", PLACE_CODE, "x = f'a{b¦}'\n"},
    {"javascript", PLACE_STRING, "x = `a¦ ${b}`;\n"},
    {"javascript", PLACE_CODE, "x = `a ${b¦}`;\n"},
    {"javascript", PLACE_STRING, "x = `a ${\"b¦\"}`;\n"},
    {"typescript", PLACE_COMMENT, "/** a¦ */\n"},
    {"tsx", PLACE_CODE, "x = <b>it's ¦</b>;\n"},
    {"go", PLACE_STRING, "var x = `a\n¦b`\n"},
    {"rust", PLACE_COMMENT, "/// a¦\nfn f() {}\n"},
    {"rust", PLACE_CODE, "/// a\n¦fn f() {}\n"},
    {"rust", PLACE_STRING, "let x = r#\"a¦\"#;\n"},
    {"java", PLACE_STRING, "class A { String s = \"\"\"\n  a¦\n  \"\"\"; }\n"},
    {"bash", PLACE_STRING, "cat <<EOF\na¦\nEOF\n"},
    {"bash", PLACE_STRING, "echo \"a¦\"\n"},
    {"bash", PLACE_CODE, "echo \"a $(b¦)\"\n"},
    {"bash", PLACE_COMMENT, "# a¦\n"},
    {"lua", PLACE_COMMENT, "-- a¦\n"},
    {"lua", PLACE_COMMENT, "--[[ a\n¦ ]]\n"},
    {"lua", PLACE_STRING, "x = [[a\n¦]]\n"},
    {"json", PLACE_STRING, "{\"a¦\": 1}\n"},
    {"html", PLACE_COMMENT, "<!-- a¦ -->\n"},
    {"html", PLACE_CODE, "<p>it's ¦</p>\n"},
    {"css", PLACE_COMMENT, ".a { /* ¦ */ }\n"},
    {"css", PLACE_STRING, ".a { content: \"¦\"; }\n"},
};

static void place_is_told_from_code(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(place_cases); i++) {
        const struct place_case *c = &place_cases[i];
        struct placed placed = place_cursor(c->language, c->text);
        struct span range;
        enum place place = place_at(placed.syntax, placed.text, placed.cursor, &range);

        if (place != c->place)
            fail_msg("%s: %s: %d, not %d", c->language, c->text, place, c->place);
        assert_true(range.start <= placed.cursor && placed.cursor <= range.end);
        assert_int_equal(place == PLACE_CODE, range.start == range.end);
        remove_cursor(&placed);
    }
    assert_int_equal(place_at(NULL, "/* a */", 4, NULL), PLACE_CODE);
}

struct above_case {
    const char *language, *text, *above;
};

static const struct above_case above_cases[] = {
    {"c", "/* One. */\n¦int a;\n", "/* One. */"},
    {"c", "// One.\n// Two.\n¦int a;\n", "// One.\n// Two."},
    {"c", "// One.\n\n// Two.\n¦int a;\n", "// Two."},
    {"c", "// One.\n\n¦int a;\n", ""},
    {"c", "int b; // One.\n¦int a;\n", ""},
    {"c", "int b; // One.\n// Two.\n¦int a;\n", "// Two."},
    {"c", "¦// One.\nint a;\n", ""},
    {"c", "struct s {\n    // One.\n    ¦int a;\n};\n", "// One."},
    {"python", "def f():\n    # One.\n    ¦\n", "# One."},
    {"python", "# One.\r\n¦x = 1\r\n", "# One."},
    {"rust", "/// One.\n/// Two.\n¦fn f() {}\n", "/// One.\n/// Two."},
    {"bash", "# One.\n¦f() { :; }\n", "# One."},
    {"html", "<!-- One. -->\n¦<p></p>\n", "<!-- One. -->"},
};

static void comment_above_is_the_adjacent_one(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(above_cases); i++) {
        const struct above_case *c = &above_cases[i];
        struct placed placed = place_cursor(c->language, c->text);
        struct span span = comment_above(placed.syntax, placed.text, placed.cursor);

        if (span.end - span.start != strlen(c->above) ||
            memcmp(placed.text + span.start, c->above, strlen(c->above)) != 0)
            fail_msg("%s: %.*s", c->text, (int)(span.end - span.start), placed.text + span.start);
        remove_cursor(&placed);
    }
}

struct prose_case {
    const char *language, *comment, *prose;
};

static const struct prose_case prose_cases[] = {
    {"c", "/* One. */", "One."},
    {"c", "/** One.\n *\n *   Two.\n *  Three. */", "One.\n\n Two.\nThree."},
    {"c", "/* One\n   two. */", "One\ntwo."},
    {"c", "/**\n * One.\n */", "One."},
    {"c", "/*****\n * One.\n *****/", "One."},
    {"c", "// One.\n// Two.", "One.\nTwo."},
    {"c", "    /// One.\n    ///   Two.", "One.\n  Two."},
    {"c", "//", ""},
    {"c", "/**/", ""},
    {"c", "/*", ""},
    {"c", "", ""},
    {"cpp", "//! One.", "One."},
    {"rust", "/// One.\n///\n/// - a\n///   b", "One.\n\n- a\n  b"},
    {"python", "\"\"\"One.\n\n    Two.\n      Three.\n    \"\"\"", "One.\n\nTwo.\n  Three."},
    {"python", "r'''One.'''", "One."},
    {"python", "'One.'", "One."},
    {"python", "\"\"\"", ""},
    {"python", "# One.\n#  Two.", "One.\n Two."},
    {"lua", "--- One.\n--- Two.", "One.\nTwo."},
    {"lua", "--[[ One.\nTwo. ]]", "One.\nTwo."},
    {"bash", "# One.\n#\n# Two.\n#", "One.\n\nTwo."},
    {"html", "<!-- One.\n     Two. -->", "One.\nTwo."},
    {"css", "/* One. */", "One."},
};

static void prose_has_neither_marks_nor_indentation(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(prose_cases); i++) {
        const struct prose_case *c = &prose_cases[i];
        size_t room = strlen(c->comment);
        char *prose = malloc(room + 1);
        size_t bytes = comment_prose(language_find(c->language, NULL), c->comment,
                                     (struct span){0, room}, prose);

        assert_true(bytes <= room);
        if (bytes != strlen(c->prose) || memcmp(prose, c->prose, bytes) != 0)
            fail_msg("%s: %.*s", c->comment, (int)bytes, prose);
        free(prose);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(place_is_told_from_code),
        cmocka_unit_test(comment_above_is_the_adjacent_one),
        cmocka_unit_test(prose_has_neither_marks_nor_indentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
