/* names: what a range of a text refers to, nearest to the cursor first, and the name at a cursor. "¦" is the cursor. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/names.h"
#include "tests/unit/parsers/cursor.h"

struct names_case {
    const char *language, *text;
    const char *names; /* of all of it, with a space behind each */
    const char *here;  /* at the cursor; "" for none */
};

static const struct names_case cases[] = {
    {"c", "int f(struct s *p)\n{\n    return g(p->field, \"str\" /* com */, MAX¦);\n}\n",
     "MAX field ", "MAX"},
    {"c", "int f¦oo(void) { foo(bar); }", "foo bar ", "foo"},
    {"c", "int abc = ¦;", "abc ", ""},
    {"c", "int x = \"ab¦c\";", "", ""},
    {"cpp", "std::vector<Item> list;\nns::make(list¦)", "list make ns Item vector std ", "list"},
    {"python", "def run(self):\n    self.sto¦re(value, key=other)\n",
     "store value self key other run ", "store"},
    {"python", "obj.attr.¦", "attr obj ", ""},
    {"javascript", "const {alpha, beta: gamma} = load(¦this.delta);",
     "load delta gamma beta alpha ", ""},
    {"typescript", "let box: Box<string> = make¦<Item>();", "make Item Box box ", "make"},
    {"tsx", "const e = <Panel title={text¦}/>;", "text title Panel ", "text"},
    {"go", "func (s *Server) Run() { fmt.Println¦(s.addr) }", "Println addr fmt Run Server ",
     "Println"},
    {"rust", "impl Shape { fn area(&self) -> f64 { self.width * scale¦() } }",
     "scale width area Shape ", "scale"},
    {"java", "class Main { List<Item> items = build¦(size); }", "build size items Item List Main ",
     "build"},
    {"bash", "greet() { echo \"$name\"; }\ngreet¦ \"$@\"", "greet name echo ", "greet"},
    {"lua", "local store = require('x')\nstore:put¦(key)", "put key store require ", "put"},
    {"json", "{\"alpha\": 1, \"be¦ta\": 2}", "beta alpha ", "beta"},
    {"html", "<main class=\"x\"><sec¦tion></section></main>", "section class main ", "section"},
    {"css", ".part { color: var(--acc¦ent); }", "var color part ", ""},
};

static void names_are_distinct_and_nearest_first(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct placed placed = place_cursor(cases[i].language, cases[i].text);
        char written[256] = "";
        struct names names;

        assert_true(names_init(&names, placed.syntax, placed.text, (struct span){0, placed.bytes},
                               placed.cursor));
        for (size_t name = 0; name < names.count; name++) {
            struct span span = names.items[name];
            strncat(written, placed.text + span.start, span.end - span.start);
            strcat(written, " ");
        }
        if (strcmp(written, cases[i].names) != 0)
            fail_msg("%s: %s", cases[i].text, written);
        names_finish(&names);
        remove_cursor(&placed);
    }
}

static void name_at_cursor_is_the_one_around_it(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct placed placed = place_cursor(cases[i].language, cases[i].text);
        struct span span = name_at(placed.syntax, placed.text, placed.cursor);
        size_t bytes = strlen(cases[i].here);

        if (span.end - span.start != bytes ||
            memcmp(placed.text + span.start, cases[i].here, bytes))
            fail_msg("%s: %.*s", cases[i].text, (int)(span.end - span.start),
                     placed.text + span.start);
        remove_cursor(&placed);
    }
}

static void names_keep_to_their_range(void **state)
{
    (void)state;
    struct placed placed = place_cursor("c", "int before; int within; int behind;¦");
    size_t start = (size_t)(strstr(placed.text, "within") - placed.text);
    struct names names;

    assert_true(names_init(&names, placed.syntax, placed.text, (struct span){start, start + 6},
                           placed.cursor));
    assert_int_equal(names.count, 1);
    assert_int_equal(names.items[0].start, start);
    names_finish(&names);
    remove_cursor(&placed);
}

static void names_beyond_the_limit_are_the_distant_ones(void **state)
{
    (void)state;
    static char text[NAMES_LIMIT * 32];
    char *at = text;
    struct names names;

    for (int i = 0; i < 2 * NAMES_LIMIT; i++)
        at += sprintf(at, "int n%04d;\n", i);
    strcpy(at, "¦");
    struct placed placed = place_cursor("c", text);
    assert_true(names_init(&names, placed.syntax, placed.text, (struct span){0, placed.bytes},
                           placed.cursor));
    assert_int_equal(names.count, NAMES_LIMIT);
    assert_memory_equal(placed.text + names.items[0].start, "n0511", 5);
    names_finish(&names);
    remove_cursor(&placed);
}

static void names_without_a_tree_are_none(void **state)
{
    (void)state;
    struct names names;
    struct span here = name_at(NULL, "abc", 1);

    assert_true(names_init(&names, NULL, "abc", (struct span){0, 3}, 1));
    assert_int_equal(names.count, 0);
    assert_int_equal(here.start, here.end);
    names_finish(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_distinct_and_nearest_first),
        cmocka_unit_test(name_at_cursor_is_the_one_around_it),
        cmocka_unit_test(names_keep_to_their_range),
        cmocka_unit_test(names_beyond_the_limit_are_the_distant_ones),
        cmocka_unit_test(names_without_a_tree_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
