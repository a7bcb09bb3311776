/* Completions that have been computed, to be offered again wherever they still fit: after going back, after undo, and while
 * the user types what they say.
 *
 * Keeps the RECALL_ENTRIES used last. An entry is found by its place (text before and after the cursor, document), never by
 * position or version, so edits elsewhere do not spoil it, and an edit that changes what it was written for hides it until it
 * is undone. One conversation owns a recall; loop thread.
 */
#ifndef LSP_COMPLETION_RECALL_H
#define LSP_COMPLETION_RECALL_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/completion/candidates.h"
#include "lsp/completion/graft.h"
#include "lsp/completion/place.h"

enum { RECALL_ENTRIES = 128 };

struct recall;

/* NULL when memory is exhausted. */
struct recall *recall_create(void);
void recall_destroy(struct recall *recall);

/* Forgets everything. */
void recall_clear(struct recall *recall);

/* Keeps `candidates`, which are stolen and left empty, even when there are none of them: nothing to offer is an answer too.
 * `wanted` is how many were asked for; `is_foreseen` that nobody had asked yet. */
void recall_store(struct recall *recall, const struct place *place, struct candidates *candidates,
                  int wanted, bool is_foreseen);

/* Whether a completion for exactly this place is known. */
bool recall_has(const struct recall *recall, const struct place *place);

/* What is offered at a cursor. Texts are borrowed until the recall changes. */
struct recall_answer {
    struct place_text texts[CANDIDATES_MAX]; /* [count] */
    size_t count;
    bool was_foreseen; /* and is asked for now for the first time */
    bool has_moved;    /* the user has typed some of the text */
};

/* What a text must be to be known where the user has typed of it: it was judged where it was written, and things have changed.
 * Typing has made it more probable, so one less probable than `least` is to be judged anew. And with its beginning in the
 * document the parser may see fewer errors than before, so that it would bring some now; unless it leaves none at all. */
struct recall_terms {
    float least;
    const struct graft *graft; /* at the cursor; NULL: the parser is not asked */
};

/* False where nothing is known; an answer may hold no text. */
bool recall_find(struct recall *recall, const struct place_cursor *cursor, int wanted,
                 const struct recall_terms *terms, struct recall_answer *answer);

/* The same question about texts that are not kept: what of `candidates` is still missing after a step. False where none of
 * them agrees, or all of it has been typed. */
bool recall_rest(const struct candidates *candidates, const struct place_step *step,
                 const struct recall_terms *terms, struct recall_answer *answer);

#endif
