/* What is ignored is what gitignore(5) says, on the way down from the folder with .git. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lsp/context/ignore.h"
#include "tests/support/scratch.h"

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
        {"a\t\n", "a", false, false}, /* a tab belongs to the name */
        {"a\t\n", "a\t", false, true},
        {"a\\\\ \n", "a\\", false, true}, /* the '\' protects a '\', and not the blank */
        {"a\\ b  \n", "a b", false, true},
        {"a\r", "a", false, true},
        {"a\r\r\n", "a", false, false},
        {"\xEF\xBB\xBF"
         "a\n",
         "a", false, true},
        {"a\n!\n", "a", false, true},
        {"x/**\n!x/a\n", "x/a", false, false},
        {"[[:upper:]]*\n", "Aa", false, true},
        {"a//\n", "a", true, false},
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
    scratch_make_folder(".git");
    scratch_make_folder(".git/info");
    scratch_make_folder("project");
    scratch_make_folder("project/sub");
    scratch_make_folder("project/sub/deep");
    scratch_make_folder("project/out");
    scratch_write(".git/info/exclude", "*.list\n");
    scratch_write(".gitignore", "*.o\n/project/out/\n");
    scratch_write("project/sub/.gitignore", "!*.o\n*.txt\n");
    scratch_write("project/out/.gitignore", "!kept.c\n");

    char folder[128];
    snprintf(folder, sizeof folder, "%s/project", scratch_root);
    struct ignore *users = ignore_create(NULL, folder, listed, strlen(listed));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (ignore_covers(users, folder, path_in(scratch_root, cases[i].path)) !=
            cases[i].is_ignored)
            fail_msg("%s", cases[i].path);
    ignore_destroy(users);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_one_file_decide_as_in_git),
        cmocka_unit_test(files_of_a_tree_are_ignored_as_in_git),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
