/* URIs become the paths that they stand for. */
#include "tests/support/test.h"

#include <stdlib.h>

#include "lsp/protocol/uri.h"

static void uri_gives_its_path(void **state)
{
    static const struct {
        const char *uri, *path; /* NULL: refused */
    } cases[] = {
        {"file:///a/b.c", "/a/b.c"},
        {"file:/a/b.c", "/a/b.c"},
        {"file://localhost/a/b.c", "/a/b.c"},
        {"file:///a%20b/%C3%BC%2eenv", "/a b/ü.env"},
        {"file:///a%2", "/a%2"},
        {"file:///100%zz", "/100%zz"},
        {"file:///a%00b", NULL},
        {"untitled:Untitled-1", "Untitled-1"},
        {"vscode-remote://ssh/a/.env", "/a/.env"},
        {"/a/100%25", "/a/100%25"},
        {"file://", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = uri_path(cases[i].uri);
        if (cases[i].path)
            assert_string_equal(path, cases[i].path);
        else
            assert_null(path);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uri_gives_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
