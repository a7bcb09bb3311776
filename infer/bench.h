/* How fast a checkpoint runs here, beside what the machine allows.
 *
 * Measures the session with random tokens, so checkpoints without a tokenizer serve too. Synchronous; prints nothing. Results
 * are plain values, the strings in them constant.
 */
#ifndef INFER_BENCH_H
#define INFER_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/error.h"

struct bench_options {
    const char *model; /* checkpoint directory */
    int threads;       /* 0: one per processor */
    bool exact;
    int prompt_tokens; /* of a cold prompt */
    int decode_tokens; /* one by one after it */
    int runs;          /* figures are medians of so many */
};

enum { BENCH_VERIFIED = 8 };

struct bench_result {
    double load_ms;
    double prompt_tokens_per_second;
    double decode_tokens_per_second;
    double decode_bytes_per_second;         /* of weights */
    double read_bandwidth_bytes_per_second; /* of the machine, same threads */
    /* Milliseconds to evaluate 1, 2, ... tokens at once after the prompt. */
    double verify_ms[BENCH_VERIFIED];
    int64_t peak_rss_bytes;
    int64_t weight_bytes;
    const char *device, *isa; /* "cpu", "avx512" */
    bool is_exact;
    int threads;
};

/* False with an error that names the file or the limit. */
bool bench_run(struct bench_result *result, const struct bench_options *options,
               struct error *error);

#endif
