/* What is a circle and what is code. The texts that survive are taken from real code: they resemble themselves, and a peer's rule
 * of so many similar lines would cut them. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/repetition.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct repetition_case {
    const char *name;
    const char *text;
    const char *kept; /* NULL: all of it */
};

static const struct repetition_case circles[] = {
    /* the same lines */
    {"statements", "y = x\ng()\ng()\ng()\n", "y = x\ng()\n"},
    {"statements in turn", "a()\nb()\na()\nb()\na()\nb()\n", "a()\nb()\n"},
    {"branches",
     "  } else if (!valid) {\n    return year;\n  } else if (!valid) {\n    return year;\n"
     "  } else if (!valid) {\n    return year;\n",
     "  } else if (!valid) {\n    return year;\n"},
    {"a function that is written again",
     "int on_value(http_parser *_, const char *at, size_t length) {\n  (void)_;\n"
     "  printf(\"Header value: %.*s\\n\", (int)length, at);\n  return 0;\n}\n\n"
     "int on_value(http_parser *_, const char *at, size_t length) {\n  (void)_;\n"
     "  printf(\"Header value: %.*s\\n\", (int)length, at);\n  return 0;\n}\n\n",
     "int on_value(http_parser *_, const char *at, size_t length) {\n  (void)_;\n"
     "  printf(\"Header value: %.*s\\n\", (int)length, at);\n  return 0;\n}\n\n"},
    {"parameters without an end",
     "url: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\n"
     "url: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\nurl: str,\n",
     "url: str,\n"},

    /* lines that count on */
    {"calls with a number",
     "p(\"row 1\");\np(\"row 2\");\np(\"row 3\");\np(\"row 4\");\np(\"row 5\");\np(\"row 6\");\n"
     "p(\"row 7\");\np(\"row 8\");\n",
     "p(\"row 1\");\n"},
    {"assignments with two numbers",
     "x1 = f(10)\nx2 = f(20)\nx3 = f(30)\nx4 = f(40)\nx5 = f(50)\nx6 = f(60)\nx7 = f(70)\n"
     "x8 = f(80)\n",
     "x1 = f(10)\n"},
    {"branches that count",
     "if x == 1:\n    return 1\nif x == 2:\n    return 2\nif x == 3:\n    return 3\nif x == 4:\n"
     "    return 4\nif x == 5:\n    return 5\nif x == 6:\n    return 6\nif x == 7:\n    return 7\n"
     "if x == 8:\n    return 8\n",
     "if x == 1:\n    return 1\n"},

    /* lines with one of few names */
    {"two names without a rule",
     "put(left);\nput(right);\nput(right);\nput(left);\nput(right);\nput(left);\n",
     "put(left);\nput(right);\n"},
    {"a block with two names",
     "if (a)\n  go();\nif (b)\n  go();\nif (b)\n  go();\nif (a)\n  go();\nif (b)\n  go();\nif (a)\n"
     "  go();\n",
     "if (a)\n  go();\nif (b)\n  go();\n"},

    /* words, and numbers without an end */
    {"zeros",
     "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
     "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ",
     "0"},
    {"numbers in a string",
     "20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 "
     "20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 ",
     "20"},
    {"brackets that open", "f({{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{", "f({"},
    {"members", "self.a.self.a.self.a.self.a.self.a.self.a.self.a.", "self.a"},
    {"operands", "b + b + b + b + b + b + b + b + b + b + b + b + ", "b"},
    {"arguments", "a, b, b, b, b, b, b, b, b, b, b, b, b, b, ", "a, b"},
    {"code points", "「ええええええええええええええええ」", "「え"},
    {"parts of a name", "get_value_get_value_get_value_get_value_get_value_get_value_get_",
     "get_value_"},
    {"a condition of several words",
     "a is not None and b is not None and a is not None and b is not None and a is not None and "
     "b is not None and a is not None and b is not None and c",
     "a is not None and b is not None and"},
    {"a sentence over line ends",
     "to be used to be used\nto be used to be used to\nbe used to be used to be used to be\n",
     "to be used"},
    {"structures within each other",
     "struct {\n  struct {\n    struct {\n    struct {\n      struct {\n        struct {\n",
     "struct {\n"},
};

static const struct repetition_case code[] = {
    {"two calls", "g()\ng()\nreturn x\n", NULL},
    {"numbers in a line", "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};\n", NULL},
    {"hexadecimal numbers", "0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,\n", NULL},
    {"escapes", "\"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x1E\\x0F\"\n", NULL},
    {"flags", "false, false, false, false, false, false, true, true, true\n", NULL},
    {"a format", "json_pack(\"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}\",\n", NULL},
    {"arrays within each other", "[[[[[[[[[[[[0]]]]]]]]]]]]\n", NULL},
    {"rows of equal numbers", "    0.5,\n    0.5,\n    0.5,\n    0.25,\n    0.75,\n", NULL},
    {"rows of one name", "    None,\n    None,\n    None,\n    None,\n    None,\n)\n", NULL},
    {"rows of letters", "    \"d\",\n    \"i\",\n    \"d\",\n    \"d\",\n    \"d\",\n    \"i\",\n",
     NULL},
    {"a ruler", "/* vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv */\n", NULL},
    {"a ruler of emoji", "# 🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨🚨\n", NULL},
    {"a frame", "# ────────────────────────────────────────────────────\n", NULL},
    {"closers", "}\n#endif\n#endif\n#endif\n#endif\n", NULL},
    {"closing tags", "text\n</div>\n</div>\n</div>\n</div>\n<p>\n", NULL},
    {"ends", "      end\n    end\n  end\nend\n", NULL},
    {"branches within each other", "if a:\n    if a:\n        if a:\n            go()\n", NULL},
    {"a last name that is longer", "b + b + b + b + b + b + bar\n", NULL},
    {"equal calls that make a graph", "G.add_edge(0, 1)\nG.add_edge(0, 1)\nG.add_edge(0, 2)\n",
     NULL},

    {"cases",
     "case 0: return a;\ncase 1: return b;\ncase 2: return c;\ncase 3: return d;\n"
     "case 4: return e;\ncase 5: return f;\ncase 6: return g;\ncase 7: return h;\n",
     NULL},
    {"cases that count",
     "case 0: f(0); break;\ncase 1: f(1); break;\ncase 2: f(2); break;\ncase 3: f(3); break;\n"
     "case 4: f(4); break;\ncase 5: f(5); break;\ncase 6: f(6); break;\ncase 7: f(7); break;\n"
     "case 8: f(8); break;\ncase 9: f(9); break;\n",
     NULL},
    {"cases over lines",
     "case A:\n    return \"a\";\ncase B:\n    return \"b\";\ncase C:\n    return \"c\";\n"
     "case D:\n    return \"d\";\ncase E:\n    return \"e\";\ncase F:\n    return \"f\";\n",
     NULL},
    {"enumerators",
     "KEY_0 = 0,\nKEY_1 = 1,\nKEY_2 = 2,\nKEY_3 = 3,\nKEY_4 = 4,\nKEY_5 = 5,\nKEY_6 = 6,\n"
     "KEY_7 = 7,\nKEY_8 = 8,\nKEY_9 = 9,\n",
     NULL},
    {"enumerators without values", "RED,\nGREEN,\nBLUE,\nCYAN,\nMAGENTA,\nYELLOW,\nBLACK,\n", NULL},
    {"definitions",
     "#define K_F1 K(KT_FN,0)\n#define K_F2 K(KT_FN,1)\n#define K_F3 K(KT_FN,2)\n"
     "#define K_F4 K(KT_FN,3)\n#define K_F5 K(KT_FN,4)\n#define K_F6 K(KT_FN,5)\n"
     "#define K_F7 K(KT_FN,6)\n#define K_F8 K(KT_FN,7)\n#define K_F9 K(KT_FN,8)\n",
     NULL},
    {"fields",
     "CARD32 pad1;\nCARD32 pad2;\nCARD32 pad3;\nCARD32 pad4;\nCARD32 pad5;\nCARD32 pad6;\n"
     "CARD32 pad7;\nCARD32 pad8;\nCARD32 pad9;\n",
     NULL},
    {"fields of one type",
     "long rdi;\nlong rsi;\nlong rdx;\nlong rcx;\nlong rax;\nlong rbx;\nlong rbp;\n", NULL},
    {"imports", "import os\nimport re\nimport sys\nimport json\nimport time\nimport types\n", NULL},
    {"imports of one module",
     "from .ast import Node\nfrom .ast import Leaf\nfrom .ast import Tree\nfrom .ast import Walk\n"
     "from .ast import Name\nfrom .ast import Call\n",
     NULL},
    {"exports",
     "export * from \"./a.js\";\nexport * from \"./b.js\";\nexport * from \"./c.js\";\n"
     "export * from \"./d.js\";\nexport * from \"./e.js\";\nexport * from \"./f.js\";\n",
     NULL},
    {"declarations",
     "extern int pkcs7_main(int argc, char *argv[]);\nextern int pkcs8_main(int argc, char "
     "*argv[]);\n"
     "extern int pkey_main(int argc, char *argv[]);\nextern int prime_main(int argc, char "
     "*argv[]);\n"
     "extern int rand_main(int argc, char *argv[]);\nextern int spkac_main(int argc, char "
     "*argv[]);\n",
     NULL},
    {"layers of a model",
     "self.conv1 = conv(3, 64)\nself.conv2 = conv(64, 64)\nself.conv3 = conv(64, 128)\n"
     "self.conv4 = conv(128, 128)\nself.conv5 = conv(128, 256)\nself.conv6 = conv(256, 256)\n"
     "self.conv7 = conv(256, 512)\nself.conv8 = conv(512, 512)\nself.fc1 = linear(512, 10)\n",
     NULL},
    {"a few that count", "a1 = f(1)\na2 = f(2)\na3 = f(3)\na4 = f(4)\nreturn a1 + a2 + a3 + a4\n",
     NULL},
    {"members that are freed",
     "free(x->name);\nfree(x->path);\nfree(x->text);\nfree(x->line);\nfree(x->word);\nfree(x);\n",
     NULL},
    {"getters",
     "@property\ndef a(self):\n    return self._a\n\n@property\ndef b(self):\n    return "
     "self._b\n\n"
     "@property\ndef c(self):\n    return self._c\n\n@property\ndef d(self):\n    return "
     "self._d\n\n",
     NULL},
    {"tests",
     "assert f(1) == 1\nassert f(2) == 2\nassert f(3) == 6\nassert f(4) == 24\nassert f(5) == "
     "120\n",
     NULL},
    {"options",
     "<option value=\"1\">1</option>\n<option value=\"2\">2</option>\n"
     "<option value=\"3\">3</option>\n<option value=\"4\">4</option>\n"
     "<option value=\"5\">5</option>\n<option value=\"6\">6</option>\n"
     "<option value=\"7\">7</option>\n<option value=\"8\">8</option>\n",
     NULL},
    {"a document's items", "- [ ] one\n- [ ] two\n- [ ] three\n- [ ] four\n- [ ] five\n- [ ] six\n",
     NULL},
    {"a matrix", "{1, 0, 0, 0},\n{0, 1, 0, 0},\n{0, 0, 1, 0},\n{0, 0, 0, 1},\n", NULL},
    {"products", "m[0] * v[0] + m[1] * v[1] + m[2] * v[2] + m[3] * v[3] + m[4] * v[4];\n", NULL},
};

static void check(const struct repetition_case *given)
{
    const size_t bytes = strlen(given->text);
    const size_t wanted = given->kept ? strlen(given->kept) : bytes;
    const size_t start = repetition_start(given->text, bytes);

    if (start != wanted)
        fail_msg("%s: kept \"%.*s\"", given->name, (int)start, given->text);
}

static void circle_is_left_where_it_begins_anew(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(circles); i++)
        check(&circles[i]);
}

static void code_that_resembles_itself_survives(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(code); i++)
        check(&code[i]);
}

/* A text is looked at while it grows: nothing may be found that is not there in the end. */
static void growing_text_is_cut_once_and_for_all(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(circles) + COUNT(code); i++) {
        const struct repetition_case *given =
            i < COUNT(circles) ? &circles[i] : &code[i - COUNT(circles)];
        const size_t whole = strlen(given->text), wanted = repetition_start(given->text, whole);
        for (size_t bytes = 0; bytes < whole; bytes++) {
            const size_t start = repetition_start(given->text, bytes);
            if (start != bytes && start != wanted)
                fail_msg("%s: %zu bytes of %zu are cut at %zu, in the end at %zu", given->name,
                         bytes, whole, start, wanted);
        }
    }
}

/* Beyond what is looked at nothing is found, and nothing breaks. */
static void long_text_is_looked_at_in_part(void **state)
{
    enum { LINES = 4096 };
    char *text = malloc(LINES * 16 + 1), *at = text;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < LINES; i++)
        at += sprintf(at, "%d-%d\n", i * i, i);
    assert_int_equal(repetition_start(text, (size_t)(at - text)), at - text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circle_is_left_where_it_begins_anew),
        cmocka_unit_test(code_that_resembles_itself_survives),
        cmocka_unit_test(growing_text_is_cut_once_and_for_all),
        cmocka_unit_test(long_text_is_looked_at_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
