/* Without memory a prompt cannot be shown, which harms no request: that is no failure. */
#include "lsp/completion/given.h"

#include <stdlib.h>
#include <string.h>

void given_keep(struct given *given, const char *text, size_t bytes,
                const struct prompt_counts *counts)
{
    given_finish(given);
    given->text = malloc(bytes + 1);
    if (given->text) {
        memcpy(given->text, text, bytes);
        given->text[bytes] = '\0';
    }
    given->bytes = bytes;
    given->counts = *counts;
    given->tokens = given->reused = -1;
}

void given_read(struct given *given, const struct engine_result *result)
{
    given->tokens = result->prompt_tokens;
    given->reused = result->reused_tokens;
}

void given_finish(struct given *given)
{
    free(given->text);
    *given = (struct given){0};
}
