/* What a model was given: a prompt as the engine tells it, kept for `hxqd.showPrompt`.
 *
 * Whoever has the job fills it; a value with one owner at a time. One that is all zero holds nothing and needs no freeing.
 */
#ifndef LSP_COMPLETION_GIVEN_H
#define LSP_COMPLETION_GIVEN_H

#include <stddef.h>

#include "infer/engine.h"

struct given {
    char *
        text; /* [bytes], NUL-terminated too; NULL when nothing was given, or there was no memory to keep it */
    size_t bytes;
    struct prompt_counts counts; /* tokens by part; all zero for an instruction */
    int tokens,
        reused; /* in all, and of these known already; -1 where the prompt was not read to its end */
};

/* Keeps a prompt in place of the one before, not yet read. */
void given_keep(struct given *given, const char *text, size_t bytes,
                const struct prompt_counts *counts);

/* It has been read: the numbers are known. */
void given_read(struct given *given, const struct engine_result *result);

void given_finish(struct given *given);

#endif
