/* Runs a fuzz target on every file of its corpus, without libFuzzer: replay FOLDER.
 *
 * Each seed is given as it is, cut short at evenly spread places, and with single bits turned, so that even a build
 * without a fuzzer looks a little beyond the corpus, always in the same way. Inputs are copied into memory of exactly their
 * size, for the sanitizer to see the first byte read too far.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum {
    SEED_MAX_BYTES = 1 << 20,
    CUTS = 48,  /* shortened copies of a seed */
    TURNS = 96, /* copies of a seed with one bit turned */
};

static size_t inputs;

static void run_copy(const uint8_t *seed, size_t size, size_t turned_bit)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    fuzz_check(copy != NULL, "there is memory for an input");
    memcpy(copy, seed, size);
    if (turned_bit / 8 < size)
        copy[turned_bit / 8] ^= (uint8_t)(1u << turned_bit % 8);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
}

static void run_seed(const uint8_t *seed, size_t size)
{
    const size_t whole = SIZE_MAX; /* no bit turned */

    run_copy(seed, size, whole);
    for (size_t i = 0; i < CUTS && i < size; i++)
        run_copy(seed, size < CUTS ? i : i * size / CUTS, whole);

    /* The step is odd, so every bit of a byte gets its turn. */
    const size_t bits = size * 8, step = bits / TURNS | 1;
    for (size_t bit = 0; bit < bits; bit += step)
        run_copy(seed, size, bit);
}

static void run_file(const char *path)
{
    static uint8_t seed[SEED_MAX_BYTES];
    FILE *in = fopen(path, "rb");

    fuzz_check(in != NULL, path);
    const size_t size = fread(seed, 1, sizeof seed, in);
    fuzz_check(!ferror(in) && feof(in), path);
    fclose(in);
    run_seed(seed, size);
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    size_t seeds = 0;

    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER (a corpus)\n", argv[0]);
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        run_file(path);
        seeds++;
    }
    closedir(folder);
    printf("%zu seeds, %zu inputs\n", seeds, inputs);
    return seeds > 0 ? 0 : 1;
}
