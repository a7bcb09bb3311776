/* Where a completion belongs, and whether a cursor still stands there or has only moved along its text.
 *
 * A completion makes a document out of what stands before the cursor, its text, and what stands behind. Wherever a user has
 * since typed the beginning of that text (and an editor perhaps closed a bracket that the text ends with), what is still
 * missing makes the same document. That is the one rule by which completions are served again, and by which a cursor is said
 * to follow a completion that is still being written.
 *
 * A place is a small value: a hash of all that a context holds before the cursor, and copies of what lies nearest. Contexts
 * are borrowed for the call. Any thread.
 */
#ifndef LSP_COMPLETION_PLACE_H
#define LSP_COMPLETION_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsp/context.h"

enum {
    PLACE_BEFORE_BYTES = 512, /* compared as they are; what lies farther from the cursor by hash */
    PLACE_AFTER_BYTES = 2048, /* compared as they are; what lies farther is not looked at */
    PLACE_TYPED_BYTES = 4096, /* a cursor that has moved farther has left the place */
    PLACE_CLOSED_BYTES = 8,
};

struct place {
    uint64_t document; /* of its URI */
    uint64_t hash;     /* of `before_bytes` before the cursor */
    size_t before_bytes, after_bytes;
    size_t near_before_bytes, near_after_bytes;
    char near_before[PLACE_BEFORE_BYTES], near_after[PLACE_AFTER_BYTES];
};

void place_init(struct place *place, const char *uri, const struct context *context);

bool place_equals(const struct place *left, const struct place *right);

/* A cursor, prepared for being compared with many places. */
struct place_cursor {
    uint64_t document;
    const struct context *context;          /* borrowed */
    uint64_t hashes[PLACE_TYPED_BYTES + 1]; /* of all before the cursor but the last i bytes */
};

void place_cursor_init(struct place_cursor *cursor, const char *uri, const struct context *context);

/* What has changed around the cursor since it left a place; borrowed from the cursor's context. */
struct place_step {
    const char *typed; /* [typed_bytes] before the cursor */
    size_t typed_bytes;
    const char *closed; /* [closed_bytes] behind it: brackets and quotes that an editor closed */
    size_t closed_bytes;
    size_t
        passed_bytes; /* of brackets and quotes that stood behind the cursor, and were typed over */
};

/* Whether a cursor stands at a place or has moved on from it, by typing alone. */
bool place_step(const struct place *place, const struct place_cursor *cursor,
                struct place_step *step);

/* A completion: bytes to be inserted in the place of the first `replaced_bytes` behind the cursor, which are closers. */
struct place_text {
    const char *text;
    size_t bytes;
    size_t replaced_bytes;
    float probability; /* that it is right */
};

/* What of a completion is still missing after a step, borrowed from it. False where it does not agree with what was typed. */
bool place_rest(const struct place_step *step, const struct place_text *whole,
                struct place_text *rest);

/* The same of a text that is still being written: it has not come to disagree. */
bool place_may_agree(const struct place_step *step, const char *text, size_t bytes);

#endif
