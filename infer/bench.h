/* How fast a checkpoint runs here, beside what the machine allows.
 *
 * Measures the session with random tokens, so checkpoints without a tokenizer serve too. Synchronous; prints nothing. Results
 * are plain values.
 */
#ifndef INFER_BENCH_H
#define INFER_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/engine.h"
#include "infer/error.h"
#include "infer/placement.h"

struct bench_options {
    const char *model; /* checkpoint directory */
    enum engine_device device;
    int64_t gpu_memory_bytes; /* of a GPU's memory at most; 0: what is free */
    int threads;              /* 0: one per processor */
    bool exact;
    int prompt_tokens; /* of a cold prompt */
    int decode_tokens; /* one by one after it */
    int runs;          /* figures are medians of so many */
};

enum {
    BENCH_VERIFIED = 8,
    BENCH_TYPING_PROMPT =
        2000, /* tokens before the keystrokes; fewer where the model takes no more */
    BENCH_KEYSTROKES = 10,
    BENCH_TYPED_ON = 16, /* tokens that are decoded after them, warm and cold */
};

struct bench_result {
    double load_ms;
    double prompt_tokens_per_second;
    double decode_tokens_per_second;
    double decode_bytes_per_second;         /* of weights */
    double read_bandwidth_bytes_per_second; /* of the device's memory, measured */
    double decode_share;                    /* of what memory delivered at that time */
    double peak_bytes_per_second; /* of that memory on paper: clock times width; 0: not known */
    /* Milliseconds to evaluate 1, 2, ... tokens at once after the prompt. */
    double verify_ms[BENCH_VERIFIED];
    /* Keystrokes at the end of a long prompt that is known: each changes the last token, every other one adds a token. */
    int typing_prompt_tokens;
    double keystroke_p50_ms, keystroke_max_ms; /* until the first token's logits are there */
    int keystroke_tokens_max;                  /* evaluated for one of them */
    bool
        typed_equals_cold; /* what is decoded then is what an engine decodes that knows nothing before */
    int64_t peak_rss_bytes;
    int64_t weight_bytes;
    int64_t device_bytes;                     /* of a GPU's memory that was taken */
    char device[PLACEMENT_NAME_BYTES];        /* "cpu", "cuda" */
    char hardware[PLACEMENT_NAME_BYTES];      /* the GPU's name; "" on the CPU */
    char device_reason[PLACEMENT_TEXT_BYTES]; /* why that device, as half a sentence */
    char isa[PLACEMENT_NAME_BYTES];           /* "avx512", "sm_86" */
    bool is_exact;
    int threads;
};

/* False with an error that names the file or the limit. */
bool bench_run(struct bench_result *result, const struct bench_options *options,
               struct error *error);

#endif
