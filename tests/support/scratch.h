/* Folders that tests write in, below the system's temporary one. Asserts instead of failing: a test has no other use for it. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

enum { SCRATCH_PATH_BYTES = 64 };

/* Makes a fresh folder; scratch_remove removes it with all that is in it. */
void scratch_create(char path[SCRATCH_PATH_BYTES]);
void scratch_remove(const char *path);

/* "folder/name" in static storage, good until the next call but three. */
const char *path_in(const char *folder, const char *name);

/* The folder of the test that runs, for cmocka_unit_test_setup_teardown. */
extern char scratch_root[SCRATCH_PATH_BYTES];
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* Writes a file of that folder anew, by its name in it. */
void scratch_write(const char *name, const char *text);

/* Makes a folder in it. */
void scratch_make_folder(const char *name);

#endif
