/* scope: where blocks open, and where what a model wrote leaves them. A "¦" in the cases is the cursor. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/scope.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CURSOR       "¦"

/* Bytes before the cursor mark; *after is what follows it. */
static size_t split(const char *text, const char **after)
{
    const char *mark = strstr(text, CURSOR);

    assert_non_null(mark);
    *after = mark + strlen(CURSOR);
    return (size_t)(mark - text);
}

/* Extents */

struct extent_case {
    const char *name;
    const char *language;
    enum scope_extent extent;
    const char *text;
};

static const struct extent_case extent_cases[] = {
    {"c: line after brace", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n"},
    {"c: at the brace", "c", SCOPE_BLOCK, "int f(int a) {¦\n}\n"},
    {"c: brace unclosed", "c", SCOPE_BLOCK,
     "int f(int a) {\n    ¦\n\nint g(void)\n{\n    return 1;\n}\n"},
    {"c: inner unclosed", "c", SCOPE_BLOCK, "int f(int a)\n{\n    if (a) {\n        ¦\n}\n"},
    {"c: comment behind brace", "c", SCOPE_BLOCK,
     "int f(int a)\n{ // all of it\n    /* here */\n    ¦\n}\n"},
    {"c: parameters on two lines", "c", SCOPE_BLOCK, "int f(int a,\n      int b) {\n    ¦\n}\n"},
    {"c: struct", "c", SCOPE_BLOCK, "struct point {\n    ¦\n"},
    {"c: not empty", "c", SCOPE_LINE, "int f(int a)\n{\n    ¦\n    return a;\n}\n"},
    {"c: after a statement", "c", SCOPE_LINE, "int f(int a)\n{\n    a++;\n    ¦\n}\n"},
    {"c: within a statement", "c", SCOPE_LINE, "int f(int a)\n{\n    int b = ¦\n}\n"},
    {"c: text to the right", "c", SCOPE_LINE, "int f(int a) {¦}\n"},
    {"c: brace in a string", "c", SCOPE_LINE, "const char *s = \"{¦\n"},
    {"c: brace in a comment", "c", SCOPE_LINE, "int a; /* {\n   ¦\n */\n"},
    {"c: in a line comment", "c", SCOPE_LINE, "int f(int a) { // {¦\n}\n"},
    {"c: call", "c", SCOPE_LINE, "int f(int a)\n{\n    g(\n        ¦\n}\n"},
    {"python: def", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n"},
    {"python: at the colon", "python", SCOPE_BLOCK, "def f(x):¦"},
    {"python: method before another", "python", SCOPE_BLOCK,
     "class A:\n    def f(self):\n        ¦\n\n    def g(self):\n        pass\n"},
    {"python: broken above", "python", SCOPE_BLOCK,
     "x = foo(\ndef g(a):\n    ¦\nif x:\n    pass\n"},
    {"python: else without if", "python", SCOPE_BLOCK,
     "def f():\n    el\n    else:\n        ¦\nprint(1)\n"},
    {"python: try", "python", SCOPE_BLOCK, "try:\n    ¦\n"},
    {"python: header on lines", "python", SCOPE_BLOCK, "async def f(\n    a,\n    b,\n):\n    ¦\n"},
    {"python: case", "python", SCOPE_BLOCK, "match x:\n    case 1:\n        ¦\n"},
    {"python: not empty", "python", SCOPE_LINE, "def f(x):\n    ¦\n    return x\n"},
    {"python: dictionary", "python", SCOPE_LINE, "d = {\n    \"a\":\n        ¦\n}\n"},
    {"python: lambda", "python", SCOPE_LINE, "f = lambda x:\n    ¦\n"},
    {"python: slice", "python", SCOPE_LINE, "y = x[1:¦\n"},
    {"python: colon in a string", "python", SCOPE_LINE, "if x == \"a:¦\n"},
    {"python: in a comment", "python", SCOPE_LINE, "if x:  # note:¦\n"},
    {"javascript: callback", "javascript", SCOPE_BLOCK, "foo(function (x) {\n  ¦\n"},
    {"javascript: arrow", "javascript", SCOPE_BLOCK, "const f = async (x) => {¦\n\nclass A {\n}\n"},
    {"javascript: method", "javascript", SCOPE_BLOCK, "class A {\n  m() {\n    ¦\n  }\n}\n"},
    {"javascript: object", "javascript", SCOPE_BLOCK, "const a = {\n  ¦\n};\n"},
    {"javascript: template", "javascript", SCOPE_LINE, "const a = `{\n  ¦\n`;\n"},
    {"javascript: regex", "javascript", SCOPE_LINE, "const a = /{/\n¦\n"},
    {"javascript: not empty", "javascript", SCOPE_LINE, "if (a) {\n  ¦\n  b();\n}\n"},
    {"lua: function", "lua", SCOPE_BLOCK, "local function f(a, b)\n  ¦\n"},
    {"lua: method", "lua", SCOPE_BLOCK, "function M:f(a)\n  ¦\nend\n"},
    {"lua: anonymous", "lua", SCOPE_BLOCK, "foo(function(x)\n  ¦\n"},
    {"lua: then", "lua", SCOPE_BLOCK, "if x then\n  ¦\nlocal y = 2\n"},
    {"lua: do", "lua", SCOPE_BLOCK, "for i = 1, 2 do\n  ¦\nend\n"},
    {"lua: else", "lua", SCOPE_BLOCK, "if x then\n  a()\nelse\n  ¦\n"},
    {"lua: elseif", "lua", SCOPE_BLOCK, "if x then\n  a()\nelseif y then\n  ¦\nend\n"},
    {"lua: repeat", "lua", SCOPE_BLOCK, "repeat\n  ¦\n"},
    {"lua: call", "lua", SCOPE_LINE, "foo(a)\n¦\n"},
    {"lua: not empty", "lua", SCOPE_LINE, "while x do\n  ¦\n  y()\nend\n"},
    {"plain: brace", NULL, SCOPE_BLOCK, "fn f() {\n    ¦\n}\n"},
    {"plain: colon", NULL, SCOPE_BLOCK, "key:\n  ¦\n"},
    {"plain: not empty", NULL, SCOPE_LINE, "key:\n  ¦\n  other: 1\n"},
    {"plain: sentence", NULL, SCOPE_LINE, "A sentence.\n¦\n"},
    {"plain: nothing", NULL, SCOPE_LINE, "¦"},
};

static enum scope_extent extent_of(const char *language_name, const char *marked)
{
    const struct language *language = language_name ? language_find(language_name, NULL) : NULL;
    const char *after;
    size_t cursor = split(marked, &after);
    size_t bytes = cursor + strlen(after);
    char *text = malloc(bytes + 1);

    memcpy(text, marked, cursor);
    memcpy(text + cursor, after, strlen(after) + 1);
    struct syntax *syntax = language ? syntax_create(language) : NULL;
    if (syntax)
        assert_true(syntax_parse(syntax, text, bytes));
    enum scope_extent extent = scope_extent_at(syntax, text, bytes, cursor);
    syntax_destroy(syntax);
    free(text);
    return extent;
}

static void extent_at_cursor_is_block_only_where_one_opens(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(extent_cases); i++) {
        const struct extent_case *c = &extent_cases[i];
        if (extent_of(c->language, c->text) != c->extent)
            fail_msg("%s: not %s", c->name, c->extent == SCOPE_BLOCK ? "a block" : "a line");
    }
}

static void extent_far_into_a_file_is_the_same(void **state)
{
    (void)state;
    enum { LINES = 3000 };
    static char text[LINES * 32 + 256];
    char *at = text;

    for (int i = 0; i < LINES; i++)
        at += sprintf(at, "int a%d = (1 + 2) * {3};\n", i);
    strcpy(at, "int f(void)\n{\n    while (1) {\n        ¦\n    }\n}\n");
    assert_int_equal(extent_of("c", text), SCOPE_BLOCK);
}

/* Ends */

struct end_case {
    const char *name;
    const char *language;
    enum scope_extent extent;
    const char *text;     /* around the cursor */
    const char *inserted; /* a "¦" where it ends; none: nothing has ended */
};

static const struct end_case end_cases[] = {
    {"line goes on", "c", SCOPE_LINE, "int a = ¦\n", "b + c;"},
    {"line ends", "c", SCOPE_LINE, "int a = ¦\n", "b + c;¦\nint d;"},
    {"c: block goes on", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n", "a++;\n    return a;"},
    {"c: closed already", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n",
     "return a;¦\n}\n\nint g(void)\n"},
    {"c: not closed", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n",
     "return a;\n}¦\n\nint g(void)\n"},
    {"c: inner not closed", "c", SCOPE_BLOCK, "int f(int a)\n{\n    if (a) {\n        ¦\n}\n",
     "a++;\n    }¦\n    return a;\n}\n"},
    {"c: nested", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n",
     "if (a) {\n        a--;\n    } else {\n        a = 1;\n    }\n    return a;¦\n}\n"},
    {"c: end of line opener", "c", SCOPE_BLOCK, "int f(int a) {¦\n}\n", "\n    return a;¦\n}\n"},
    {"c: closer not written", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n",
     "return a;¦\n\nint g(void)\n{\n"},
    {"c: brace in string", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n",
     "puts(\"}\");\n    char c = '}'; /* } */\n    return a;¦\n}\n"},
    {"c: label at the margin", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n",
     "goto out;\nout:\n    return a;\n}¦\n\n"},
    {"c: preprocessor at the margin", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n",
     "a++;\n#ifdef X\n    a++;\n#endif\n    return a;¦\n}\n"},
    {"c: cases at the switch", "c", SCOPE_BLOCK,
     "int f(int a)\n{\n    switch (a) {\n    ¦\n    }\n}\n",
     "case 1:\n        return 2;\n    default:\n        return 3;¦\n    }\n"},
    {"c: do while", "c", SCOPE_BLOCK, "int f(int a)\n{\n    do {\n        ¦\n}\n",
     "a++;\n    } while (a < 3);¦\n    return a;\n"},
    {"c: typedef", "c", SCOPE_BLOCK, "typedef struct {\n    ¦\n", "int x;\n} point;¦\n\nint g;\n"},
    {"c: else opens again", "c", SCOPE_BLOCK, "int f(int a)\n{\n    if (a) {\n        ¦\n}\n",
     "a++;\n    }¦ else {\n        a--;\n    }\n"},
    {"c: call on lines at the margin", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n",
     "g(a,\nb);\n    return a;¦\n}\n"},
    {"c: header on lines", "c", SCOPE_BLOCK, "int f(int a,\n      int b) {\n    ¦\n}\n",
     "a++;\n    return a;¦\n}\n"},
    {"c: closer still growing", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n", "return a;\n}"},
    {"python: dedent", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n",
     "y = x\n    return y¦\n\ndef g(x):\n"},
    {"python: comment of the next", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n",
     "return x¦\n\n# then\ndef g(x):\n"},
    {"python: one letter is enough", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n", "return x¦\n\nd"},
    {"python: white space is not", "python", SCOPE_BLOCK, "class A:\n    def f(x):\n        ¦\n",
     "return x\n\n   "},
    {"python: deeper then back", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n",
     "if x:\n        return 1\n    return 2¦\nprint()\n"},
    {"python: method", "python", SCOPE_BLOCK, "class A:\n    def f(self):\n        ¦\n",
     "return 1¦\n\n    def g(self):\n        return 2\n"},
    {"python: else", "python", SCOPE_BLOCK, "if x:\n    ¦\n", "y()¦\nelse:\n    z()\n"},
    {"python: text at the margin", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n",
     "\"\"\"One.\n\nTwo.\n    \"\"\"\n    return x¦\nx = 1\n"},
    {"python: brackets at the margin", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n",
     "y = [\n1,\n]\n    return y¦\nx = 1\n"},
    {"python: after the colon", "python", SCOPE_BLOCK, "def f(x):¦\n", "\n    return x¦\n\nf(1)\n"},
    {"python: first line dedents", "python", SCOPE_BLOCK, "class A:\n    def f(self):\n¦\n",
     "¦    def g(self):\n        pass\n"},
    {"python: first line indents", "python", SCOPE_BLOCK, "class A:\n    def f(self):\n¦\n",
     "        pass¦\n    x = 1\n"},
    {"python: code points", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n",
     "return \"漢字😀\"¦\nx = \"é\"\n"},
    {"javascript: callback", "javascript", SCOPE_BLOCK, "foo(function (x) {\n  ¦\n",
     "return x;\n});¦\n\nbar();\n"},
    {"javascript: callback closed", "javascript", SCOPE_BLOCK, "foo(function (x) {\n  ¦\n});\n",
     "return x;¦\n});\n"},
    {"javascript: template", "javascript", SCOPE_BLOCK, "function f(x) {\n  ¦\n}\n",
     "const a = `}\n${x}\n`;\n  return a;¦\n}\n"},
    {"javascript: object", "javascript", SCOPE_BLOCK, "const a = {\n  ¦\n",
     "b: 1,\n  c: {},\n};¦\n\nfoo();\n"},
    {"javascript: chain", "javascript", SCOPE_BLOCK, "p\n  .then((x) => {\n    ¦\n",
     "y(x);\n  })¦\n  .catch((e) => {\n"},
    {"lua: function", "lua", SCOPE_BLOCK, "local function f(a)\n  ¦\n",
     "return a\nend¦\n\nlocal x\n"},
    {"lua: function closed", "lua", SCOPE_BLOCK, "local function f(a)\n  ¦\nend\n",
     "return a¦\nend\n\nlocal x\n"},
    {"lua: nested", "lua", SCOPE_BLOCK, "function M.f(a)\n  ¦\nend\n",
     "for i = 1, a do\n    if i then\n      x()\n    elseif y then\n      z()\n    else\n      "
     "w(function() end)\n    end\n  end\n  repeat a() until b\n  return a¦\nend\n"},
    {"lua: else", "lua", SCOPE_BLOCK, "if x then\n  ¦\n", "a()¦\nelse\n  b()\nend\n"},
    {"lua: elseif opened", "lua", SCOPE_BLOCK, "if x then\n  a()\nelseif y then\n  ¦\n",
     "b()\nend¦\nc()\n"},
    {"lua: argument", "lua", SCOPE_BLOCK, "foo(function(x)\n  ¦\n", "bar(x)\nend)¦\nbaz()\n"},
    {"lua: half a closer", "lua", SCOPE_BLOCK, "local function f(a)\n  ¦\n", "return a\nen"},
    {"c: brace may be in a string", "c", SCOPE_BLOCK, "int f(int a)\n{\n    ¦\n}\n", "char c = '}"},
    {"lua: whole closer may be a name", "lua", SCOPE_BLOCK, "local function f(a)\n  ¦\nend\n",
     "x()\n  end"},
    {"lua: name like a closer", "lua", SCOPE_BLOCK, "local function f(a)\n  ¦\nend\n",
     "endpoint()\n  return a¦\nend\n"},
    {"plain: dedent", NULL, SCOPE_BLOCK, "key:\n  ¦\n", "a: 1\n  b: 2¦\nother: 3\n"},
    {"plain: brace", NULL, SCOPE_BLOCK, "fn f() {\n    ¦\n", "g()\n}¦\nfn h() {\n"},
    {"plain: brace closed", NULL, SCOPE_BLOCK, "fn f() {\n    ¦\n}\n", "g()¦\n}\nfn h() {\n"},
};

/* scope_end of one case, given the insertion without its mark. */
static size_t end_of(const struct end_case *c, const char *inserted, size_t bytes, bool *ended)
{
    struct scope_gap gap = {.before = c->text};

    gap.language = c->language ? language_find(c->language, NULL) : NULL;
    gap.before_bytes = split(c->text, &gap.after);
    gap.after_bytes = strlen(gap.after);
    return scope_end(&gap, c->extent, inserted, bytes, ended);
}

static void end_of_insertion_is_where_the_scope_ends(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(end_cases); i++) {
        const struct end_case *c = &end_cases[i];
        char inserted[1024];
        const char *mark = strstr(c->inserted, CURSOR);
        size_t want = mark ? (size_t)(mark - c->inserted) : strlen(c->inserted);

        memcpy(inserted, c->inserted, want);
        strcpy(inserted + want, mark ? mark + strlen(CURSOR) : "");
        bool ended = false;
        size_t end = end_of(c, inserted, strlen(inserted), &ended);
        if (end != want || ended != (mark != NULL))
            fail_msg("%s: ends at %zu%s, not %zu", c->name, end, ended ? "" : " (open)", want);
    }
}

/* What a growing insertion is told may not differ from what the whole is told. */
static void end_of_a_growing_insertion_is_that_of_the_whole(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(end_cases); i++) {
        const struct end_case *c = &end_cases[i];
        char inserted[1024];
        const char *mark = strstr(c->inserted, CURSOR);
        size_t want = mark ? (size_t)(mark - c->inserted) : strlen(c->inserted);

        memcpy(inserted, c->inserted, want);
        strcpy(inserted + want, mark ? mark + strlen(CURSOR) : "");
        for (size_t bytes = 0; bytes <= strlen(inserted); bytes++) {
            bool ended = false;
            size_t end = end_of(c, inserted, bytes, &ended);
            if (ended ? end != want : end != bytes)
                fail_msg("%s: after %zu bytes ends at %zu, not %zu", c->name, bytes, end, want);
        }
    }
}

static void end_of_an_endless_insertion_is_a_limit(void **state)
{
    (void)state;
    static char inserted[2 * SCOPE_INSERTED_BYTES];
    struct end_case c = {.language = "c", .extent = SCOPE_BLOCK, .text = "void f(void)\n{\n¦"};
    bool ended = false;

    for (size_t i = 0; i < sizeof inserted; i++)
        inserted[i] = "    x;\n"[i % 7];
    size_t end = end_of(&c, inserted, sizeof inserted, &ended);
    assert_true(ended);
    assert_true(end > 0 && end <= SCOPE_INSERTED_BYTES);
    assert_int_equal(inserted[end - 1], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extent_at_cursor_is_block_only_where_one_opens),
        cmocka_unit_test(extent_far_into_a_file_is_the_same),
        cmocka_unit_test(end_of_insertion_is_where_the_scope_ends),
        cmocka_unit_test(end_of_a_growing_insertion_is_that_of_the_whole),
        cmocka_unit_test(end_of_an_endless_insertion_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
