/* What a model is asked to write besides completions: an explanation, a doc comment, code from an instruction, a correction, a
 * test.
 *
 * An instruct model is asked in words. A base model, which only knows how files go on, is asked by filling gaps: what explains
 * a definition is the doc comment that would stand with it, what an instruction means is what would stand below such a
 * comment. For corrections and tests there is no such gap, so these need an instruct model.
 *
 * A writing is a value that owns all it needs: made on the loop's thread, run on the one that owns the engine, freed by
 * whoever has it last.
 */
#ifndef LSP_ERRAND_WRITING_H
#define LSP_ERRAND_WRITING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "infer/engine.h"
#include "lsp/completion/given.h"
#include "lsp/errand/subject.h"

enum writing_kind {
    WRITING_EXPLAIN,  /* gives sentences */
    WRITING_DOCUMENT, /* a doc comment: whole lines */
    WRITING_GENERATE, /* code: lines without the last line end */
    WRITING_FIX,      /* the body anew, likewise */
    WRITING_TEST,     /* code, likewise */
    WRITING_KINDS,
};

struct writing {
    enum writing_kind kind;
    const struct language *language; /* NULL: plain text */
    struct subject subject;          /* all but WRITING_GENERATE */

    /* WRITING_GENERATE: around the place; masked like those of a subject. */
    char *before, *after, *indent;
    char *
        instruction; /* what is to be written, or what is wrong; NULL for the comment that `before` ends with */
    int max_tokens;

    struct given given; /* by whom it is run: the prompt */
};

void writing_finish(struct writing *writing);

/* NULL where a model can write it, else why not, as a sentence for the user. */
const char *writing_refusal(enum writing_kind kind, bool has_chat, const struct language *language);

/* What a growing text shows: all of what the result would be if it ended here; valid for the call. */
typedef void (*writing_progress)(void *user, const char *text, size_t bytes);

/* Writes; *text is the caller's, "" where the model had nothing to say. `cancel` and `progress` may be NULL. */
bool writing_run(struct writing *writing, struct engine *engine, const atomic_bool *cancel,
                 writing_progress progress, void *user, char **text, struct error *error);

#endif
