/* What is removed is removed from its leaves on, links as links. */
#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#undef NDEBUG /* the asserts are what this file does */
#include <assert.h>

enum { OPEN_FOLDERS = 16 };

char scratch_root[SCRATCH_PATH_BYTES];

const char *path_in(const char *folder, const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void scratch_create(char path[SCRATCH_PATH_BYTES])
{
    const char *parent = getenv("TMPDIR");

    snprintf(path, SCRATCH_PATH_BYTES, "%.40s/hxqd-test-XXXXXX", parent ? parent : "/tmp");
    assert(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void scratch_remove(const char *path)
{
    assert(nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0);
}

int scratch_setup(void **state)
{
    (void)state;
    scratch_create(scratch_root);
    return 0;
}

int scratch_teardown(void **state)
{
    (void)state;
    scratch_remove(scratch_root);
    return 0;
}

void scratch_write(const char *name, const char *text)
{
    FILE *file = fopen(path_in(scratch_root, name), "w");

    assert(file && fputs(text, file) >= 0);
    assert(fclose(file) == 0);
}

void scratch_make_folder(const char *name)
{
    assert(mkdir(path_in(scratch_root, name), 0700) == 0);
}
