/* Folders are looked through when they are asked for, off the loop's thread, and can be given up at any moment. */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lsp/context/workspace.h"
#include "tests/support/scratch.h"

/* Lets the loop run until the index is another one. */
static void await_generation(uv_loop_t *loop, struct workspace *workspace, uint64_t generation)
{
    while (workspace_generation(workspace) == generation) {
        workspace_index(workspace);
        uv_run(loop, UV_RUN_ONCE);
    }
}

static void finish(uv_loop_t *loop, struct workspace *workspace)
{
    workspace_destroy(workspace);
    uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void index_is_begun_when_asked_for_and_renewed_when_touched(void **state)
{
    struct index_counts counts;
    uv_loop_t loop;

    (void)state;
    scratch_write("a.c", "int first(void);\n");
    uv_loop_init(&loop);
    struct workspace *workspace = workspace_create(&loop);
    assert_true(workspace_add(workspace, scratch_root));
    workspace_touch(workspace);
    workspace_count(workspace, &counts);
    assert_int_equal(counts.files, 0);
    assert_false(uv_run(&loop, UV_RUN_NOWAIT)); /* nobody has asked: nothing to do */

    assert_null(workspace_index(workspace));
    await_generation(&loop, workspace, 0);
    index_count(workspace_index(workspace), &counts);
    assert_int_equal(counts.definitions, 1);

    scratch_write("b.c", "int second(void);\nint third(void);\n");
    workspace_touch(workspace);
    assert_false(uv_run(&loop, UV_RUN_NOWAIT)); /* news alone costs nothing */
    await_generation(&loop, workspace, 1);
    index_count(workspace_index(workspace), &counts);
    assert_int_equal(counts.definitions, 3);
    assert_int_equal(counts.read, 1);

    /* the user's own patterns hold at once, and so do the old ones when they come back */
    assert_true(workspace_set_rules(workspace, "a.*\n"));
    assert_int_equal(workspace_generation(workspace), 3);
    assert_null(workspace_index(workspace));
    assert_true(workspace_set_rules(workspace, ""));
    assert_non_null(workspace_index(workspace));
    assert_true(workspace_set_rules(workspace, "a.*\n"));
    await_generation(&loop, workspace, 5);
    index_count(workspace_index(workspace), &counts);
    assert_int_equal(counts.definitions, 2);
    assert_int_equal(counts.read, 0);
    assert_true(workspace_hides(workspace, path_in(scratch_root, "a.c")));
    assert_false(workspace_hides(workspace, path_in(scratch_root, "b.c")));
    finish(&loop, workspace);
}

static void write_old(const char *name, const char *text)
{
    static const struct timespec times[] = {{1000, 0}, {1000, 0}};

    scratch_write(name, text);
    assert_int_equal(utimensat(AT_FDCWD, path_in(scratch_root, name), times, 0), 0);
}

static size_t count_of(struct workspace *workspace, const char *name)
{
    return index_find(workspace_index(workspace), name, strlen(name), NULL, 0);
}

/* Where there are more files than an index holds, the newest are in it, and then those near a file that is opened. */
static void index_that_is_full_is_renewed_for_a_file_that_is_opened(void **state)
{
    char name[64];
    uv_loop_t loop;

    (void)state;
    scratch_make_folder("many");
    scratch_make_folder("few");
    write_old("few/old.c", "int near_one(void);\n");
    uv_loop_init(&loop);
    struct workspace *workspace = workspace_create(&loop);
    assert_true(workspace_add(workspace, scratch_root));
    workspace_index(workspace);
    await_generation(&loop, workspace, 0);

    /* one that has room is not renewed */
    workspace_add_near(workspace, path_in(scratch_root, "few/opened.c"));
    workspace_index(workspace);
    assert_false(uv_run(&loop, UV_RUN_NOWAIT));
    workspace_clear_near(workspace);

    for (int i = 0; i < INDEX_FILES_MAX; i++) {
        snprintf(name, sizeof name, "many/%d.h", i);
        scratch_write(name, "");
    }
    workspace_touch(workspace);
    await_generation(&loop, workspace, 1);
    assert_int_equal(count_of(workspace, "near_one"), 0);
    workspace_add_near(workspace, path_in(scratch_root, "few/opened.h"));
    workspace_index(workspace);
    assert_true(uv_run(&loop, UV_RUN_NOWAIT));
    await_generation(&loop, workspace, 2);
    assert_int_equal(count_of(workspace, "near_one"), 1);
    finish(&loop, workspace);
}

static void workspace_is_given_up_while_it_is_looked_through(void **state)
{
    uv_loop_t loop;

    (void)state;
    for (int turns = 0; turns < 4; turns++) {
        uv_loop_init(&loop);
        struct workspace *workspace = workspace_create(&loop);
        workspace_add(workspace, scratch_root);
        workspace_index(workspace);
        for (int i = 0; i < turns; i++)
            uv_run(&loop, UV_RUN_ONCE);
        finish(&loop, workspace);
    }
}

static void paths_are_shown_below_their_folder(void **state)
{
    char folder[80], inside[128], beside[128];
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    struct workspace *workspace = workspace_create(&loop);
    snprintf(folder, sizeof folder, "%s/", scratch_root);
    assert_true(workspace_add(workspace, folder));
    assert_false(workspace_add(workspace, scratch_root)); /* the same */
    assert_false(workspace_add(workspace, "/"));
    assert_false(workspace_add(workspace, "/no/such/folder"));
    assert_false(workspace_add(workspace, "relative"));

    snprintf(inside, sizeof inside, "%s/sub/a.c", scratch_root);
    snprintf(beside, sizeof beside, "%s2/sub/a.c", scratch_root);
    assert_string_equal(workspace_relative(workspace, inside), "sub/a.c");
    assert_string_equal(workspace_relative(workspace, beside), "a.c");
    assert_string_equal(workspace_name(workspace, inside), strrchr(scratch_root, '/') + 1);
    assert_string_equal(workspace_name(workspace, beside), "");
    workspace_remove(workspace, scratch_root);
    assert_string_equal(workspace_relative(workspace, inside), "a.c");
    finish(&loop, workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_is_begun_when_asked_for_and_renewed_when_touched),
        cmocka_unit_test(workspace_is_given_up_while_it_is_looked_through),
        cmocka_unit_test(paths_are_shown_below_their_folder),
        cmocka_unit_test(index_that_is_full_is_renewed_for_a_file_that_is_opened),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
