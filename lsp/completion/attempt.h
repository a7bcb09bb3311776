/* One text that could stand at the cursor: from what a model writes there to what a user is shown of it.
 *
 * While it grows it is asked whether more can help; where its first line, all that was asked for, opens a block in which
 * nothing stands, the block belongs to it. In the end it is trimmed, and cut until accepting it makes the parser see no more
 * errors than before; in the middle of a line, until no shorter text would leave fewer.
 *
 * A value that begins with a context and a graft of it, which must outlive it, and zeros. One thread.
 */
#ifndef LSP_COMPLETION_ATTEMPT_H
#define LSP_COMPLETION_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "infer/engine.h"
#include "lsp/completion/graft.h"
#include "lsp/completion/trim.h"
#include "lsp/context.h"

struct attempt {
    const struct context *context;
    const struct graft *graft;

    /* A block that the text's first line opened, once it has: the context at that line's end. */
    bool has_block;
    struct context block;
    char *line;        /* as shown */
    size_t line_bytes; /* of the model's text */
};

void attempt_finish(struct attempt *attempt);

/* Whether a text that has grown so far should go on. */
bool attempt_goes_on(struct attempt *attempt, const char *text, size_t bytes);

/* Makes what is shown of a whole text, which has grown under attempt_goes_on; "" where nothing of it can stay. The caller frees
 * its text in any case; false when memory is exhausted. */
bool attempt_show(const struct attempt *attempt, const struct engine_result *result,
                  struct trimmed *trimmed);

/* What would be seen of a text that is still being written, with the block that its first line opened; not yet checked.
 * NUL-terminated, the caller's; NULL when there is nothing. Any thread. */
char *attempt_preview(const struct context *context, const char *text, size_t bytes);

#endif
