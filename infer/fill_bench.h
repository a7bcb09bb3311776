/* What drafts are worth: fill-in-the-middle problems solved without them and with them, side by side.
 *
 * Both ways write the same texts (that is counted, too); the second takes fewer passes over the weights. Synchronous; prints
 * nothing. Results are plain values.
 */
#ifndef INFER_FILL_BENCH_H
#define INFER_FILL_BENCH_H

#include <stdbool.h>

#include "infer/engine.h"
#include "infer/error.h"

enum { FILL_BENCH_TOKENS = 64 }; /* of one completion at most */

struct fill_bench {
    int problems;
    int same;     /* of them, written alike both ways */
    int tokens;   /* written without drafts */
    int drafted;  /* tokens guessed and evaluated */
    int accepted; /* of them, right */
    double plain_ms,
        drafted_ms; /* for the tokens behind the first of each completion; the median run */
};

/* Solves the problems of a file, one JSON object with "prefix" and "suffix" to a line, `runs` times each way. The options'
 * `draft_tokens` says how long drafts may be. False with an error that names the file and line, or what the engine lacks. */
bool fill_bench_run(struct fill_bench *result, const struct engine_options *options,
                    const char *path, int runs, struct error *error);

#endif
