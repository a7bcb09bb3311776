/* trim: what a model wrote and what of it is shown. A "¦" in the cases is the cursor. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/trim.h"
#include "tests/support/marked.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char c[] = "c", python[] = "python", javascript[] = "javascript", lua[] = "lua";

struct trim_case {
    const char *name;
    const char *language; /* NULL: plain text */
    const char *text;     /* the document */
    const char *written;  /* by the model, after the prompt */
    const char *shown;
};

static const struct trim_case cases[] = {
    /* one line */
    {"rest of a line", c, "int a = ¦\n", "b + c;\nint d;\n", "b + c;"},
    {"line end first", c, "int a = b;¦\n", "\nint d;\n", ""},
    {"carriage returns", c, "int a = ¦\n", "b + c;\r\nint d;\r\n", "b + c;"},
    {"white space at the end", c, "int a = ¦\n", "b + c;  \t\n", "b + c;"},
    {"nothing", c, "int a = ¦\n", "", ""},
    {"white space", c, "int a = ¦\n", "  \n \n", ""},
    {"one punctuation mark", c, "int a = b¦\n", ";", ""},
    {"one punctuation mark and space", c, "f(a¦\n", " =\n", ""},
    {"one letter", python, "return a + ¦\n", "b\n", "b"},
    {"one digit", c, "int a[1¦];\n", "6];\n", "6"},
    {"one letter in bytes", c, "int a = b¦\n", "漢", "漢"},
    {"a line end behind a space", c, "if (a) { ¦\n", "\n    b();\n}\n", "\n    b();\n}"},
    {"space first", c, "int a =¦\n", " b + c;\n", " b + c;"},
    {"more spaces than one", c, "a;  ¦\n", " // bcd\n", " // bcd"},
    {"nul", c, "int a = ¦\n", "bc\0d", "bc"},
    {"crlf document", c, "int f(void)\r\n{\r\n    return ¦\r\n}\r\n", "1 + 2;\n}\n", "1 + 2;"},
    {"code points", python, "s = ¦\n", "\"漢字😀\" + t\nx", "\"漢字😀\" + t"},

    /* text to the right */
    {"parameters of a call in a chain", javascript, "f(url).then(function (r) {¦});\n",
     "return r; });\n", "return r; "},
    {"within a template", javascript, "const s = `hello ${¦}`;\n", "name}`;\n", "name"},
    {"condition of a statement", javascript, "if (a === ¦) {\n  b();\n}\n", "c) {\n  b();\n}\n",
     "c"},
    {"header of an include", c, "#include <st¦>\n", "dio.h>\n", "dio.h"},
    {"elements of a table", lua, "local t = { 1, 2, ¦ }\n", "3, 4 }\n", "3, 4"},
    {"behind an emoji", python, "s = \"😀😀\"\nprint(len(¦))\n", "s))\n", "s"},
    {"colon of a loop", python, "for i in ran¦:\n    print(i)\n", "ge(10):\n    print(i)\n",
     "ge(10)"},
    {"end of a comment", c, "/* Returns the ¦ */\n", "length */\nint f(void);\n", "length"},
    {"rest repeated", c, "int a = ¦;\n", "b + c;\n", "b + c"},
    {"rest in the middle", c, "if (¦) {\n", "a > b) {\n    c();\n", "a > b"},
    {"rest with words", python, "def f(¦ -> int:\n", "x, y) -> int:\n", "x, y)"},
    {"rest ends the text", python, "x = ¦ + offset\n", "base + offset\n", "base"},
    {"rest recurs as a word", python, "x = ¦y\n", "y * z + \n", "y * z + "},
    {"rest goes on as a longer word", python, "x = ¦ + off\n", "a + offset\n", "a + offset"},
    {"rest within brackets of the text", python, "x = f(¦ + b\n", "a) * (y + b) + b\n",
     "a) * (y + b)"},
    {"rest partly", c, "int ¦ = 5;\n", "count =", "count"},
    {"rest partly within a word", c, "int ¦counter;\n", "a, co", "a, co"},
    {"rest not repeated", c, "f(¦, c);\n", "a, b", "a, b"},
    {"white space before a word", python, "¦foo()\n", "x = \n", "x = "},
    {"only one line", c, "x = f(¦);\n", "a\n    + b", "a"},

    /* closers */
    {"parenthesis closed", c, "f(¦)\n", "a, b)", "a, b"},
    {"parenthesis closed, then more", c, "f(¦);\n", "a, b);\n", "a, b"},
    {"inner parentheses are new", c, "f(¦)\n", "g(a), h(b))", "g(a), h(b)"},
    {"one of two closed", c, "f(g(¦)\n", "ab))", "ab)"},
    {"both closed", c, "f(g(¦))\n", "ab))", "ab"},
    {"none closed", c, "f(g(¦\n", "ab));", "ab));"},
    {"bracket within closed", c, "f(a[¦)\n", "10])", "10]"},
    {"quotation mark closed", c, "puts(\"¦\");\n", "hello, world\");\n", "hello, world"},
    {"quotation mark and parenthesis", python, "print('¦')\n", "it\\'s')\n", "it\\'s"},
    {"parenthesis in a string", python, "print('¦')\n", "a) b')\n", "a) b"},
    {"triple quotation marks", python, "def f():\n    \"\"\"¦\"\"\"\n", "Return it.\"\"\"\n",
     "Return it."},
    {"apostrophe", NULL, "It doesn't work (¦)\n", "at all)", "at all"},
    {"closed on the next line", c, "f(a, ¦\n);\n", "bc);", "bc"},
    {"closed on the next line for two", c, "f(\n    g(¦\n);\n", "bc));", "bc)"},
    {"argument on its line", python, "f(\n    a,\n    ¦\n)\n", "b=c)\n", "b=c"},
    {"brace of the next line", c, "int f(void)\n{\n    g();\n¦\n}\n", "}\n", ""},
    {"brace of an inner block", c, "int f(void)\n{\n    if (a) {\n        g();\n    ¦\n}\n",
     "} else {\n", "} else {"},
    {"end of the next line", lua, "function f()\n  g()\n¦\nend\n", "end\n", ""},
    {"end of an inner block", lua, "function f()\n  if a then\n    g()\n  ¦\nend\n", "end\nend\n",
     "end"},

    /* lines that are there */
    {"next line again", python, "x = 1\n¦\ny = 2\n", "y = 2\n", ""},
    {"next line again, typed half", python, "x = 1\ny = ¦\n\ny = 23\n", "23\n", ""},
    {"next line, other indentation", python, "if a:\n    return 1\n¦\n    return 1\n", "return 1\n",
     "return 1"},
    {"next line again after a body", NULL, "key:\n  ¦\nother: 1\n", "a: 1\nother: 1\n", "a: 1"},

    /* blank lines */
    {"indentation already typed", python, "def f(x):\n    y = x\n    ¦\n", "return y\n",
     "return y"},
    {"indentation half typed", python, "def f(x):\n    y = x\n  ¦\n", "  return y\n", "  return y"},
    {"no indentation typed", python, "def f(x):\n    y = x\n¦\n", "    return y\n", "    return y"},
    {"dedent under white space", python, "def f(x):\n    return x\n    ¦\n", "\n\ndef g(x):\n", ""},
    {"deeper than typed", python, "def f(x):\n  if x:\n  ¦\n", "    return y\n", "    return y"},
    {"less deep than typed", python, "def f(x):\n    return x\n    ¦\n", "\n  y = x\n", ""},
    {"one tab", c, "int f(void)\n{\n\ta();\n\t¦\n}\n", "bc();\n", "bc();"},
    {"two tabs", c, "{\n\t{\n\t\ta();\n\t\t¦\n\t}\n}\n", "bc();\n", "bc();"},
    {"blank lines first", python, "def f(x):\n    return x\n¦\n", "\n\ndef g(x):\n", "def g(x):"},
    {"blank lines first, indented", python, "def f(x):\n    ¦\n", " \n    return x\n", "return x"},
    {"tabs against spaces", c, "int f(void)\n{\n    ¦\n}\n",
     "\n\tif (a)\n\t\tb();\n\treturn 1;\n}\n", "if (a)\n    \tb();\n    return 1;"},
    {"white space behind the cursor", python, "def f(x):\n    y = x\n  ¦  \n", "  return y\n",
     "  return y"},
    {"body less indented", c, "int f(void)\n{\n        ¦\n}\n", "\n    a();\n    b();\n}\n",
     "a();\n        b();"},

    /* blocks */
    {"python body", python, "def f(x):\n    ¦\n", "y = x\n    return y\n\n\ndef g(x):\n",
     "y = x\n    return y"},
    {"python body behind the colon", python, "def f(x):¦\n", "\n    return x\n\nf(1)\n",
     "\n    return x"},
    {"python body, next line", python,
     "class A:\n    def f(self):\n        ¦\n\n    def g(self):\n        pass\n",
     "return 1\n\n    def g(self):\n        pass\n", "return 1"},
    {"c body closed", c, "int f(int a)\n{\n    ¦\n}\n", "a++;\n    return a;\n}\n\nint g(void)\n",
     "a++;\n    return a;"},
    {"c body not closed", c, "int f(int a) {¦\n", "\n    return a;\n}\n\nint g(void)\n",
     "\n    return a;\n}"},
    {"body cut short", python, "def f(x):\n    ¦\n", "y = x\n    retu", "y = x\n    retu"},
    {"javascript callback", javascript, "foo(function (x) {\n  ¦\n", "return x;\n});\n\nbar();\n",
     "return x;\n});"},
    {"javascript callback, parenthesis there", javascript, "foo(function (x) {¦\n);\n",
     "\n  return x;\n});\n", "\n  return x;\n}"},
    {"javascript callback closed", javascript, "foo(function (x) {\n  ¦\n});\n", "return x;\n});\n",
     "return x;"},
    {"lua body", lua, "local function f(a)\n  ¦\n", "return a\nend\n\nlocal x\n", "return a\nend"},
    {"lua body closed by the last word", lua, "local function f(a)\n  ¦\nend\n", "return a\nend",
     "return a"},
    {"lua body closed", lua, "local function f(a)\n  ¦\nend\n", "return a\nend\n", "return a"},

    /* repetition */
    {"lines", python, "def f(x):\n    ¦\n", "y = x\n    g()\n    g()\n    g()\n    g()\n",
     "y = x\n    g()"},
    {"cycle of lines", python, "def f(x):\n    ¦\n",
     "a()\n    b()\n    a()\n    b()\n    a()\n    b()\n", "a()\n    b()"},
    {"within a line", python, "x = ¦\n", "self.a.self.a.self.a.self.a.self.a.self.a.self.a",
     "self.a"},
    {"of an expression", python, "x = ¦\n", "b + b + b + b + b + b + b + b + b + b +", "b"},
    {"of arguments", python, "x = f(¦\n", "a, b, b, b, b, b, b, b, b, b, b, b, b, b", "a, b"},
    {"of code points", python, "x = ¦\n", "「ええええええええええええええええ」", "「え"},
    {"from within a code point", python, "x = ¦\n", "xyéĩĩĩĩĩĩĩĩĩĩĩĩĩĩ", "xyéĩ"},
    {"numbers are a table", c, "int a[] = {¦\n", "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};\n",
     "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};"},
    {"two lines are none", python, "def f(x):\n    ¦\n", "g()\n    g()\n    return x\n",
     "g()\n    g()\n    return x"},
};

/* The parsed text, or NULL for plain text. */
static struct syntax *parse(const struct language *language, const char *text, size_t bytes)
{
    struct syntax *syntax = language ? syntax_create(language) : NULL;

    if (syntax)
        assert_true(syntax_parse(syntax, text, bytes));
    return syntax;
}

/* The context of a marked text; the caller finishes it. */
static void make_context(struct context *context, const char *language_name, const char *marked)
{
    const struct language *language = language_name ? language_find(language_name, NULL) : NULL;
    size_t bytes, cursor;
    char *text = marked_text(marked, &bytes, &cursor);
    struct syntax *syntax = parse(language, text, bytes);

    assert_true(context_init(context, language, syntax, text, bytes, cursor));
    syntax_destroy(syntax);
    free(text);
}

/* What is shown of a text that came to its end; the caller frees it. */
static char *show(const struct context *context, const char *written, size_t bytes)
{
    struct trimmed trimmed;

    assert_true(trim_take(&trimmed, context, written, bytes, 0));
    assert_int_equal(trimmed.replaced_bytes, 0);
    assert_true(trimmed.line_bytes <= bytes);
    return trimmed.text;
}

static void written_text_is_shown_trimmed(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct trim_case *given = &cases[i];
        struct context context;
        make_context(&context, given->language, given->text);

        char *shown = show(&context, given->written, strlen(given->written));
        assert_non_null(shown);
        if (strcmp(shown, given->shown))
            fail_msg("%s: shown \"%s\", not \"%s\"", given->name, shown, given->shown);
        free(shown);
        context_finish(&context);
    }
}

/* Stopping early never changes what is shown; it stops a token or a line late at most. */
static void text_stopped_early_is_shown_alike(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct trim_case *given = &cases[i];
        size_t written = strlen(given->written), bytes = 0;
        struct context context;
        make_context(&context, given->language, given->text);

        while (bytes < written && !trim_is_complete(&context, given->written, bytes))
            bytes++;
        char *shown = show(&context, given->written, bytes);
        if (strcmp(shown, given->shown))
            fail_msg("%s: stopped after %zu of %zu bytes \"%s\" is shown", given->name, bytes,
                     written, shown);
        free(shown);
        context_finish(&context);
    }
}

/* Syntax errors of `before`, `inserted` and `after` in one piece. */
static size_t count_errors(const struct context *context, const char *inserted)
{
    char *text = NULL;
    int bytes = asprintf(&text, "%s%s%s", context->before, inserted, context->after);
    assert_true(bytes >= 0);
    struct syntax *syntax = parse(context->language, text, (size_t)bytes);
    size_t errors = syntax_error_count(syntax, text, (size_t)bytes);

    syntax_destroy(syntax);
    free(text);
    return errors;
}

/* What is written may be broken; cutting it is not to break what was sound. */
static void shown_text_brings_no_errors_of_its_own(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct trim_case *given = &cases[i];
        struct context context;
        if (!given->language)
            continue;
        make_context(&context, given->language, given->text);

        char *shown = show(&context, given->written, strlen(given->written));
        size_t before = count_errors(&context, ""), after = count_errors(&context, shown);
        if (after > before)
            fail_msg("%s: %zu errors become %zu", given->name, before, after);
        free(shown);
        context_finish(&context);
    }
}

struct stop_case {
    const char *name;
    const char *language;
    const char *text;
    const char *written;
    bool complete;
};

static const struct stop_case stop_cases[] = {
    {"line goes on", "c", "int a = ¦\n", "b + c;", false},
    {"line ended", "c", "int a = ¦\n", "b + c;\n", true},
    {"blank line so far", "python", "x = 1\n¦\n", "\n\n  ", false},
    {"body goes on", "c", "int f(int a)\n{\n    ¦\n}\n", "a++;\n", false},
    {"body ended", "c", "int f(int a)\n{\n    ¦\n}\n", "a++;\n}\n", true},
    {"python body ended", "python", "def f(x):\n    ¦\n", "return x\n\nd", true},
    {"closer that is there, perhaps more", "c", "f(¦)\n", "a, b)", false},
    {"closer that is there, then more", "c", "f(¦)\n", "a, b);", false},
    {"closer that is there, line ended", "c", "f(¦)\n", "a, b)\n", true},
    {"closer that is there, plain text", NULL, "f(¦)\n", "a, b)", true},
    {"closer and more that is there", "c", "f(¦) + c;\n", "a, b)", true},
    {"rest that is there", "c", "int a = ¦;\n", "b;", true},
    {"repeats itself", "python", "def f(x):\n    ¦\n", "g()\n    g()\n    g()\n", true},
};

struct option_case {
    const char *name;
    const char *language;
    const char *text;
    const char *written;
    unsigned options;
    const char *shown;
    size_t replaced_bytes;
};

static const struct option_case option_cases[] = {
    /* the text goes on behind closers that are there */
    {"more behind a parenthesis", c, "f(¦)\n", "a, b);\n", TRIM_REPLACE, "a, b);", 1},
    {"more behind two", c, "f(g(¦))\n", "a)) + b;\n", TRIM_REPLACE, "a)) + b;", 2},
    {"nothing behind", c, "f(¦)\n", "a, b)\n", TRIM_REPLACE, "a, b", 0},
    {"white space behind", c, "f(¦)\n", "a, b)  \n", TRIM_REPLACE, "a, b", 0},
    {"quotation mark and more", python, "print(\"¦\")\n", "a\") # b\n", TRIM_REPLACE, "a\") # b",
     2},
    {"white space before the closer", c, "f( ¦ )\n", "a) + b;\n", TRIM_REPLACE, "a) + b;", 2},
    {"more than closers there", c, "f(¦) + c;\n", "a) + b;\n", TRIM_REPLACE, "a", 0},
    {"plain text", NULL, "f(¦)\n", "a) and b\n", TRIM_REPLACE, "a", 0},
    {"not asked for", c, "f(¦)\n", "a, b);\n", 0, "a, b", 0},
    {"repetition behind", c, "f(¦)\n", "a) + b + b + b + b + b + b + b + b + b + b + b\n",
     TRIM_REPLACE, "a) + b", 1},

    /* time or tokens ran out */
    {"in a later line", python, "def f(x):\n    ¦\n", "y = x\n    retu", TRIM_CUT_SHORT, "y = x",
     0},
    {"in the first line", python, "def f(x):\n    ¦\n", "return x +", TRIM_CUT_SHORT, "return x +",
     0},
    {"in the first line behind a line end", python, "def f(x):¦\n", "\n    retu", TRIM_CUT_SHORT,
     "\n    retu", 0},
    {"after the end of the block", c, "int f(int a)\n{\n    ¦\n}\n",
     "a++;\n    return a;\n}\n\nint g", TRIM_CUT_SHORT, "a++;\n    return a;", 0},
    {"with a whole last line", python, "def f(x):\n    ¦\n", "y = x\n    return y\n",
     TRIM_CUT_SHORT, "y = x\n    return y", 0},
};

static void options_decide_about_closers_and_last_lines(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(option_cases); i++) {
        const struct option_case *given = &option_cases[i];
        struct context context;
        struct trimmed trimmed;
        make_context(&context, given->language, given->text);

        assert_true(
            trim_take(&trimmed, &context, given->written, strlen(given->written), given->options));
        if (strcmp(trimmed.text, given->shown) || trimmed.replaced_bytes != given->replaced_bytes)
            fail_msg("%s: \"%s\" replaces %zu bytes", given->name, trimmed.text,
                     trimmed.replaced_bytes);
        free(trimmed.text);
        context_finish(&context);
    }
}

static void generation_stops_only_when_more_cannot_help(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(stop_cases); i++) {
        const struct stop_case *given = &stop_cases[i];
        struct context context;
        make_context(&context, given->language, given->text);

        if (trim_is_complete(&context, given->written, strlen(given->written)) != given->complete)
            fail_msg("%s: %scomplete", given->name, given->complete ? "not " : "");
        context_finish(&context);
    }
}

/* Whatever is written, the result is inserted text: no '\r', and no code point cut. */
static void shown_text_is_whole_code_points(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",   "漢", "😀", "\n", "\r\n",    "    ",
                                         "(",   ")",  "{", "}",  "\"",      "'",
                                         "end", ":",  "é", "\t", "x = 1\n", "return x"};
    uint32_t seed = 41;

    for (int round = 0; round < 2000; round++) {
        const struct trim_case *given = &cases[(size_t)round % COUNT(cases)];
        struct context context;
        char written[256] = "";
        for (int i = 0; i < 24; i++) {
            seed = seed * 1103515245u + 12345u;
            strcat(written, pieces[(seed >> 16) % COUNT(pieces)]);
        }
        make_context(&context, given->language, given->text);
        char *shown = show(&context, written, strlen(written));
        for (const char *at = shown; *at; at++) {
            assert_int_not_equal(*at, '\r');
            int length = (*at & 0x80) == 0      ? 1
                         : (*at & 0xE0) == 0xC0 ? 2
                         : (*at & 0xF0) == 0xE0 ? 3
                                                : 4;
            assert_false((*at & 0xC0) == 0x80);
            while (--length > 0)
                assert_true((*++at & 0xC0) == 0x80);
        }
        free(shown);
        context_finish(&context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_text_is_shown_trimmed),
        cmocka_unit_test(text_stopped_early_is_shown_alike),
        cmocka_unit_test(shown_text_brings_no_errors_of_its_own),
        cmocka_unit_test(options_decide_about_closers_and_last_lines),
        cmocka_unit_test(generation_stops_only_when_more_cannot_help),
        cmocka_unit_test(shown_text_is_whole_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
