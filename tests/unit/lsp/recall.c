/* place and recall: where a completion still fits, and what of it is missing there. A "¦" in the cases is the cursor. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/completion/graft.h"
#include "lsp/completion/recall.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char uri[] = "file:///a.c";
static struct place_cursor cursor;

/* The context of a marked text. */
static struct context make_context(const char *marked)
{
    static const char mark[] = "¦";
    const char *at = strstr(marked, mark);
    const size_t before = (size_t)(at - marked), after = strlen(at + sizeof mark - 1);
    char text[8192];
    struct context context;

    assert_true(before + after < sizeof text);
    memcpy(text, marked, before);
    memcpy(text + before, at + sizeof mark - 1, after + 1);
    assert_true(context_init(&context, NULL, NULL, text, before + after, before));
    return context;
}

static size_t kept_errors; /* that the parser is said to see with a text that is kept */

/* Keeps one text, which replaces so many bytes behind the cursor; NULL: nothing to offer. */
static void keep(struct recall *recall, const char *marked, const char *text, size_t replaced)
{
    struct context context = make_context(marked);
    struct candidates candidates = {.count = text != NULL};
    struct place place;

    if (text) {
        candidates.texts[0] = strdup(text);
        candidates.facts[0].replaced_bytes = replaced;
        candidates.facts[0].probability = 0.5f;
        candidates.facts[0].errors = kept_errors;
    }
    place_init(&place, uri, &context);
    recall_store(recall, &place, &candidates, 1, false);
    context_finish(&context);
}

static float least; /* probability */

/* What is known at a cursor; the answer is valid until the recall changes. */
static bool find(struct recall *recall, const char *marked, int wanted,
                 struct recall_answer *answer)
{
    struct context context = make_context(marked);
    bool found;

    place_cursor_init(&cursor, uri, &context);
    found = recall_find(recall, &cursor, wanted, &(struct recall_terms){.least = least}, answer);
    context_finish(&context);
    return found;
}

static const struct recall_case {
    const char *name;
    const char *asked, *text; /* what was kept */
    size_t replaced;
    const char *now;  /* the cursor */
    const char *rest; /* NULL: nothing is known */
    size_t rest_replaced;
} cases[] = {
    {"same place", "int a = ¦\nb", "c + d;", 0, "int a = ¦\nb", "c + d;", 0},
    {"typed along", "int a = ¦\nb", "c + d;", 0, "int a = c +¦\nb", " d;", 0},
    {"typed otherwise", "int a = ¦\nb", "c + d;", 0, "int a = e¦\nb", NULL, 0},
    {"typed to its end", "int a = ¦\nb", "c + d;", 0, "int a = c + d;¦\nb", NULL, 0},
    {"typed beyond its end", "int a = ¦\nb", "c;", 0, "int a = c; e¦\nb", NULL, 0},
    {"line accepted", "{¦\n}", "\n  a;\n  b;", 0, "{\n  a;¦\n}", "\n  b;", 0},
    {"before it", "int a = ¦\nb", "c + d;", 0, "int a ¦\nb", NULL, 0},
    {"changed before", "int a = ¦\nb", "c + d;", 0, "int e = ¦\nb", NULL, 0},
    {"changed behind", "int a = ¦\nb", "c + d;", 0, "int a = ¦\ne", NULL, 0},
    {"more behind", "int a = ¦\nb", "c + d;", 0, "int a = ¦\nb\ne", NULL, 0},
    {"less behind", "int a = ¦\nb", "c + d;", 0, "int a = ¦\n", NULL, 0},
    {"bracket closed", "a = ¦\nb", "f(c, d)", 0, "a = f(¦)\nb", "c, d", 0},
    {"brackets closed", "a = ¦\nb", "f(g(c))", 0, "a = f(g(¦))\nb", "c", 0},
    {"quote closed", "a = ¦\nb", "\"cd\"", 0, "a = \"¦\"\nb", "cd", 0},
    {"bracket closed, text goes on", "a = ¦\nb", "f(c);", 0, "a = f(¦)\nb", NULL, 0},
    {"bracket typed that does not agree", "a = ¦\nb", "f(c)", 0, "a = g(¦)\nb", NULL, 0},
    {"bracket that was there", "a(¦)\nb", "c", 0, "a(c¦)\nb", NULL, 0},
    {"closer appears without typing", "a = ¦\nb", "c)", 0, "a = ¦)\nb", NULL, 0},
    {"closer replaced", "f(¦)\nb", "c);", 1, "f(¦)\nb", "c);", 1},
    {"closer replaced, typed along", "f(¦)\nb", "c, d);", 1, "f(c,¦)\nb", " d);", 1},
    {"closer replaced, typed over", "f(¦)\nb", "c);", 1, "f(c)¦\nb", ";", 0},
    {"closer typed over that is not replaced", "f(¦)\nb", "c", 0, "f(c)¦\nb", NULL, 0},
    {"closer replaced, another closed", "f(¦)\nb", "g(c));", 1, "f(g(¦))\nb", NULL, 0},
};

static void completion_is_found_where_the_rest_makes_the_same_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct recall *recall = recall_create();
        struct recall_answer answer;

        keep(recall, cases[i].asked, cases[i].text, cases[i].replaced);
        bool found = find(recall, cases[i].now, 1, &answer);
        bool is_right = found == (cases[i].rest != NULL);
        if (found && is_right)
            is_right = answer.count == 1 && answer.texts[0].bytes == strlen(cases[i].rest) &&
                       !memcmp(answer.texts[0].text, cases[i].rest, answer.texts[0].bytes) &&
                       answer.texts[0].replaced_bytes == cases[i].rest_replaced;
        if (!is_right)
            fail_msg("%s", cases[i].name);
        recall_destroy(recall);
    }
}

static void nothing_to_offer_is_known_only_where_it_was_asked(void **state)
{
    struct recall *recall = recall_create();
    struct recall_answer answer;

    (void)state;
    keep(recall, "a ¦\n", NULL, 0);
    assert_true(find(recall, "a ¦\n", 1, &answer));
    assert_int_equal(answer.count, 0);
    assert_false(find(recall, "a b¦\n", 1, &answer));
    recall_destroy(recall);
}

static void one_text_is_not_enough_where_several_are_wanted(void **state)
{
    struct recall *recall = recall_create();
    struct recall_answer answer;

    (void)state;
    keep(recall, "a ¦\n", "b", 0);
    assert_false(find(recall, "a ¦\n", 2, &answer));
    recall_destroy(recall);
}

static void improbable_text_is_not_known_once_it_was_typed(void **state)
{
    struct recall *recall = recall_create();
    struct recall_answer answer;

    (void)state;
    keep(recall, "a ¦\n", "bc", 0);
    least = 0.6f;
    assert_true(find(recall, "a ¦\n", 1, &answer));
    assert_false(find(recall, "a b¦\n", 1, &answer));
    least = 0.5f;
    assert_true(find(recall, "a b¦\n", 1, &answer));
    least = 0;
    recall_destroy(recall);
}

static void newer_text_takes_the_place_of_the_older(void **state)
{
    struct recall *recall = recall_create();
    struct recall_answer answer;

    (void)state;
    keep(recall, "a ¦\n", "b", 0);
    keep(recall, "a ¦\n", "c", 0);
    assert_true(find(recall, "a ¦\n", 1, &answer));
    assert_int_equal(*answer.texts[0].text, 'c');
    recall_destroy(recall);
}

static void far_changes_are_noticed_before_the_cursor(void **state)
{
    struct recall *recall = recall_create();
    struct recall_answer answer;
    char text[4096];

    (void)state;
    memset(text, 'x', sizeof text);
    strcpy(text + 4000, "a ¦\n");
    keep(recall, text, "b", 0);
    assert_true(find(recall, text, 1, &answer));
    text[10] = 'y';
    assert_false(find(recall, text, 1, &answer));
    recall_destroy(recall);
}

static void completion_used_last_stays_and_the_oldest_goes(void **state)
{
    struct recall *recall = recall_create();
    struct recall_answer answer;
    char marked[64];

    (void)state;
    for (int i = 0; i <= RECALL_ENTRIES; i++) {
        snprintf(marked, sizeof marked, "text %d ¦\n", i);
        keep(recall, marked, "b", 0);
        assert_true(find(recall, "text 0 ¦\n", 1, &answer));
    }
    assert_false(find(recall, "text 1 ¦\n", 1, &answer));
    assert_true(find(recall, marked, 1, &answer));
    recall_clear(recall);
    assert_false(find(recall, marked, 1, &answer));
    recall_destroy(recall);
}

static void other_documents_are_other_places(void **state)
{
    struct recall *recall = recall_create();
    struct recall_answer answer;
    struct context context = make_context("a ¦\n");

    (void)state;
    keep(recall, "a ¦\n", "b", 0);
    place_cursor_init(&cursor, "file:///b.c", &context);
    assert_false(recall_find(recall, &cursor, 1, &(struct recall_terms){0}, &answer));
    context_finish(&context);
    recall_destroy(recall);
}

/* In JavaScript: whether a text that left errors where it was written is sound where the user has typed of it. With the bracket
 * alone the parser makes sense of the line behind, with the whole line it does not. */
static const struct sound_case {
    const char *name, *asked, *text, *now;
    size_t errors; /* that the text leaves */
    bool is_known;
} sound_cases[] = {
    {"errors stay", "function f¦\n  } else if (b) {\n", "(a) {", "function f¦\n  } else if (b) {\n",
     2, true},
    {"errors come", "function f¦\n  } else if (b) {\n", "(a) {",
     "function f(¦\n  } else if (b) {\n", 2, false},
    {"errors go", "function f¦\n  a;\n}\n", "(a) {", "function f(¦\n  a;\n}\n", 1, true},
    {"none are left", "function f¦\n  } else if (b) {\n", "(a) {",
     "function f(¦\n  } else if (b) {\n", 0, true},
};

static void text_that_brings_errors_is_not_known_once_it_was_typed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sound_cases); i++) {
        const struct sound_case *item = &sound_cases[i];
        struct recall *recall = recall_create();
        struct context context = make_context(item->now);
        struct recall_answer answer;

        context.language = language_find("javascript", NULL);
        struct graft *graft = graft_create(&context);
        kept_errors = item->errors;
        keep(recall, item->asked, item->text, 0);
        place_cursor_init(&cursor, uri, &context);
        if (recall_find(recall, &cursor, 1, &(struct recall_terms){.graft = graft}, &answer) !=
            item->is_known)
            fail_msg("%s", item->name);
        graft_destroy(graft);
        context_finish(&context);
        recall_destroy(recall);
    }
    kept_errors = 0;
}

/* A popup's entry that is selected stands for what is typed: "fun" for "fo", which is in the document. */
static void borrowed_tree_says_what_a_parse_says(void **state)
{
    static const char text[] = "fo\n}\n", lead[] = "function f";
    const struct language *language = language_find("javascript", NULL);
    struct syntax *syntax = syntax_create(language);
    struct context context = make_context("function f¦\n}\n");

    (void)state;
    context.language = language;
    assert_true(syntax_parse(syntax, text, strlen(text)));
    struct graft *made = graft_create(&context);
    struct graft *borrowed =
        graft_borrow(syntax, text, strlen(text), (struct span){0, 2}, lead, strlen(lead));
    static const char *const texts[] = {"", "(", "() {", "(a) {\n  b(;"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        const size_t bytes = strlen(texts[i]);
        assert_int_equal(graft_errors(borrowed, 0, texts[i], bytes),
                         graft_errors(made, 0, texts[i], bytes));
        assert_int_equal(graft_is_sound(borrowed, 0, texts[i], bytes),
                         graft_is_sound(made, 0, texts[i], bytes));
    }
    graft_destroy(borrowed);
    graft_destroy(made);
    context_finish(&context);
    syntax_destroy(syntax);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completion_is_found_where_the_rest_makes_the_same_text),
        cmocka_unit_test(nothing_to_offer_is_known_only_where_it_was_asked),
        cmocka_unit_test(one_text_is_not_enough_where_several_are_wanted),
        cmocka_unit_test(improbable_text_is_not_known_once_it_was_typed),
        cmocka_unit_test(newer_text_takes_the_place_of_the_older),
        cmocka_unit_test(far_changes_are_noticed_before_the_cursor),
        cmocka_unit_test(completion_used_last_stays_and_the_oldest_goes),
        cmocka_unit_test(other_documents_are_other_places),
        cmocka_unit_test(text_that_brings_errors_is_not_known_once_it_was_typed),
        cmocka_unit_test(borrowed_tree_says_what_a_parse_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
