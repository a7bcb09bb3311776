/* What commands and code actions do to a document: what the model is to write, and where that goes.
 *
 * A task is planned on the loop's thread from a place in a document; commands.c and actions.c both do so, errand.c carries it
 * out. A value; whoever has it finishes it.
 */
#ifndef LSP_ERRAND_TASK_H
#define LSP_ERRAND_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/errand/writing.h"

/* Tokens that may be written at most. */
enum {
    TASK_PROSE_TOKENS = 200,
    TASK_CODE_TOKENS = 512,
    TASK_FIX_TOKENS = 1024,
    TASK_FIX_LINES = 8, /* around what is wrong, where no definition is */
    TASK_INSTRUCTION_BYTES = 4096,
};

struct task {
    struct writing writing;
    struct span range; /* what the text replaces, bytes of the document; not for WRITING_EXPLAIN */
    const char *lead, *trail; /* static: stand around the text */
};

/* Plans a task for `range` of a document, usually empty: the cursor. `instruction` is what is wanted or wrong and may be NULL;
 * longer ones are cut. False with an error whose text is for the user. */
bool task_init(struct task *task, enum writing_kind kind, struct client *client,
               struct document *document, struct span range, const char *instruction,
               struct error *error);
void task_finish(struct task *task);

/* Whether one makes sense at `range`, by a look at the syntax: a definition that the model can explain, document or test, a
 * comment that asks for code. WRITING_FIX, which a diagnostic asks for, always does. Where it is about a definition, *symbol
 * becomes that. */
bool task_fits(enum writing_kind kind, const struct client *client, struct document *document,
               struct span range, struct symbol *symbol);

/* "explain", "document", "generate", "fix", "test". */
const char *task_name(enum writing_kind kind);

/* Back from it; WRITING_KINDS for what is none. NULL is accepted. */
enum writing_kind task_kind(const char *name);

#endif
