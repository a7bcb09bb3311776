/* An index holds what it should, and is built again from what has changed alone. */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lsp/context/index.h"
#include "tests/support/scratch.h"

static struct index *build(const struct index *before)
{
    static const atomic_bool no;
    const char *folders[] = {scratch_root};

    const struct index_source source = {.folders = folders, .count = 1, .rules = "*.gen.c\n"};
    struct index *index = index_build(before, &source, &no);
    assert_non_null(index);
    return index;
}

static size_t count_of(const struct index *index, const char *name)
{
    return index_find(index, name, strlen(name), NULL, 0);
}

static void index_holds_what_is_not_hidden(void **state)
{
    static const char *const folders[] = {".hidden", "node_modules", "out", ".ssh", "sub"};
    static const struct {
        const char *file;
        size_t count; /* of definitions found under its name */
    } cases[] = {
        {"plain.c", 1},       {"sub/deeper.c", 1},  {"out/ignored.c", 0},
        {"named.gen.c", 0},   {".hidden/dot.c", 0}, {"node_modules/theirs.c", 0},
        {".ssh/secret.c", 0}, {"id_rsa.c", 0},      {"text.txt", 0},
        {"sub/kept.o.c", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(path_in(scratch_root, folders[i]), 0700), 0);
    scratch_write(".gitignore", "/out/\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        snprintf(text, sizeof text, "int name_%zu(void);\n", i);
        scratch_write(cases[i].file, text);
    }
    assert_int_equal(symlink(path_in(scratch_root, "plain.c"), path_in(scratch_root, "link.c")), 0);
    assert_int_equal(symlink(scratch_root, path_in(scratch_root, "sub/loop")), 0);

    struct index *index = build(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32];
        snprintf(name, sizeof name, "name_%zu", i);
        if (count_of(index, name) != cases[i].count)
            fail_msg("%s", cases[i].file);
    }
    index_destroy(index);
}

static void index_reads_again_only_what_changed(void **state)
{
    struct index_counts counts;
    const struct definition *found[4];

    (void)state;
    scratch_write("a.c", "int shared(void);\nint a_only(void);\n");
    scratch_write("b.c", "int shared(int b);\n");
    struct index *first = build(NULL);
    index_count(first, &counts);
    assert_int_equal(counts.read, counts.files);
    assert_false(index_is_unchanged(first));
    assert_int_equal(index_find(first, "shared", 6, found, 4), 2);
    assert_string_equal(found[0]->path, path_in(scratch_root, "a.c")); /* by path */
    assert_string_equal(found[1]->text, "int shared(int b);\n");
    assert_int_equal(index_find(first, "shared", 6, found, 1), 2);
    assert_int_equal(count_of(first, "share"), 0);

    struct index *second = build(first);
    index_count(second, &counts);
    assert_int_equal(counts.read, 0);
    assert_true(index_is_unchanged(second));
    index_destroy(first); /* what they shared lives on */
    assert_int_equal(count_of(second, "shared"), 2);

    scratch_write("b.c", "int other(int b);\n\n");
    unlink(path_in(scratch_root, "a.c"));
    struct index *third = build(second);
    index_destroy(second);
    index_count(third, &counts);
    assert_int_equal(counts.read, 1);
    assert_false(index_is_unchanged(third));
    assert_int_equal(count_of(third, "shared"), 0);
    assert_int_equal(count_of(third, "other"), 1);
    index_destroy(third);
}

/* Writes a file of `bytes` bytes: a definition, then `filler` over and over. */
static void write_filled(const char *name, const char *definition, char filler, size_t bytes)
{
    FILE *file = fopen(path_in(scratch_root, name), "w");

    assert_non_null(file);
    fputs(definition, file);
    for (size_t i = strlen(definition); i < bytes; i++)
        fputc(filler && i % 80 == 0 ? '\n' : filler, file);
    fclose(file);
}

static void index_passes_over_what_cannot_be_read(void **state)
{
    const bool reads_all = geteuid() == 0; /* then no file is closed to us */

    (void)state;
    write_filled("fits.c", "int fits(void);\n", ' ', DEFINITIONS_FILE_BYTES);
    write_filled("large.c", "int large(void);\n", ' ', DEFINITIONS_FILE_BYTES + 1);
    write_filled("binary.c", "int binary(void);\n", '\0', 4096);
    scratch_write("empty.c", "");
    scratch_write("closed.c", "int closed(void);\n");
    scratch_make_folder("closed");
    scratch_write("closed/inside.c", "int inside(void);\n");
    assert_int_equal(chmod(path_in(scratch_root, "closed.c"), 0), 0);
    assert_int_equal(chmod(path_in(scratch_root, "closed"), 0), 0);
    assert_int_equal(mkfifo(path_in(scratch_root, "pipe.c"), 0600), 0);
    assert_int_equal(symlink("nowhere.c", path_in(scratch_root, "broken.c")), 0);
    assert_int_equal(symlink("itself", path_in(scratch_root, "itself")), 0);

    scratch_make_folder("piped");
    assert_int_equal(mkfifo(path_in(scratch_root, "piped/.gitignore"), 0600), 0);
    scratch_write("piped/beside.c", "int beside(void);\n");

    struct index *index = build(NULL);
    assert_int_equal(count_of(index, "fits"), 1);
    assert_int_equal(count_of(index, "beside"), 1);
    assert_int_equal(count_of(index, "large"), 0);
    assert_int_equal(count_of(index, "binary"), 0);
    assert_int_equal(count_of(index, "closed"), reads_all);
    assert_int_equal(count_of(index, "inside"), reads_all);
    index_destroy(index);
    assert_int_equal(chmod(path_in(scratch_root, "closed"), 0700), 0);
}

static void index_follows_a_file_that_is_renamed(void **state)
{
    const struct definition *found[1];

    (void)state;
    scratch_write("old.c", "int renamed(void);\n");
    struct index *first = build(NULL);
    assert_int_equal(rename(path_in(scratch_root, "old.c"), path_in(scratch_root, "new.c")), 0);
    struct index *second = build(first);
    assert_false(index_is_unchanged(second));
    assert_int_equal(index_find(second, "renamed", 7, found, 1), 1);
    assert_string_equal(found[0]->path, path_in(scratch_root, "new.c"));
    index_destroy(first);
    index_destroy(second);
}

/* What is deleted while folders are looked through: names are found that lead nowhere any more. */
static void definitions_of_a_vanished_file_are_none(void **state)
{
    struct definitions *definitions = definitions_read(path_in(scratch_root, "vanished.c"));

    (void)state;
    assert_non_null(definitions);
    assert_int_equal(definitions->count, 0);
    definitions_destroy(definitions);
}

/* Names of files say in which place they come, with the user in a/b. */
static void index_that_is_full_holds_what_is_near(void **state)
{
    static const char *const files[] = {"a/b/0.c", "a/b/1.c", "a/2.c",     "a/c/3.c",
                                        "d/4.c",   "d/e/5.c", "a/b/6.lua", "7.lua"};
    enum { FILES = sizeof files / sizeof *files };
    static const atomic_bool no;
    static const char *const made[] = {"wide",     "wide/a", "wide/a/b",
                                       "wide/a/c", "wide/d", "wide/d/e"};
    char root[SCRATCH_PATH_BYTES + 8], open_file[SCRATCH_PATH_BYTES + 32];
    const char *folders[] = {root}, *near[] = {open_file};

    (void)state;
    snprintf(root, sizeof root, "%s/wide", scratch_root);
    snprintf(open_file, sizeof open_file, "%s/a/b/9.c", root);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        scratch_make_folder(made[i]);
    for (int i = FILES - 1; i >= 0; i--) {
        char path[64], text[64];
        snprintf(path, sizeof path, "wide/%s", files[i]);
        snprintf(text, sizeof text, i < 6 ? "int place_%d(void);\n" : "function place_%d() end\n",
                 i);
        scratch_write(path, text);
        const struct timespec times[] = {{1000 - i, 0}, {1000 - i, 0}};
        assert_int_equal(utimensat(AT_FDCWD, path_in(scratch_root, path), times, 0), 0);
    }
    for (size_t limit = 1; limit <= FILES; limit++) {
        const struct index_source source = {folders, 1, "", near, 1, limit};
        struct index *index = index_build(NULL, &source, &no);
        assert_non_null(index);
        assert_int_equal(index_is_full(index), limit < FILES);
        for (size_t i = 0; i < FILES; i++) {
            char name[32];
            snprintf(name, sizeof name, "place_%zu", i);
            if (count_of(index, name) != (i < limit))
                fail_msg("%s of %zu", files[i], limit);
        }
        index_destroy(index);
    }
}

/* Editors may name a folder and another one in it. */
static void index_of_a_folder_in_another_one_holds_its_files_once(void **state)
{
    static const atomic_bool no;
    const char *folders[] = {scratch_root, path_in(scratch_root, "nested")};
    const struct index_source source = {.folders = folders, .count = 2, .rules = ""};

    (void)state;
    scratch_make_folder("nested");
    scratch_write("nested/once.c", "int once(void);\n");
    struct index *first = index_build(NULL, &source, &no);
    struct index *second = index_build(first, &source, &no);
    assert_int_equal(count_of(first, "once"), 1);
    assert_int_equal(count_of(second, "once"), 1);
    assert_true(index_is_unchanged(second));
    index_destroy(first);
    index_destroy(second);
}

static void index_build_can_be_cancelled(void **state)
{
    const atomic_bool yes = true;
    const char *folders[] = {scratch_root};
    struct index *before = build(NULL);

    (void)state;
    assert_null(index_build(
        before, &(struct index_source){.folders = folders, .count = 1, .rules = ""}, &yes));
    assert_int_equal(count_of(before, "name_0"), 1);
    index_destroy(before);
}

static void index_of_what_is_not_there_is_empty(void **state)
{
    static const atomic_bool no;
    const char *folders[] = {path_in(scratch_root, "nowhere")};
    struct index *index =
        index_build(NULL, &(struct index_source){.folders = folders, .count = 1, .rules = ""}, &no);

    (void)state;
    assert_non_null(index);
    assert_int_equal(count_of(index, "name_0"), 0);
    index_destroy(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_holds_what_is_not_hidden),
        cmocka_unit_test(index_reads_again_only_what_changed),
        cmocka_unit_test(index_passes_over_what_cannot_be_read),
        cmocka_unit_test(index_follows_a_file_that_is_renamed),
        cmocka_unit_test(definitions_of_a_vanished_file_are_none),
        cmocka_unit_test(index_that_is_full_holds_what_is_near),
        cmocka_unit_test(index_of_a_folder_in_another_one_holds_its_files_once),
        cmocka_unit_test(index_build_can_be_cancelled),
        cmocka_unit_test(index_of_what_is_not_there_is_empty),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
