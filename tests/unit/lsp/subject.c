/* What is taken of a definition: its parts, and where its doc comment goes, in several languages. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/errand/subject.h"

/* A client with one open document; the cursor is where the text has a '|'. */
struct fixture {
    struct client client;
    struct document *document;
    size_t cursor;
};

static void open_document(struct fixture *fixture, const char *uri, const char *marked)
{
    const char *mark = strchr(marked, '|');
    struct error error = {0};
    char text[512] = "";

    *fixture = (struct fixture){.cursor = (size_t)(mark - marked)};
    fixture->client.documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL);
    memcpy(text, marked, fixture->cursor);
    strcat(text, mark + 1);
    fixture->document =
        documents_open(fixture->client.documents, uri, NULL, 1, text, strlen(text), &error);
    assert_non_null(fixture->document);
}

static void close_document(struct fixture *fixture)
{
    documents_destroy(fixture->client.documents);
}

static void definitions_are_found_around_the_cursor_with_their_parts(void **state)
{
    static const struct {
        const char *uri, *text;
        const char *name, *owner, *signature, *doc, *head, *body, *indent;
        const char *replaced; /* of the text, by a doc comment; NULL: there is no place */
    } cases[] = {
        {"a.c", "int x;\n/* Sum. */\nint add(int a,\n        int b)\n{\n    |return 1;\n}\n", "add",
         "", "int add(int a,\n        int b)", "Sum.", "",
         "int add(int a,\n        int b)\n{\n    return 1;\n}\n", "", "/* Sum. */\n"},
        {"a.c", "int add(int a)\n{|\n}\n", "add", "", "int add(int a)", "", "",
         "int add(int a)\n{\n}\n", "", ""},
        {"a.c", "int x; int add(int a)\n{|\n}\n", "add", "", "int add(int a)", "", "",
         "int x; int add(int a)\n{\n}\n", "", NULL},
        {"a.py", "class A:\n    def f(self):\n        |return 1\n", "f", "A", "def f(self):", "",
         "    def f(self):\n", "        return 1\n", "        ", ""},
        {"a.py", "def f():\n    \"\"\"One.\"\"\"\n    |return 1\n", "f", "", "def f():", "One.",
         "def f():\n", "    return 1\n", "    ", "    \"\"\"One.\"\"\"\n"},
        {"a.py", "def f(): |return 1\n", "f", "", "def f():", "", "", "def f(): return 1\n", "",
         NULL},
        {"a.rs", "impl P {\n    /// One.\n    /// Two.\n    fn f() {|}\n}\n", "f", "P", "fn f()",
         "One.\nTwo.", "", "    fn f() {}\n", "    ", "    /// One.\n    /// Two.\n"},
        {"a.go", "// F does.\nfunc F() {\n\t|return\n}\n", "F", "", "func F()", "F does.", "",
         "func F() {\n\treturn\n}\n", "", "// F does.\n"},
        {"a.ts", "export class A {\n  /** One. */\n  f(a: number): void {\n    |\n  }\n}\n", "f",
         "A", "f(a: number): void", "One.", "", "  f(a: number): void {\n    \n  }\n", "  ",
         "  /** One. */\n"},
        {"a.c", "int add(int a)\r\n{|\r\n}\r\n", "add", "", "int add(int a)", "", "",
         "int add(int a)\n{\n}\n", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct subject subject;
        open_document(&fixture, cases[i].uri, cases[i].text);
        const char *text = text_bytes(document_text(fixture.document));
        if (!subject_enclosing(&subject, &fixture.client, fixture.document, fixture.cursor))
            fail_msg("case %zu: nothing found", i);
        assert_string_equal(subject.name, cases[i].name);
        assert_string_equal(subject.owner, cases[i].owner);
        assert_string_equal(subject.signature, cases[i].signature);
        assert_string_equal(subject.doc, cases[i].doc);
        assert_string_equal(subject.head, cases[i].head);
        assert_string_equal(subject.body, cases[i].body);
        assert_string_equal(subject.indent, cases[i].indent);
        assert_int_equal(subject.has_place, cases[i].replaced != NULL);
        if (cases[i].replaced) {
            const size_t bytes = subject.doc_range.end - subject.doc_range.start;
            assert_int_equal(bytes, strlen(cases[i].replaced));
            assert_memory_equal(text + subject.doc_range.start, cases[i].replaced, bytes);
        }
        assert_true(subject.is_whole);
        subject_finish(&subject);
        close_document(&fixture);
    }
}

static void cursor_beside_a_definition_belongs_to_it(void **state)
{
    static const struct {
        const char *uri, *text;
        const char *name; /* NULL: none */
        bool has_place;   /* for a doc comment */
    } cases[] = {
        {"a.c", "|int add(int a)\n{\n}\n", "add", true},
        {"a.c", "int add(int a)\n{\n}|\n", "add", true},
        {"a.c", "int add(int a)\n{\n}\n|\n", NULL, false},
        {"a.c", "|\nint add(int a)\n{\n}\n", NULL, false},
        {"a.c", "/* Su|m. */\nint add(int a)\n{\n}\n", "add", true},
        {"a.c", "|/* Sum. */\nint add(int a)\n{\n}\n", "add", true},
        {"a.c", "/* S|um. */\n\nint x;\n", NULL, false},
        {"a.c", "struct a {\n    int b;\n};|\n", "a", true},
        {"a.c", "#define |A(x) (x)\n", "A", true},
        {"a.cpp", "template <class T>\n|class A {\n    void f() {}\n};\n", "A", true},
        {"a.cpp", "|template <class T>\nclass A {\n};\n", "A", true},
        {"a.py", "class A:\n  |  def f(self):\n        pass\n", "f", true},
        {"a.py", "class A:\n|    # One.\n    def f(self):\n        pass\n", "f", true},
        {"a.py", "class A:\n    |@property\n    def f(self):\n        pass\n", "f", true},
        {"a.py", "class A:\n    def f(self):\n        pass\n|\n    x = 1\n", "A", true},
        {"a.py", "def f():\n    \"\"\"O|ne.\"\"\"\n    return 1\n", "f", true},
        {"a.py", "def |f(): return 1\n", "f", false},
        {"a.rs", "impl P {\n    /// O|ne.\n    fn f() {}\n}\n", "f", true},
        {"a.rs", "|#[inline]\nfn f() {\n}\n", "f", true},
        {"a.go", "// F does|.\nfunc F() {\n}\n", "F", true},
        {"a.ts", "|export function f() {\n}\n", "f", true},
        {"a.ts", "export class A {\n|  f() {\n  }\n}\n", "f", true},
        {"a.js", "const f = () => {\n};|\n", "f", true},
        {"a.java", "class A {\n  |  @Override\n    public void f() {\n    }\n}\n", "f", true},
        {"a.lua", "|local function f()\nend\n", "f", true},
        {"a.sh", "f() {\n  :\n}|\n", "f", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct symbol symbol;
        open_document(&fixture, cases[i].uri, cases[i].text);
        const char *text = text_bytes(document_text(fixture.document));
        const bool exists = subject_exists(fixture.document, fixture.cursor, &symbol);
        const size_t bytes = exists ? symbol.name.end - symbol.name.start : 0;
        const char *name = cases[i].name ? cases[i].name : "";
        if (exists != (cases[i].name != NULL) || bytes != strlen(name) ||
            (exists && memcmp(text + symbol.name.start, name, bytes) != 0))
            fail_msg("case %zu: %.*s", i, (int)bytes, exists ? text + symbol.name.start : "none");
        if (exists && subject_has_place(fixture.document, &symbol) != cases[i].has_place)
            fail_msg("case %zu: a place, or none", i);
        close_document(&fixture);
    }
}

static void names_refer_to_the_definition_with_a_body(void **state)
{
    static const struct {
        const char *text;
        size_t line; /* 0: not found */
    } cases[] = {
        {"int f(int);\nint f(int a)\n{\n}\nint x = |f(1);\n", 2},
        {"int |f(int);\nint f(int a)\n{\n}\n", 1}, /* the place itself */
        {"/* Known. */\nint f(int);\nint f(int);\nint x = f|(1);\n", 2},
        {"int x = |g(1);\n", 0},
        {"int x = 1|;\n", 0},
        {"|\nint x;\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct subject subject = {0};
        open_document(&fixture, "file:///a.c", cases[i].text);
        const bool is_found =
            subject_find(&subject, &fixture.client, fixture.document, fixture.cursor);
        if (is_found != (cases[i].line > 0) || subject.line != cases[i].line)
            fail_msg("case %zu: line %zu", i, subject.line);
        subject_finish(&subject);
        close_document(&fixture);
    }
}

static void secrets_are_masked_and_told(void **state)
{
    static const char text[] =
        "int f(void)\n{\n    |char *password = \"hunter2hunter2\";\n    return 1;\n}\n";
    struct fixture fixture;
    struct subject subject;

    (void)state;
    open_document(&fixture, "file:///a.c", text);
    assert_true(subject_enclosing(&subject, &fixture.client, fixture.document, fixture.cursor));
    assert_null(strstr(subject.body, "hunter2"));
    assert_non_null(strstr(subject.body, "return 1;"));
    assert_false(subject.is_whole);
    subject_finish(&subject);
    close_document(&fixture);

    open_document(&fixture, "file:///x/.env", "f() {\n  |:\n}\n");
    if (document_language(fixture.document)) {
        assert_true(subject_enclosing(&subject, &fixture.client, fixture.document, fixture.cursor));
        assert_true(subject.is_secret);
        subject_finish(&subject);
    }
    close_document(&fixture);
}

static void long_definition_is_cut_at_a_line(void **state)
{
    enum { LINES = 2000 };
    char *text = malloc(LINES * 16 + 64);
    struct client client = {.documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL)};
    struct subject subject;
    struct error error = {0};
    size_t at = (size_t)sprintf(text, "void f(void)\n{\n");

    (void)state;
    for (int i = 0; i < LINES; i++)
        at += (size_t)sprintf(text + at, "    g(%d);\n", i);
    at += (size_t)sprintf(text + at, "}\n");
    struct document *document =
        documents_open(client.documents, "file:///a.c", NULL, 1, text, at, &error);
    assert_true(subject_enclosing(&subject, &client, document, at / 2));
    const size_t bytes = strlen(subject.body);
    assert_true(bytes <= SUBJECT_CODE_BYTES && bytes > SUBJECT_CODE_BYTES - 32);
    assert_int_equal(subject.body[bytes - 1], '\n');
    assert_false(subject.is_whole);
    subject_finish(&subject);
    documents_destroy(client.documents);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definitions_are_found_around_the_cursor_with_their_parts),
        cmocka_unit_test(cursor_beside_a_definition_belongs_to_it),
        cmocka_unit_test(names_refer_to_the_definition_with_a_body),
        cmocka_unit_test(secrets_are_masked_and_told),
        cmocka_unit_test(long_definition_is_cut_at_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
