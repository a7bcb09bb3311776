/* The texts that could stand at the cursor: what the model writes for a context, trimmed, checked and ranked.
 *
 * The first text is written greedily, further ones are sampled with fixed seeds, so the same context gives the same texts; all
 * share a prompt, which the engine computes once. Generation stops as soon as more cannot help. Accepting a text never makes
 * the parser report more errors than before; what would is cut shorter, or left out. Where one line opens a block in which
 * nothing stands, the block is written too. Texts that leave the fewest errors come first, among equals the more probable.
 *
 * Runs on the thread that owns the engine. A `struct candidates` owns its texts until `candidates_finish`.
 */
#ifndef LSP_COMPLETION_CANDIDATES_H
#define LSP_COMPLETION_CANDIDATES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "infer/engine.h"
#include "lsp/completion/given.h"
#include "lsp/context.h"
#include "lsp/relay.h"

enum { CANDIDATES_MAX = 8 };

/* What is known of a text. */
struct candidate {
    size_t
        replaced_bytes; /* of what follows the cursor on its line: closers that the text writes again */
    size_t errors;      /* that the parser sees once it is accepted, never more than before */
    float confidence;  /* geometric mean of the probabilities of its first line's tokens, 0..1 */
    float probability; /* that what will be written begins like its first line, 0..1 */
};

struct candidates_request {
    int wanted;     /* texts, 1..CANDIDATES_MAX */
    int max_tokens; /* of each */
    int budget_ms; /* for each, from its beginning on; what is complete by then is what there is; 0: none */
    float min_probability;     /* what is less probable is not relayed; all is given in the end */
    const atomic_bool *cancel; /* may be NULL */
    struct relay
        *relay; /* given what the model has said of the first text so far, untrimmed; may be NULL */
};

struct candidates {
    char *texts
        [CANDIDATES_MAX]; /* [count] to insert; none empty, each NUL-terminated with '\n' line ends */
    struct candidate facts[CANDIDATES_MAX]; /* [count] */
    size_t count;

    struct given given; /* the prompt, which is the same for all of them */

    /* Totals of the engine's runs; the times are those of the first one. */
    int prompt_tokens, reused_tokens, completion_tokens, drafted_tokens, accepted_tokens;
    double first_token_ms, total_ms;
    enum engine_stop stop;
};

/* Generates; nothing where there is only white space, which tells a model nothing. On failure, and when cancelled, the
 * candidates hold what was there until then and must be finished all the same. */
bool candidates_generate(struct candidates *candidates, struct engine *engine,
                         const struct context *context, const struct candidates_request *request,
                         struct error *error);

void candidates_finish(struct candidates *candidates);

#endif
