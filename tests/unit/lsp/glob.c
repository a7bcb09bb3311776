/* Patterns fit what gitignore(5) says they fit. */
#include "tests/support/test.h"

#include <string.h>

#include "lsp/context/glob.h"

static void pattern_fits_as_documented(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool fits;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"*.o", "main.o", true},
        {"*.o", "main.obj", false},
        {"*.o", "dir/main.o", false},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXcYbZ", false},
        {"?", "/", false},
        {"a?c", "abc", true},
        {"[a-c]x", "bx", true},
        {"[!a-c]x", "bx", false},
        {"[^a-c]x", "dx", true},
        {"[]x]", "]", true},
        {"[a", "a", false},
        {"[\\]]", "]", true},
        {"[!a]", "/", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"**/foo", "foo", true},
        {"**/foo", "a/b/foo", true},
        {"**/foo", "a/xfoo", false},
        {"foo/**", "foo/a/b", true},
        {"foo/**", "foo", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "a/xb", false},
        {"a/*/b", "a/x/y/b", false},
        {"**/*.min.js", "lib/x.min.js", true},
        {"**/a*/**/*.c", "x/ab/y/z/m.c", true},
        {"**/a*/**/*.c", "x/ba/y/z/m.c", false},
        {"**", "a/b", true},
        {"a/***/b", "a/x/y/b", true},
        {"a**/b", "ax/b", true},
        {"a**/b", "a/x/b", false},
        {"a**b", "a/b", false},
        {"**a", "x/a", false},
        {"**/a/**", "x/a/y/z", true},
        {"**/a/**", "x/a", false},
        {"[[:digit:]x]", "7", true},
        {"[[:digit:]x]", "x", true},
        {"[![:digit:]]", "7", false},
        {"[[:alpha:]-]", "-", true},
        {"[[:none:]]", "n", false},
        {"[[:]", ":", true},
        {"[a-\\c]", "b", true},
        {"[a-]", "-", true},
        {"\\", "\\", false},
        {"a\\", "a", false},
        {"*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_fits(cases[i].pattern, strlen(cases[i].pattern), cases[i].path) != cases[i].fits)
            fail_msg("%s with %s", cases[i].pattern, cases[i].path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pattern_fits_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
