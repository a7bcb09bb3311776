/* The texts that could stand at the cursor: what the model writes for a context, trimmed and without duplicates.
 *
 * The first one is the most probable; further ones are sampled with fixed seeds, so the same context gives the same texts.
 * All share a prompt, which the engine computes once. Runs on the thread that owns the engine. A `struct candidates` owns
 * its texts until `candidates_finish`.
 */
#ifndef LSP_CANDIDATES_H
#define LSP_CANDIDATES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "infer/engine.h"
#include "lsp/context.h"
#include "lsp/relay.h"

enum { CANDIDATES_MAX = 8 };

struct candidates {
    char *texts[CANDIDATES_MAX]; /* [count], none empty, each NUL-terminated with '\n' line ends */
    size_t count;

    /* Totals of the engine's runs; the times are those of the first one. */
    int prompt_tokens, reused_tokens, completion_tokens, drafted_tokens, accepted_tokens;
    double first_token_ms, total_ms;
    enum engine_stop stop;
};

/* Generates up to `wanted` (1..CANDIDATES_MAX) texts of at most `max_tokens` each; none where there is only white space, which
 * tells a model nothing. While the first is written, `relay` is given what the model has said so far, untrimmed; it and
 * `cancel` may be NULL. On failure, and when cancelled, the candidates hold what was there until then and must be finished all
 * the same. */
bool candidates_generate(struct candidates *candidates, struct engine *engine,
                         const struct context *context, int wanted, int max_tokens,
                         const atomic_bool *cancel, struct relay *relay, struct error *error);
void candidates_finish(struct candidates *candidates);

#endif
