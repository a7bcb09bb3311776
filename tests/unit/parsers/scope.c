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
    {"cpp: method", "cpp", SCOPE_BLOCK,
     "class A {\npublic:\n    int f() const {\n        ¦\n    }\n};\n"},
    {"cpp: class", "cpp", SCOPE_BLOCK, "class A : public B {\n¦\n};\n"},
    {"cpp: lambda", "cpp", SCOPE_BLOCK, "auto f = [&](int a) {\n    ¦\n"},
    {"cpp: namespace", "cpp", SCOPE_BLOCK, "namespace a {\n¦\n}\n"},
    {"cpp: namespace in use", "cpp", SCOPE_LINE, "namespace a {\n¦\nclass B {\n};\n}\n"},
    {"cpp: template over lines", "cpp", SCOPE_BLOCK,
     "template <typename T>\nstd::vector<T> f(\n    const T &a,\n    int b) {\n    ¦\n"},
    {"cpp: catch", "cpp", SCOPE_BLOCK,
     "void f() {\n    try {\n        g();\n    } catch (const E &e) {\n        ¦\n    }\n}\n"},
    {"cpp: raw string", "cpp", SCOPE_LINE, "auto s = R\"({\n¦\n)\";\n"},
    {"cpp: digits apart", "cpp", SCOPE_BLOCK, "if (a > 1'000) {\n    ¦\n"},
    {"cpp: middle", "cpp", SCOPE_LINE, "int f() {\n    return a ¦\n}\n"},
    {"typescript: typed", "typescript", SCOPE_BLOCK, "function f(a: number): string {\n  ¦\n}\n"},
    {"typescript: interface", "typescript", SCOPE_BLOCK, "export interface I {\n  ¦\n}\n"},
    {"typescript: method unclosed", "typescript", SCOPE_BLOCK,
     "class A<T> {\n  m(a: T): void {\n    ¦\n"},
    {"typescript: catch", "typescript", SCOPE_BLOCK, "try {\n  a();\n} catch (e) {\n  ¦\n}\n"},
    {"typescript: case", "typescript", SCOPE_LINE,
     "switch (a) {\n  case 1:\n    ¦\n    break;\n}\n"},
    {"typescript: not empty", "typescript", SCOPE_LINE, "const a = () => {\n  ¦\n  b();\n};\n"},
    {"typescript: type in a string", "typescript", SCOPE_LINE, "type A = 'x{¦\n"},
    {"tsx: component", "tsx", SCOPE_BLOCK, "export const A = () => {\n  ¦\n};\n"},
    {"tsx: element", "tsx", SCOPE_BLOCK, "const a = (\n  <div>\n    ¦\n  </div>\n);\n"},
    {"tsx: element unclosed", "tsx", SCOPE_BLOCK,
     "function A() {\n  return (\n    <ul>\n      ¦\n"},
    {"tsx: element in use", "tsx", SCOPE_LINE,
     "const a = (\n  <div>\n    ¦\n    <b/>\n  </div>\n);\n"},
    {"tsx: apostrophe", "tsx", SCOPE_BLOCK, "const a = <p>don't {xs.map((x) => {\n  ¦\n"},
    {"go: func", "go", SCOPE_BLOCK, "func f(a int) error {\n\t¦\n}\n"},
    {"go: method unclosed", "go", SCOPE_BLOCK,
     "func (s *S) M() {\n\t¦\n\nfunc g() {\n\treturn\n}\n"},
    {"go: if with error", "go", SCOPE_BLOCK,
     "func f() {\n\tif err := g(); err != nil {\n\t\t¦\n\t}\n}\n"},
    {"go: struct", "go", SCOPE_BLOCK, "type S struct {\n\t¦\n}\n"},
    {"go: group", "go", SCOPE_BLOCK, "package m\n\nimport (\n\t¦\n)\n"},
    {"go: constants unclosed", "go", SCOPE_BLOCK, "package m\n\nconst (\n\t¦\n"},
    {"go: call", "go", SCOPE_LINE, "func f() {\n\tg(\n\t\t¦\n\t)\n}\n"},
    {"go: raw string", "go", SCOPE_LINE, "var s = `{\n¦\n`\n"},
    {"go: not empty", "go", SCOPE_LINE, "func f() {\n\t¦\n\treturn\n}\n"},
    {"go: else", "go", SCOPE_BLOCK, "func f() {\n\tif a {\n\t\tb()\n\t} else {\n\t\t¦\n\t}\n}\n"},
    {"rust: fn", "rust", SCOPE_BLOCK, "fn f(a: &str) -> u8 {\n    ¦\n}\n"},
    {"rust: lifetime", "rust", SCOPE_BLOCK, "fn f<'a>(x: &'a str) -> &'a str {\n    ¦\n"},
    {"rust: impl", "rust", SCOPE_BLOCK, "impl<T> Tr for S<T> {\n    ¦\n}\n"},
    {"rust: method unclosed", "rust", SCOPE_BLOCK,
     "impl S {\n    fn f(&self) {\n        ¦\n\n    fn g() {}\n}\n"},
    {"rust: match", "rust", SCOPE_BLOCK, "fn f(x: u8) {\n    match x {\n        ¦\n    }\n}\n"},
    {"rust: arm", "rust", SCOPE_BLOCK,
     "fn f(x: u8) {\n    match x {\n        1 => {\n            ¦\n        }\n    }\n}\n"},
    {"rust: where", "rust", SCOPE_BLOCK, "fn f<T>(x: T)\nwhere\n    T: Ord,\n{\n    ¦\n}\n"},
    {"rust: raw string", "rust", SCOPE_LINE, "let s = r#\"{\n¦\n\"#;\n"},
    {"rust: doc comment", "rust", SCOPE_LINE, "/// {¦\nfn f() {}\n"},
    {"rust: middle", "rust", SCOPE_LINE, "fn f() {\n    let x = ¦\n}\n"},
    {"java: method", "java", SCOPE_BLOCK, "class A {\n    void f(int a) {\n        ¦\n    }\n}\n"},
    {"java: method unclosed", "java", SCOPE_BLOCK,
     "class A {\n    void f(int a) throws X {\n        ¦\n}\n"},
    {"java: lambda", "java", SCOPE_BLOCK,
     "class A {\n    void f() {\n        g(x -> {\n            ¦\n        });\n    }\n}\n"},
    {"java: catch", "java", SCOPE_BLOCK,
     "class A {\n    void f() {\n        try {\n            g();\n        } catch (E e) {\n        "
     "    ¦\n        }\n    }\n}\n"},
    {"java: text block", "java", SCOPE_LINE,
     "class A {\n    String s = \"\"\"\n        {\n        ¦\n        \"\"\";\n}\n"},
    {"java: not empty", "java", SCOPE_LINE, "class A {\n    ¦\n    int x;\n}\n"},
    {"bash: function", "bash", SCOPE_BLOCK, "f() {\n  ¦\n}\n"},
    {"bash: function unclosed", "bash", SCOPE_BLOCK, "f() {\n  ¦\n"},
    {"bash: then", "bash", SCOPE_BLOCK, "if [ \"$1\" = x ]; then\n  ¦\nfi\n"},
    {"bash: then unclosed", "bash", SCOPE_BLOCK, "if x; then\n  ¦\n\necho done\n"},
    {"bash: else", "bash", SCOPE_BLOCK, "if x; then\n  a\nelse\n  ¦\nfi\n"},
    {"bash: do", "bash", SCOPE_BLOCK, "for i in a b; do\n  ¦\ndone\n"},
    {"bash: while", "bash", SCOPE_BLOCK, "while read -r x; do\n  ¦\n"},
    {"bash: case", "bash", SCOPE_BLOCK, "case $x in\n  ¦\nesac\n"},
    {"bash: pattern", "bash", SCOPE_BLOCK, "case $x in\n  a)\n    ¦\nesac\n"},
    {"bash: not empty", "bash", SCOPE_LINE, "while x; do\n  ¦\n  y\ndone\n"},
    {"bash: heredoc", "bash", SCOPE_LINE, "cat <<EOF\nx() {\n¦\nEOF\n"},
    {"bash: word like do", "bash", SCOPE_LINE, "echo do\n¦\n"},
    {"bash: middle", "bash", SCOPE_LINE, "f() {\n  echo ¦\n}\n"},
    {"json: object", "json", SCOPE_BLOCK, "{\n  \"a\": {\n    ¦\n  }\n}\n"},
    {"json: array unclosed", "json", SCOPE_BLOCK, "{\n  \"a\": [\n    ¦\n}\n"},
    {"json: value", "json", SCOPE_LINE, "{\n  \"a\": ¦\n}\n"},
    {"json: brace in a string", "json", SCOPE_LINE, "{\n  \"a{¦\n}\n"},
    {"json: not empty", "json", SCOPE_LINE, "{\n  ¦\n  \"b\": 1\n}\n"},
    {"html: element", "html", SCOPE_BLOCK, "<ul>\n  ¦\n</ul>\n"},
    {"html: element unclosed", "html", SCOPE_BLOCK, "<div>\n  <ul class=\"a\">\n    ¦\n</div>\n"},
    {"html: body", "html", SCOPE_BLOCK, "<html>\n<body>\n¦\n</body>\n</html>\n"},
    {"html: void element", "html", SCOPE_LINE, "<p>a<br>\n¦\n</p>\n"},
    {"html: after an element", "html", SCOPE_LINE, "<p>don't</p>\n¦\n"},
    {"html: not empty", "html", SCOPE_LINE, "<ul>\n  ¦\n  <li>a</li>\n</ul>\n"},
    {"html: comment", "html", SCOPE_LINE, "<!-- <ul>¦\n-->\n"},
    {"html: script", "html", SCOPE_BLOCK, "<script>\n¦\n</script>\n"},
    {"html: in a script", "html", SCOPE_BLOCK,
     "<script>\n  function f() {\n    ¦\n  }\n</script>\n"},
    {"html: line of a script", "html", SCOPE_LINE, "<script>\n  let a = ¦\n</script>\n"},
    {"css: rule", "css", SCOPE_BLOCK, ".a > b {\n  ¦\n}\n"},
    {"css: media", "css", SCOPE_BLOCK, "@media (min-width: 1px) {\n  ¦\n}\n"},
    {"css: nested unclosed", "css", SCOPE_BLOCK, "@media print {\n  .a {\n    ¦\n}\n"},
    {"css: value", "css", SCOPE_LINE, ".a {\n  color: ¦\n}\n"},
    {"css: not empty", "css", SCOPE_LINE, ".a {\n  ¦\n  color: red;\n}\n"},
    {"css: comment", "css", SCOPE_LINE, "/* .a {\n¦\n*/\n"},
    {"lua: string with end", "lua", SCOPE_BLOCK, "if x == \"end\" then\n  ¦\nend\n"},
    {"python: f-string", "python", SCOPE_BLOCK, "if f\"{x}:\":\n    ¦\n"},
    {"python: except", "python", SCOPE_BLOCK,
     "try:\n    f()\nexcept E as e:\n    ¦\nfinally:\n    g()\n"},
    {"python: nested class", "python", SCOPE_BLOCK,
     "class A:\n    class B(C):\n        ¦\n\n    x = 1\n"},
    {"javascript: element", "javascript", SCOPE_BLOCK,
     "const a = (\n  <div>\n    ¦\n  </div>\n);\n"},
    {"javascript: switch", "javascript", SCOPE_BLOCK, "switch (a) {\n¦\n}\n"},
    {"javascript: in a substitution", "javascript", SCOPE_BLOCK,
     "const a = `${xs.map((x) => {\n  ¦\n})}`;\n"},
    {"c: extern", "c", SCOPE_BLOCK, "struct a;\nenum e {\n    ¦\n};\n"},
    {"c: behind a comment", "c", SCOPE_BLOCK, "int f(void)\n{ /* all */¦\n}\n"},
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
    {"cpp: method closed already", "cpp", SCOPE_BLOCK,
     "class A {\n    int f() {\n        ¦\n    }\n};\n", "return 1;¦\n    }\n\n    int g();\n"},
    {"cpp: class not closed", "cpp", SCOPE_BLOCK, "class A {\n¦\n",
     "public:\n    A();\nprivate:\n    int b;\n};¦\n\nint g;\n"},
    {"cpp: namespace at the margin", "cpp", SCOPE_BLOCK, "namespace a {\n¦\n}\n",
     "class B {\n    int c;\n};\n\nint f();¦\n}\n"},
    {"cpp: lambda", "cpp", SCOPE_BLOCK, "void g() {\n    auto f = [&](int a) {\n        ¦\n}\n",
     "return a;\n    };¦\n    f(1);\n}\n"},
    {"cpp: catch opens again", "cpp", SCOPE_BLOCK, "void f() {\n    try {\n        ¦\n",
     "g();\n    }¦ catch (E &e) {\n        h();\n    }\n}\n"},
    {"cpp: raw string", "cpp", SCOPE_BLOCK, "auto f() {\n    ¦\n",
     "auto s = R\"(}\n)\";\n    return s;\n}¦\nint g;\n"},
    {"cpp: initializers", "cpp", SCOPE_BLOCK, "void f() {\n    ¦\n}\n",
     "A a{1, 2};\n    g({a, {3}});¦\n}\n"},
    {"typescript: interface", "typescript", SCOPE_BLOCK, "interface I {\n  ¦\n",
     "a: { b: number };\n  c(): void;\n}¦\nconst d = 1;\n"},
    {"typescript: method closed", "typescript", SCOPE_BLOCK,
     "class A {\n  m(): void {\n    ¦\n  }\n}\n",
     "if (a) {\n      b();\n    } else {\n      c();\n    }¦\n  }\n\n  n() {}\n"},
    {"typescript: template type", "typescript", SCOPE_BLOCK, "function f() {\n  ¦\n",
     "return `}${a as `x`}`;\n}¦\nf();\n"},
    {"typescript: closer may be a string", "typescript", SCOPE_BLOCK, "function f() {\n  ¦\n}\n",
     "const a = `x\n}"},
    {"tsx: element closed", "tsx", SCOPE_BLOCK, "const a = (\n  <div>\n    ¦\n  </div>\n);\n",
     "<b>x</b>\n    {y}¦\n  </div>\n);\n"},
    {"tsx: element not closed", "tsx", SCOPE_BLOCK, "const a = (\n  <ul>\n    ¦\n",
     "<li>it's</li>\n    <br/>\n  </ul>¦\n);\n"},
    {"tsx: component", "tsx", SCOPE_BLOCK, "function A() {\n  ¦\n}\n",
     "return (\n    <p>\n      {b}\n    </p>\n  );¦\n}\n\nexport"},
    {"go: closed already", "go", SCOPE_BLOCK, "func f() error {\n\t¦\n}\n",
     "if a {\n\t\treturn b\n\t} else {\n\t\tc()\n\t}\n\treturn nil¦\n}\n\nfunc g() {\n"},
    {"go: not closed", "go", SCOPE_BLOCK, "func f() {\n\t¦\n",
     "a := map[string]int{\"}\": 1}\n}¦\n\nfunc g() {\n"},
    {"go: cases at the switch", "go", SCOPE_BLOCK, "func f() {\n\tswitch a {\n\t¦\n\t}\n}\n",
     "case 1:\n\t\tb()\n\tdefault:\n\t\tc()¦\n\t}\n}\n"},
    {"go: label", "go", SCOPE_BLOCK, "func f() {\n\tfor {\n\t\t¦\n\t}\n}\n",
     "a()\n\touter:\n\t\tfor {\n\t\t}¦\n\t}\n"},
    {"go: imports", "go", SCOPE_BLOCK, "package m\n\nimport (\n\t¦\n",
     "\"fmt\"\n\t\"os\"\n)¦\n\nfunc f() {}\n"},
    {"go: imports closed", "go", SCOPE_BLOCK, "package m\n\nimport (\n\t¦\n)\n",
     "\"fmt\"¦\n)\n\nfunc f() {}\n"},
    {"go: function in a call", "go", SCOPE_BLOCK, "func f() {\n\tg(func() {\n\t\t¦\n",
     "h()\n\t})¦\n\ti()\n}\n"},
    {"rust: closed already", "rust", SCOPE_BLOCK, "fn f() -> u8 {\n    ¦\n}\n",
     "let a = S { b: '}' };\n    a.b¦\n}\n\nfn g() {}\n"},
    {"rust: not closed", "rust", SCOPE_BLOCK, "fn f() {\n    ¦\n",
     "g(\"}\");\n    // }\n}¦\n\n#[test]\nfn h() {}\n"},
    {"rust: match", "rust", SCOPE_BLOCK,
     "fn f(x: u8) -> u8 {\n    match x {\n        ¦\n    }\n}\n",
     "1 => { 2 }\n        n if n > 3 => g(n),\n        _ => 4,¦\n    }\n}\n"},
    {"rust: string over lines", "rust", SCOPE_BLOCK, "fn f() {\n    ¦\n",
     "let s = \"a\n}\nb\";\n    g(s)\n}¦\nfn h() {}\n"},
    {"rust: else opens again", "rust", SCOPE_BLOCK, "fn f() {\n    if a {\n        ¦\n",
     "b();\n    }¦ else {\n        c();\n    }\n}\n"},
    {"rust: lifetimes", "rust", SCOPE_BLOCK, "impl<'a> S<'a> {\n    ¦\n}\n",
     "fn f(&'a self) -> &'a str {\n        'x: loop { break 'x; }\n    }¦\n}\n"},
    {"java: closed already", "java", SCOPE_BLOCK, "class A {\n    int f() {\n        ¦\n    }\n}\n",
     "for (int i : a) {\n            b(i);\n        }\n        return 1;¦\n    }\n\n    int g"},
    {"java: not closed", "java", SCOPE_BLOCK, "class A {\n    int f() {\n        ¦\n}\n",
     "String s = \"}\";\n        return 1;\n    }¦\n\n    int g() {\n"},
    {"java: finally opens again", "java", SCOPE_BLOCK,
     "class A {\n    void f() {\n        try {\n            ¦\n",
     "g();\n        }¦ finally {\n            h();\n        }\n    }\n}\n"},
    {"java: cases at the switch", "java", SCOPE_BLOCK,
     "class A {\n    void f() {\n        switch (a) {\n        ¦\n        }\n    }\n}\n",
     "case 1:\n            b();\n        default:\n            c();¦\n        }\n    }\n"},
    {"bash: function closed", "bash", SCOPE_BLOCK, "f() {\n  ¦\n}\n",
     "local a=\"}\"\n  if [ -n \"$a\" ]; then\n    echo '}'\n  fi¦\n}\n\nf\n"},
    {"bash: function not closed", "bash", SCOPE_BLOCK, "f() {\n  ¦\n", "echo ${a:-b}\n}¦\n\nf\n"},
    {"bash: fi", "bash", SCOPE_BLOCK, "if x; then\n  ¦\n",
     "for i in 1 2; do\n    echo $i\n  done\nfi¦\necho y\n"},
    {"bash: else", "bash", SCOPE_BLOCK, "if x; then\n  ¦\n", "a¦\nelse\n  b\nfi\n"},
    {"bash: elif", "bash", SCOPE_BLOCK, "if x; then\n  ¦\nfi\n", "a¦\nelif y; then\n  b\nfi\n"},
    {"bash: case", "bash", SCOPE_BLOCK, "case $x in\n  ¦\nesac\n",
     "a) b ;;\n  *)\n    c\n    ;;¦\nesac\n"},
    {"bash: pattern", "bash", SCOPE_BLOCK, "case $x in\n  a)\n    ¦\n",
     "b\n    ;;¦\n  c)\n    d\n"},
    {"bash: heredoc", "bash", SCOPE_BLOCK, "f() {\n  ¦\n", "cat <<EOF\n}\nEOF\n}¦\nf\n"},
    {"bash: name like a closer", "bash", SCOPE_BLOCK, "while x; do\n  ¦\ndone\n",
     "done_with y¦\ndone\n"},
    {"json: object closed", "json", SCOPE_BLOCK, "{\n  \"a\": {\n    ¦\n  }\n}\n",
     "\"b\": [1, {\"c\": \"}\"}]¦\n  }\n}\n"},
    {"json: array not closed", "json", SCOPE_BLOCK, "{\n  \"a\": [\n    ¦\n",
     "{ \"b\": 1 },\n    2\n  ],¦\n  \"c\": 3\n}\n"},
    {"html: element closed", "html", SCOPE_BLOCK, "<ul>\n  ¦\n</ul>\n",
     "<li>don't <br> do</li>\n  <li>b</li>¦\n</ul>\n<p>\n"},
    {"html: element not closed", "html", SCOPE_BLOCK, "<div>\n  <ul>\n    ¦\n</div>\n",
     "<li>a</li>\n  </ul>¦\n  <p>b</p>\n"},
    {"html: body", "html", SCOPE_BLOCK, "<html>\n<body>\n¦\n</body>\n</html>\n",
     "<h1>a</h1>\n<img src=\"b\">\n<p>c</p>¦\n</body>\n"},
    {"html: void at the end", "html", SCOPE_BLOCK, "<p>\n  ¦\n", "a<br>\n  b\n</p>¦\n<p>\n"},
    {"html: in a style", "html", SCOPE_BLOCK, "<style>\n.a {\n  ¦\n}\n</style>\n",
     "color: red;¦\n}\n.b {\n"},
    {"html: in a script", "html", SCOPE_BLOCK, "<script>\nfunction f() {\n  ¦\n</script>\n",
     "if (a) {\n    b();\n  }\n}¦\nf();\n"},
    {"css: rule closed", "css", SCOPE_BLOCK, ".a {\n  ¦\n}\n",
     "color: red;\n  content: \"}\";¦\n}\n\n.b {\n"},
    {"css: rule not closed", "css", SCOPE_BLOCK, ".a {\n  ¦\n",
     "color: red; /* } */\n}¦\n\n.b {\n"},
    {"css: media", "css", SCOPE_BLOCK, "@media print {\n  ¦\n",
     ".a {\n    color: red;\n  }\n  .b { }\n}¦\n.c {\n"},
    {"javascript: element", "javascript", SCOPE_BLOCK, "const a = (\n  <ul>\n    ¦\n",
     "<li>{b}</li>\n  </ul>¦\n);\n"},
    {"javascript: catch opens again", "javascript", SCOPE_BLOCK, "try {\n  ¦\n",
     "a();\n}¦ catch (e) {\n  b();\n}\n"},
    {"python: match", "python", SCOPE_BLOCK, "match x:\n    ¦\n",
     "case 1:\n        a()\n    case _:\n        b()¦\nc()\n"},
    {"python: except", "python", SCOPE_BLOCK, "def f():\n    try:\n        ¦\n",
     "a()¦\n    except E:\n        b()\n"},
    {"python: braces in strings", "python", SCOPE_BLOCK, "def f(x):\n    ¦\n",
     "return f\"{x:}\" + ':'¦\nf(1)\n"},
    {"lua: end in a string", "lua", SCOPE_BLOCK, "function f()\n  ¦\n",
     "g(\"end\") -- end\n  return [[\nend]]\nend¦\nf()\n"},
    {"c: comment over lines", "c", SCOPE_BLOCK, "int f(void)\n{\n    ¦\n",
     "/* one\n}\ntwo */\n    return 1;\n}¦\nint g;\n"},
    {"css: comment over lines", "css", SCOPE_BLOCK, ".a {\n  ¦\n}\n",
     "/* one\n}\n*/\n  color: red;¦\n}\n"},
    {"bash: shift and herestring", "bash", SCOPE_BLOCK, "f() {\n  ¦\n",
     "cat <<< \"$x\"\n  y=$((1 << 2))\n}¦\nf\n"},
    {"javascript: label", "javascript", SCOPE_BLOCK, "function f() {\n  ¦\n}\n",
     "outer:\n  for (;;) {\n    break outer;\n  }¦\n}\n"},
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
