/* symbols: what texts of each language define and import. A symbol is written "kind owner.name: signature # doc", a line end
 * within as a space. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/symbols.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct symbols_case {
    const char *language, *text, *symbols;
    const char *half; /* a definition that is being written */
};

static const struct symbols_case cases[] = {
    {
        "c",
        "/* Doc. */\n"
        "static int *f(int a)\n"
        "{\n"
        "    int local = 0;\n"
        "    return 0;\n"
        "}\n"
        "int g(void);\n"
        "struct s { int a; char *b[3]; int (*call)(int); };\n"
        "typedef struct { int q; } t;\n"
        "typedef int (*cb)(int);\n"
        "enum e { P, Q = 2 };\n"
        "// One.\n"
        "// Two.\n"
        "#define M(x) (x)\n"
        "\n"
        "int x[] = {0}, *y; // not z's\n"
        "static const int z = 1;\n"
        "#include <a.h>\n"
        "#include \"b/c.h\"\n"
        "union u;\n",
        "function f: static int *f(int a) # /* Doc. */\n"
        "function g: int g(void);\n"
        "type s: struct s\n"
        "field s.a: int a;\n"
        "field s.b: char *b[3];\n"
        "field s.call: int (*call)(int);\n"
        "type t: typedef struct { int q; } t;\n"
        "field t.q: int q;\n"
        "type cb: typedef int (*cb)(int);\n"
        "type e: enum e\n"
        "constant e.P: P\n"
        "constant e.Q: Q = 2\n"
        "macro M: #define M(x) (x) # // One. // Two.\n"
        "variable x: int x[] = {0}, *y;\n"
        "variable y: int x[] = {0}, *y;\n"
        "variable z: static const int z = 1;\n"
        "import a.h\n"
        "import b/c.h\n",
        "int broken(int a) {\n"
        "    if (a > ",
    },
    {
        "cpp",
        "#include <v>\n"
        "namespace n {\n"
        "/** A class. */\n"
        "template <typename T>\n"
        "class C : public D {\n"
        "public:\n"
        "    C(int x);\n"
        "    void m() const { int l; }\n"
        "    int f_ = 1;\n"
        "    using X = int;\n"
        "};\n"
        "// Of C.\n"
        "template <class T> void C<T>::n(int a) { }\n"
        "void A::B::k() {}\n"
        "enum class E { P };\n"
        "int &r(int a) { return a; }\n"
        "}\n",
        "module n: namespace n\n"
        "type n.C: template <typename T> class C : public D # /** A class. */\n"
        "method C.C: C(int x);\n"
        "method C.m: void m() const\n"
        "field C.f_: int f_ = 1;\n"
        "type C.X: using X = int;\n"
        "method C.n: template <class T> void C<T>::n(int a) # // Of C.\n"
        "method B.k: void A::B::k()\n"
        "type n.E: enum class E\n"
        "constant E.P: P\n"
        "function n.r: int &r(int a)\n"
        "import v\n",
        "void A::broken(int a) {\n"
        "    for (auto &b : ",
    },
    {
        "python",
        "import a.b as c, d\n"
        "from .e import f as g, h\n"
        "# Above.\n"
        "@dec\n"
        "def f(x: int = 1) -> int:\n"
        "    \"\"\"Doc.\"\"\"\n"
        "    y = 1\n"
        "class A(B):\n"
        "    '''X'''\n"
        "    k: int = 1\n"
        "    # Of m.\n"
        "    async def m(self): pass\n"
        "    @property\n"
        "    def n(self):\n"
        "        def inner(): pass\n"
        "        return 1\n"
        "X = 1\n"
        "if X:\n"
        "    Y = 2\n",
        "function f: @dec def f(x: int = 1) -> int: # \"\"\"Doc.\"\"\"\n"
        "type A: class A(B): # '''X'''\n"
        "field A.k: k: int = 1\n"
        "method A.m: async def m(self): # # Of m.\n"
        "method A.n: @property     def n(self):\n"
        "function n.inner: def inner():\n"
        "variable X: X = 1\n"
        "variable Y: Y = 2\n"
        "import a.b\n"
        "import d\n"
        "import .e\n",
        "def broken(a):\n"
        "    if a and (",
    },
    {
        "javascript",
        "import { a as b } from \"./x\";\n"
        "const r = require('y');\n"
        "export * from \"z\";\n"
        "/** Doc. */\n"
        "export const f = async (x) => {\n"
        "  const local = 1;\n"
        "};\n"
        "export default class K extends L {\n"
        "  #p = 1;\n"
        "  // Of m.\n"
        "  m(a) {}\n"
        "  static get h() { return 1; }\n"
        "}\n"
        "const o = { a() {}, b: function () {}, c: 1 };\n"
        "M.prototype.k = function (a) {};\n"
        "foo(() => { let inner; function named() {} });\n"
        "function g() {}\n",
        "variable r: const r = require('y');\n"
        "function f: export const f = async (x) => # /** Doc. */\n"
        "type K: export default class K extends L\n"
        "field K.#p: #p = 1\n"
        "method K.m: m(a) # // Of m.\n"
        "method K.h: static get h()\n"
        "variable o: const o = { a() {}, b: function () {}, c: 1 };\n"
        "method o.a: a()\n"
        "method o.b: b: function ()\n"
        "function k: M.prototype.k = function (a)\n"
        "function named: function named()\n"
        "function g: function g()\n"
        "import ./x\n"
        "import y\n"
        "import z\n",
        "function broken(a) {\n"
        "  if (a && ",
    },
    {
        "typescript",
        "import d = require(\"y\");\n"
        "import type { T } from './t';\n"
        "/** D */\n"
        "@Dec()\n"
        "export class K<T> extends L {\n"
        "  private p = 1;\n"
        "  // Of q.\n"
        "  @In() q: string;\n"
        "  constructor(a: number) { super(); }\n"
        "  m(a: number): void {}\n"
        "}\n"
        "export interface I { a: number; b(): void }\n"
        "type U = A | B;\n"
        "enum E { P = 1, Q }\n"
        "namespace N { export function z() {} }\n"
        "declare function g(): void;\n"
        "abstract class Z { abstract m(): void }\n"
        "export const h = (a: number): string => { return \"\"; };\n",
        "type K: @Dec() export class K<T> extends L # /** D */\n"
        "field K.p: private p = 1\n"
        "field K.q: @In() q: string # // Of q.\n"
        "method K.constructor: constructor(a: number)\n"
        "method K.m: m(a: number): void\n"
        "type I: export interface I\n"
        "field I.a: a: number\n"
        "method I.b: b(): void\n"
        "type U: type U = A | B;\n"
        "type E: enum E\n"
        "constant E.P: P = 1\n"
        "constant E.Q: Q\n"
        "module N: namespace N\n"
        "function N.z: export function z()\n"
        "function g: declare function g(): void;\n"
        "type Z: abstract class Z\n"
        "method Z.m: abstract m(): void\n"
        "function h: export const h = (a: number): string =>\n"
        "import y\n"
        "import ./t\n",
        "function broken(a: number) {\n"
        "  if (a && ",
    },
    {
        "tsx",
        "import React from \"react\";\n"
        "// A part.\n"
        "export function Part({ a }: Props) {\n"
        "  const [x, setX] = useState(0);\n"
        "  return <div>{a}</div>;\n"
        "}\n"
        "interface Props { a: string }\n",
        "function Part: export function Part({ a }: Props) # // A part.\n"
        "type Props: interface Props\n"
        "field Props.a: a: string\n"
        "import react\n",
        "function broken() {\n"
        "  return (\n"
        "    <p>",
    },
    {
        "go",
        "package main\n"
        "\n"
        "import (\n"
        "\t\"fmt\"\n"
        "\tx \"a/b\"\n"
        ")\n"
        "\n"
        "// Doc.\n"
        "type S struct { A int; B string }\n"
        "type I interface { M(a int) error }\n"
        "type (\n"
        "\t// One of two.\n"
        "\tT int\n"
        ")\n"
        "const (\n"
        "\tX = iota\n"
        "\tY\n"
        ")\n"
        "// Of v.\n"
        "var v = 1\n"
        "// M does.\n"
        "func (s *S[T]) M(a int) error {\n"
        "\tvar local int\n"
        "\treturn nil\n"
        "}\n"
        "func (s S) N() {}\n"
        "func F[T any](x T) {}\n"
        "type A = B\n",
        "type S: type S struct # // Doc.\n"
        "field S.A: A int\n"
        "field S.B: B string\n"
        "type I: type I interface\n"
        "method I.M: M(a int) error\n"
        "type T: T int # // One of two.\n"
        "constant X: X = iota\n"
        "constant Y: Y\n"
        "variable v: var v = 1 # // Of v.\n"
        "method S.M: func (s *S[T]) M(a int) error # // M does.\n"
        "method S.N: func (s S) N()\n"
        "function F: func F[T any](x T)\n"
        "type A: type A = B\n"
        "import fmt\n"
        "import a/b\n",
        "func broken(a int) {\n"
        "\tif a > ",
    },
    {
        "rust",
        "use std::{io, fmt::Display as D};\n"
        "mod m;\n"
        "/// Doc.\n"
        "/// More.\n"
        "#[derive(Debug)]\n"
        "pub struct S<T> { pub a: T }\n"
        "struct Unit;\n"
        "enum E { A, B(u8) }\n"
        "impl<T> Tr for S<T> {\n"
        "    /// Of f.\n"
        "    #[inline]\n"
        "    fn f(&self) -> u8 { let x = 1; 2 }\n"
        "    const K: u8 = 1;\n"
        "}\n"
        "trait Tr { fn f(&self); fn g() {} }\n"
        "const X: u8 = 1;\n"
        "macro_rules! mac { () => {} }\n"
        "mod n { pub fn h() {} }\n",
        "type S: #[derive(Debug)] pub struct S<T> # /// Doc. /// More.\n"
        "field S.a: pub a: T\n"
        "type Unit: struct Unit;\n"
        "type E: enum E\n"
        "constant E.A: A\n"
        "constant E.B: B(u8)\n"
        "method S.f: #[inline]     fn f(&self) -> u8 # /// Of f.\n"
        "constant S.K: const K: u8 = 1;\n"
        "type Tr: trait Tr\n"
        "method Tr.f: fn f(&self);\n"
        "method Tr.g: fn g()\n"
        "constant X: const X: u8 = 1;\n"
        "macro mac: macro_rules! mac { () => {} }\n"
        "module n: mod n\n"
        "function n.h: pub fn h()\n"
        "import std::{io, fmt::Display as D}\n"
        "import m\n",
        "fn broken(a: u8) {\n"
        "    match a {\n"
        "        1 => ",
    },
    {
        "java",
        "package a.b;\n"
        "import java.util.List;\n"
        "import static x.Y.z;\n"
        "/** Doc. */\n"
        "@Deprecated\n"
        "public class A<T> extends B {\n"
        "  private int f = 1, g;\n"
        "  public A() {}\n"
        "  // Of m.\n"
        "  @Override void m(int a) throws X { int local = 1; }\n"
        "  enum E { P, Q }\n"
        "  record R(int a) {}\n"
        "  interface I { void n(); int K = 1; }\n"
        "}\n",
        "type A: @Deprecated public class A<T> extends B # /** Doc. */\n"
        "field A.f: private int f = 1, g;\n"
        "field A.g: private int f = 1, g;\n"
        "method A.A: public A()\n"
        "method A.m: @Override void m(int a) throws X # // Of m.\n"
        "type A.E: enum E\n"
        "constant E.P: P\n"
        "constant E.Q: Q\n"
        "type A.R: record R(int a)\n"
        "type A.I: interface I\n"
        "method I.n: void n();\n"
        "constant I.K: int K = 1;\n"
        "import java.util.List\n"
        "import x.Y.z\n",
        "class Broken {\n"
        "  void m() {\n"
        "    if (a > ",
    },
    {
        "bash",
        "#!/bin/bash\n"
        "source ./lib.sh\n"
        ". a.sh\n"
        "X=1\n"
        "# Does f.\n"
        "f() {\n"
        "  local q=1\n"
        "}\n"
        "function g { echo; }\n"
        "readonly Z=3\n"
        "if x; then Y=2; fi\n",
        "variable X: X=1\n"
        "function f: f() # # Does f.\n"
        "function g: function g\n"
        "variable Z: readonly Z=3\n"
        "variable Y: Y=2\n"
        "import ./lib.sh\n"
        "import a.sh\n",
        "broken() {\n"
        "  if [ \"$1\" = ",
    },
    {
        "lua",
        "local m = require(\"a.b\")\n"
        "local n = require \"c\"\n"
        "--- Doc.\n"
        "--- More.\n"
        "local function f(a) local b = 1 return a end\n"
        "function M.g(b) end\n"
        "function M:h() end\n"
        "M.k = function(x) end\n"
        "local t = { a = 1, q = function(z) end }\n"
        "z = 2\n",
        "variable m: local m = require(\"a.b\")\n"
        "variable n: local n = require \"c\"\n"
        "function f: local function f(a) # --- Doc. --- More.\n"
        "method M.g: function M.g(b)\n"
        "method M.h: function M:h()\n"
        "method M.k: M.k = function(x)\n"
        "variable t: local t = { a = 1, q = function(z) end }\n"
        "method t.q: q = function(z)\n"
        "variable z: z = 2\n"
        "import a.b\n"
        "import c\n",
        "local function broken(a)\n"
        "  if a and ",
    },
    {
        "json",
        "{\n"
        "  // Of a.\n"
        "  \"a\": [1, {\"b\": null}],\n"
        "  \"c\": {\"d\": 1}\n"
        "}\n",
        "field a: \"a\": [1, {\"b\": null}] # // Of a.\n"
        "field c: \"c\": {\"d\": 1}\n",
        "",
    },
    {
        "html",
        "<!DOCTYPE html>\n"
        "<link rel=\"stylesheet\" href=\"a.css\">\n"
        "<script src=\"x.js\"></script>\n"
        "<!-- The main part. -->\n"
        "<main id=\"main\" class=\"b\"><p id=\"p\">x</p></main>\n",
        "variable main: <main id=\"main\" class=\"b\"> # <!-- The main part. -->\n"
        "variable p: <p id=\"p\">\n"
        "import a.css\n"
        "import x.js\n",
        "<div id=\"broken\"><p",
    },
    {
        "css",
        "@import url(\"a.css\");\n"
        "@import \"b.css\";\n"
        ":root { --x: 1px; }\n"
        "/* A part. */\n"
        ".part, p.c:hover {\n"
        "  color: red;\n"
        "}\n"
        "#main > .x { }\n"
        "@media (x) { .z { } }\n"
        "@keyframes spin { from { } }\n",
        "variable --x: --x: 1px;\n"
        "type part: .part, p.c:hover # /* A part. */\n"
        "type c: .part, p.c:hover # /* A part. */\n"
        "type main: #main > .x\n"
        "type x: #main > .x\n"
        "type z: .z\n"
        "function spin: @keyframes spin\n"
        "import a.css\n"
        "import b.css\n",
        ".broken {\n"
        "  color: ",
    },
};

static void write_span(FILE *out, const char *text, struct span span)
{
    for (size_t at = span.start; at < span.end; at++)
        fputc(text[at] == '\n' ? ' ' : text[at], out);
}

static void write_symbols(FILE *out, const struct symbols *symbols, const char *text)
{
    for (size_t i = 0; i < symbols->count; i++) {
        const struct symbol *symbol = &symbols->items[i];
        fprintf(out, "%s ", symbol_kind_name(symbol->kind));
        write_span(out, text, symbol->owner);
        fputs(symbol->owner.end > symbol->owner.start ? "." : "", out);
        write_span(out, text, symbol->name);
        fputs(": ", out);
        write_span(out, text, symbol->signature);
        fputs(symbol->doc.end > symbol->doc.start ? " # " : "", out);
        write_span(out, text, symbol->doc);
        fputc('\n', out);
    }
    for (size_t i = 0; i < symbols->import_count; i++) {
        fputs("import ", out);
        write_span(out, text, symbols->imports[i]);
        fputc('\n', out);
    }
}

/* What `text` defines, written; the caller frees it. */
static char *written_symbols(const char *language, const char *text, size_t bytes)
{
    struct syntax *syntax = syntax_create(language_find(language, NULL));
    struct symbols symbols;
    char *written = NULL;
    size_t written_bytes = 0;
    FILE *out = open_memstream(&written, &written_bytes);

    assert_true(syntax_parse(syntax, text, bytes));
    assert_true(symbols_init(&symbols, syntax, text, bytes));
    write_symbols(out, &symbols, text);
    fclose(out);
    symbols_finish(&symbols);
    syntax_destroy(syntax);
    return written;
}

static void symbols_of_each_language_are_found(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct symbols_case *c = &cases[i];
        char *written = written_symbols(c->language, c->text, strlen(c->text));
        if (strcmp(written, c->symbols) != 0)
            fail_msg("%s:\n%s\nis not\n%s", c->text, written, c->symbols);
        free(written);
    }
}

static void symbols_before_half_a_definition_stay(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct symbols_case *c = &cases[i];
        char text[2048];
        int bytes = snprintf(text, sizeof text, "%s%s", c->text, c->half);
        char *written = written_symbols(c->language, text, (size_t)bytes);

        for (const char *line = c->symbols; *line; line = strchr(line, '\n') + 1) {
            char one[256];
            snprintf(one, sizeof one, "%.*s", (int)(strchr(line, '\n') + 1 - line), line);
            if (!strstr(written, one))
                fail_msg("%s%s lacks %s", c->text, c->half, one);
        }
        free(written);
    }
}

static void symbols_of_half_a_text_are_within_it(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t bytes = strlen(cases[i].text);
        while (bytes-- > 0) {
            char *half = malloc(bytes + 1);
            memcpy(half, cases[i].text, bytes);
            free(written_symbols(cases[i].language, half, bytes));
            free(half);
        }
    }
}

static void enclosing_symbol_is_the_innermost(void **state)
{
    (void)state;
    static const char text[] = "class A:\n    x = 1\n    def f(self):\n        y = 2\n\nz = 3\n";
    static const struct {
        const char *at, *name;
    } places[] = {{"class", "A"}, {"x", "A"}, {"def", "f"}, {"2", "f"}, {"z", NULL}};
    struct syntax *syntax = syntax_create(language_find("python", NULL));
    struct symbols symbols;

    assert_true(syntax_parse(syntax, text, strlen(text)));
    assert_true(symbols_init(&symbols, syntax, text, strlen(text)));
    for (size_t i = 0; i < COUNT(places); i++) {
        size_t offset = (size_t)(strstr(text, places[i].at) - text);
        const struct symbol *symbol = symbols_enclosing(&symbols, offset);
        if (!places[i].name)
            assert_null(symbol);
        else
            assert_memory_equal(text + symbol->name.start, places[i].name, strlen(places[i].name));
    }
    symbols_finish(&symbols);
    syntax_destroy(syntax);
}

static void symbols_without_a_tree_are_none(void **state)
{
    (void)state;
    struct syntax *syntax = syntax_create(language_find("c", NULL));
    struct symbols symbols;

    assert_true(symbols_init(&symbols, syntax, "int a;", 6));
    assert_int_equal(symbols.count + symbols.import_count, 0);
    symbols_finish(&symbols);
    assert_true(symbols_init(&symbols, NULL, "int a;", 6));
    assert_null(symbols_enclosing(&symbols, 0));
    symbols_finish(&symbols);
    syntax_destroy(syntax);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_of_each_language_are_found),
        cmocka_unit_test(symbols_before_half_a_definition_stay),
        cmocka_unit_test(symbols_of_half_a_text_are_within_it),
        cmocka_unit_test(enclosing_symbol_is_the_innermost),
        cmocka_unit_test(symbols_without_a_tree_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
