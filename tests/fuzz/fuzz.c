/* Helpers of the targets. The folder for input files is made at first use and lives as long as the process. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/hxqd-fuzz-XXXXXX";
static char file[sizeof folder + 64]; /* the one that was written last, or "" */

void fuzz_check(bool holds, const char *claim)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: not so: %s\n", claim);
    abort();
}

static void remove_folder(void)
{
    unlink(file);
    rmdir(folder);
}

const char *fuzz_folder_with(const char *name, const uint8_t *data, size_t size)
{
    if (file[0] == '\0') {
        fuzz_check(mkdtemp(folder) != NULL, "a temporary folder can be made");
        atexit(remove_folder);
    }
    snprintf(file, sizeof file, "%s/%s", folder, name);

    FILE *out = fopen(file, "wb");
    fuzz_check(out != NULL, "the input file can be written");
    const size_t written = fwrite(data, 1, size, out);
    fuzz_check(fclose(out) == 0 && written == size, "the input file was written whole");
    return folder;
}
