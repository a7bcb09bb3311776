/* What the fuzz targets share.
 *
 * Each target is one file with one LLVMFuzzerTestOneInput, linked either with libFuzzer (preset `fuzz`) or with replay.c,
 * which runs its corpus in every ordinary test run. A target finds a fault by crashing: through a sanitizer, or through
 * fuzz_check where an answer is wrong rather than unsafe.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The name and shape that libFuzzer asks for; always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts with `claim` unless `holds`. */
void fuzz_check(bool holds, const char *claim);

/* Writes the input to a file of that name in a folder of this process, for parsers that read files; gives the folder. The
 * folder is removed at exit. */
const char *fuzz_folder_with(const char *name, const uint8_t *data, size_t size);

#endif
