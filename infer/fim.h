/* Fill-in-the-middle prompts in Qwen2.5-Coder's file-level form.
 *
 *     <|fim_prefix|> text before the cursor's line <|fim_suffix|> text after the cursor <|fim_middle|> beginning of the line
 *
 * The beginning of the cursor's line stands after the middle marker, where the model continues it: typing at a line's end
 * then only appends tokens, and everything before keeps its place in the cache. Each part is tokenized alone and as plain
 * text: marker strings in a buffer are not markers. Form and ids: Qwen2.5-Coder technical report, arXiv 2409.12186.
 */
#ifndef INFER_FIM_H
#define INFER_FIM_H

#include "infer/tokenizer.h"

struct fim_markers {
    int32_t prefix, suffix, middle;
};

enum { FIM_MIN_BUDGET = 8 };

/* False where the tokenizer has no such markers: the model cannot fill. */
bool fim_markers_find(struct fim_markers *markers, const struct tokenizer *tokenizer);

/* Appends to `out` the prompt for a cursor between `prefix` and `suffix`, at most `budget_tokens` long. What does not fit is
 * cut at line starts, farthest from the cursor first, in steps that keep the beginning of the prompt in place while the user
 * types; a cursor line longer than half the budget loses its beginning. An empty suffix becomes one line end: models otherwise
 * run on to the end of the file. The budget is at least FIM_MIN_BUDGET. False on exhausted memory. */
bool fim_encode(const struct tokenizer *tokenizer, const struct fim_markers *markers,
                const char *prefix, size_t prefix_bytes, const char *suffix, size_t suffix_bytes,
                size_t budget_tokens, struct token_list *out, struct error *error);

#endif
