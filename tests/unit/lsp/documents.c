/* documents: opening, changing and closing, limits, and trees that follow the edits of a session. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/documents.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct document_change edit(size_t line, size_t from, size_t to_line, size_t to,
                                   const char *text)
{
    return (struct document_change){
        .has_range = true,
        .start = {line, from},
        .end = {to_line, to},
        .text = text,
        .bytes = strlen(text),
    };
}

static struct document_change whole(const char *text)
{
    return (struct document_change){.text = text, .bytes = strlen(text)};
}

static void assert_text(const struct document *document, const char *text)
{
    assert_int_equal(text_size(document_text(document)), strlen(text));
    assert_string_equal(text_bytes(document_text(document)), text);
}

static size_t count_errors(struct document *document)
{
    const struct text *text = document_text(document);

    return syntax_error_count(document_syntax(document), text_bytes(text), text_size(text));
}

static void changes_of_one_notification_apply_in_order(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF16, TEXT_LINES_PROTOCOL);
    struct document *document =
        documents_open(documents, "file:///a.py", "python", 1, "one\ntwo\n", 8, NULL);

    /* the second range only means this after the first edit */
    struct document_change changes[] = {
        edit(0, 0, 0, 0, "zero\n"),
        edit(1, 0, 1, 3, "1\n1.5"),
        edit(2, 1, 3, 0, "😀"),
        edit(2, 3, 2, 3, "!"),
    };
    assert_true(documents_change(documents, "file:///a.py", 7, changes, COUNT(changes), NULL));
    assert_text(document, "zero\n1\n1😀!two\n");
    assert_int_equal(document_version(document), 7);
    assert_ptr_equal(documents_find(documents, "file:///a.py"), document);
    documents_destroy(documents);
}

static void change_without_range_is_the_whole_text(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL);
    struct document *document = documents_open(documents, "u", "c", 1, "int a;\n", 7, NULL);

    assert_non_null(document_syntax(document));
    struct document_change changes[] = {whole("int b(;\n"), edit(0, 6, 0, 7, ")")};
    assert_true(documents_change(documents, "u", 2, changes, COUNT(changes), NULL));
    assert_text(document, "int b()\n");
    changes[0] = edit(0, 7, 0, 7, ";");
    assert_true(documents_change(documents, "u", 3, changes, 1, NULL));
    assert_int_equal(count_errors(document), 0);
    documents_destroy(documents);
}

static void range_backwards_is_an_insertion_at_its_start(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL);
    struct document *document = documents_open(documents, "u", "lua", 1, "a = bcd", 7, NULL);
    struct document_change change = edit(0, 6, 0, 1, "(");

    assert_non_null(document_syntax(document));
    assert_true(documents_change(documents, "u", 2, &change, 1, NULL));
    assert_text(document, "a = bc(d");
    assert_true(count_errors(document) > 0);
    documents_destroy(documents);
}

struct open_case {
    const char *uri, *language_id, *language; /* language NULL: plain text */
};

static const struct open_case open_cases[] = {
    {"file:///a/b.py", "python", "python"}, {"file:///a/b.py", "", "python"},
    {"file:///a/b.py", NULL, "python"},     {"untitled:Untitled-1", "lua", "lua"},
    {"file:///a/b.py", "jinja", NULL},      {"untitled:Untitled-1", "plaintext", NULL},
};

static void language_comes_from_the_id_else_from_the_uri(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF16, TEXT_LINES_PROTOCOL);

    for (size_t i = 0; i < COUNT(open_cases); i++) {
        const struct open_case *given = &open_cases[i];
        struct document *document =
            documents_open(documents, given->uri, given->language_id, 1, "", 0, NULL);

        assert_string_equal(document_language_id(document),
                            given->language_id ? given->language_id : "");
        assert_string_equal(document_uri(document), given->uri);
        if (given->language) {
            assert_string_equal(language_name(document_language(document)), given->language);
            assert_non_null(document_syntax(document));
        } else {
            assert_null(document_language(document));
            assert_null(document_syntax(document));
        }
    }
    documents_destroy(documents);
}

static void closed_document_is_not_found(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF16, TEXT_LINES_PROTOCOL);
    struct document_change change = whole("x");
    struct error error = {0};

    documents_open(documents, "a", "c", 1, "", 0, NULL);
    documents_open(documents, "b", "c", 1, "", 0, NULL);
    documents_open(documents, "c", "c", 1, "", 0, NULL);
    assert_true(documents_close(documents, "a"));
    assert_false(documents_close(documents, "a"));
    assert_null(documents_find(documents, "a"));
    assert_non_null(documents_find(documents, "b"));
    assert_non_null(documents_find(documents, "c"));
    assert_int_equal(documents_count(documents), 2);
    assert_false(documents_change(documents, "a", 2, &change, 1, &error));
    assert_int_equal(error.code, ERROR_INPUT);
    documents_destroy(documents);
    documents_destroy(NULL);
}

static void document_is_closed_by_a_change_that_is_refused(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF16, TEXT_LINES_PROTOCOL);
    char *big = calloc(1, TEXT_LIMIT_BYTES);
    struct error error = {0};
    struct document_change changes[] = {
        edit(0, 0, 0, 0, "x"),
        {.has_range = true, .text = big, .bytes = TEXT_LIMIT_BYTES},
    };

    documents_open(documents, "a", "c", 1, "int a;", 6, NULL);
    assert_false(documents_change(documents, "a", 2, changes, COUNT(changes), &error));
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_null(documents_find(documents, "a"));
    documents_destroy(documents);
    free(big);
}

static void opening_beyond_a_limit_is_refused(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF16, TEXT_LINES_PROTOCOL);
    char *big = calloc(1, TEXT_LIMIT_BYTES + 1);
    static char uri[DOCUMENTS_URI_BYTES + 2];
    struct error error = {0};

    assert_null(documents_open(documents, "a", "c", 1, big, TEXT_LIMIT_BYTES + 1, &error));
    assert_int_equal(error.code, ERROR_LIMIT);
    memset(uri, 'u', sizeof uri - 1);
    assert_null(documents_open(documents, uri, "c", 1, "", 0, NULL));
    for (int i = 0; i < DOCUMENTS_LIMIT; i++) {
        snprintf(uri, sizeof uri, "file:///%d", i);
        assert_non_null(documents_open(documents, uri, NULL, 1, "", 0, NULL));
    }
    assert_null(documents_open(documents, "one more", NULL, 1, "", 0, NULL));
    assert_non_null(documents_open(documents, "file:///7", NULL, 2, "", 0, NULL));
    assert_int_equal(documents_count(documents), DOCUMENTS_LIMIT);
    documents_destroy(documents);
    free(big);
}

/* A session: code is typed and deleted, and the tree asked for now and then is that of the text. */
static void tree_after_edits_is_that_of_the_text(void **state)
{
    (void)state;
    static const char *const pieces[] = {"def f(x):\n", "    ", "return x\n", "\"",
                                         "😀",           "(",    ")",          "\r\n"};
    struct documents *documents = documents_create(TEXT_UTF16, TEXT_LINES_PROTOCOL);
    struct document *document = documents_open(documents, "u", "python", 1, "", 0, NULL);
    uint32_t seed = 5;

    for (int i = 0; i < 600; i++) {
        seed = seed * 1103515245u + 12345u;
        size_t line = (seed >> 16) % 12, column = (seed >> 20) % 16;
        struct document_change change = edit(line, column, line + (seed >> 28) / 8,
                                             column + (seed >> 24) % 4, pieces[(seed >> 17) % 8]);
        assert_true(documents_change(documents, "u", i, &change, 1, NULL));
        if (i % 3)
            continue;

        const struct text *text = document_text(document);
        struct syntax *fresh = syntax_create(document_language(document));
        assert_true(syntax_parse(fresh, text_bytes(text), text_size(text)));
        assert_int_equal(count_errors(document),
                         syntax_error_count(fresh, text_bytes(text), text_size(text)));
        syntax_destroy(fresh);
    }
    documents_destroy(documents);
}

static void definitions_are_those_of_the_text_as_it_is(void **state)
{
    struct documents *documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL);
    struct document *document =
        documents_open(documents, "file:///a%20b.c", "c", 1, "int f(void);\n", 13, NULL);
    const struct document_change change = edit(0, 4, 0, 5, "longer");

    (void)state;
    const struct definitions *definitions = document_definitions(document);
    assert_int_equal(definitions->count, 1);
    assert_string_equal(definitions->items[0].name, "f");
    assert_string_equal(definitions->items[0].path, "/a b.c");
    assert_ptr_equal(document_definitions(document), definitions);
    assert_true(documents_change(documents, "file:///a%20b.c", 2, &change, 1, NULL));
    assert_string_equal(document_definitions(document)->items[0].name, "longer");
    documents_destroy(documents);
}

/* What is computed for one state of a document must not be taken for another's. */
static void stamp_never_comes_again(void **state)
{
    (void)state;
    struct documents *documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL);
    const struct document_change change = whole("b");
    uint64_t stamps[4];

    stamps[0] = document_stamp(documents_open(documents, "a", "c", 0, "a", 1, NULL));
    stamps[1] = document_stamp(documents_open(documents, "b", "c", 0, "a", 1, NULL));
    assert_true(documents_change(documents, "a", 0, &change, 1, NULL));
    stamps[2] = document_stamp(documents_find(documents, "a"));
    documents_close(documents, "a");
    stamps[3] = document_stamp(documents_open(documents, "a", "c", 0, "a", 1, NULL));
    for (size_t i = 0; i < COUNT(stamps); i++)
        for (size_t k = i + 1; k < COUNT(stamps); k++)
            assert_int_not_equal(stamps[i], stamps[k]);
    documents_destroy(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_one_notification_apply_in_order),
        cmocka_unit_test(change_without_range_is_the_whole_text),
        cmocka_unit_test(range_backwards_is_an_insertion_at_its_start),
        cmocka_unit_test(language_comes_from_the_id_else_from_the_uri),
        cmocka_unit_test(closed_document_is_not_found),
        cmocka_unit_test(document_is_closed_by_a_change_that_is_refused),
        cmocka_unit_test(opening_beyond_a_limit_is_refused),
        cmocka_unit_test(tree_after_edits_is_that_of_the_text),
        cmocka_unit_test(definitions_are_those_of_the_text_as_it_is),
        cmocka_unit_test(stamp_never_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
