/* What is ignored is what gitignore(5) says, on the way down from the folder with .git. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lsp/ignore.h"
#include "tests/support/checkpoint.h"

static char root[64];

static int setup(void **state)
{
    (void)state;
    scratch_create(root);
    return 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command) == 0 ? 0 : -1;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_in(root, name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(path_in(root, name), 0700), 0);
}

static void rules_of_one_file_decide_as_in_git(void **state)
{
    static const struct {
        const char *rules, *path;
        bool is_folder, is_ignored;
    } cases[] = {
        {"", "a", false, false},
        {"# a\n\n", "a", false, false},
        {"\\#a\n", "#a", false, true},
        {"\\!a\n", "!a", false, true},
        {"a\n", "x/y/a", false, true},
        {"/a\n", "x/a", false, false},
        {"/a\n", "a", false, true},
        {"x/a\n", "x/a", false, true},
        {"x/a\n", "y/x/a", false, false},
        {"a/\n", "a", false, false},
        {"a/\n", "x/a", true, true},
        {"*.c\n!keep.c\n", "drop.c", false, true},
        {"*.c\n!keep.c\n", "x/keep.c", false, false},
        {"!keep.c\n*.c\n", "keep.c", false, true},
        {"a  \n", "a", false, true},
        {"a\\ \n", "a ", false, true},
        {"a\r\n", "a", false, true},
        {"**/build/\n", "x/build", true, true},
        {"docs/**/*.txt\n", "docs/a/b/c.txt", false, true},
        {"docs/*.txt\n", "docs/a/c.txt", false, false},
        {"a", "a", false, true},
        {"/\n", "a", true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        snprintf(path, sizeof path, "/w/%s", cases[i].path);
        struct ignore *level = ignore_create(NULL, "/w", cases[i].rules, strlen(cases[i].rules));
        if (ignore_has(level, path, cases[i].is_folder) != cases[i].is_ignored)
            fail_msg("%s with %s", cases[i].rules, cases[i].path);
        assert_false(ignore_has(level, "/elsewhere/a", false));
        ignore_destroy(level);
    }
}

static void files_of_a_tree_are_ignored_as_in_git(void **state)
{
    static const struct {
        const char *path;
        bool is_ignored;
    } cases[] = {
        {"project/main.c", false},
        {"project/main.o", true},      /* the repository's .gitignore, one folder above the root */
        {"project/sub/main.o", false}, /* taken back by the folder's own */
        {"project/sub/sub.txt", true},
        {"project/out/kept.c", true}, /* nothing in an ignored folder can be taken back */
        {"project/mine.list", true},  /* .git/info/exclude */
        {"project/user.gen.c", true}, /* the user's list */
        {"project/sub/deep/a.c", false},
    };
    static const char listed[] = "*.gen.c\n";

    (void)state;
    make_folder(".git");
    make_folder(".git/info");
    make_folder("project");
    make_folder("project/sub");
    make_folder("project/sub/deep");
    make_folder("project/out");
    write_file(".git/info/exclude", "*.list\n");
    write_file(".gitignore", "*.o\n/project/out/\n");
    write_file("project/sub/.gitignore", "!*.o\n*.txt\n");
    write_file("project/out/.gitignore", "!kept.c\n");

    char folder[128];
    snprintf(folder, sizeof folder, "%s/project", root);
    struct ignore *users = ignore_create(NULL, folder, listed, strlen(listed));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ignore_covers(users, folder, path_in(root, cases[i].path)) != cases[i].is_ignored)
            fail_msg("%s", cases[i].path);
    ignore_destroy(users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_one_file_decide_as_in_git),
        cmocka_unit_test(files_of_a_tree_are_ignored_as_in_git),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
