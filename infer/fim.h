/* Fill-in-the-middle prompts in Qwen2.5-Coder's two forms.
 *
 * File level:
 *
 *     <|fim_prefix|> text before the cursor's line <|fim_suffix|> text after the cursor <|fim_middle|> beginning of the line
 *
 * Repository level, where pieces of other files are shown and the model knows the markers; one blank after each marker here
 * that the prompt has not:
 *
 *     <|repo_name|> name \n  { <|file_sep|> path \n text \n }...  <|file_sep|> path \n  and the file-level form
 *
 * The beginning of the cursor's line stands after the middle marker, where the model continues it: typing at a line's end
 * then only appends tokens, and everything before keeps its place in the cache. What stands between two markers is tokenized
 * as one piece of plain text: marker strings in a buffer or in a path are not markers. Forms and ids: Qwen2.5-Coder technical
 * report, arXiv 2409.12186, and the examples of its repository, which put no space behind a path.
 */
#ifndef INFER_FIM_H
#define INFER_FIM_H

#include "infer/prompt.h"
#include "infer/tokenizer.h"

struct fim_markers {
    int32_t prefix, suffix, middle;
    int32_t repository,
        file; /* -1 where the tokenizer lacks one of the two: other files cannot be shown */
};

enum { FIM_MIN_BUDGET = 8 };

/* The text around a cursor. */
struct fim_text {
    const char *prefix;
    size_t prefix_bytes;
    const char *suffix;
    size_t suffix_bytes;
};

/* False where the tokenizer has no markers of the file-level form: the model cannot fill. */
bool fim_markers_find(struct fim_markers *markers, const struct tokenizer *tokenizer);

/* Appends to `out` the prompt for a cursor between prefix and suffix, at most `budget_tokens` long, and counts its parts. What
 * does not fit is cut at line starts, farthest from the cursor first, in steps that keep the beginning of the prompt in place
 * while the user types; a cursor line longer than half the budget loses its beginning. An empty suffix becomes one line end:
 * models otherwise run on to the end of the file. The budget is at least FIM_MIN_BUDGET.
 *
 * `shown` may be NULL. What it shows takes its own budget and at most half of the whole, whatever the text around the cursor:
 * files are taken in order, the first one that does not fit is cut at a line end, and the ones after it are left out; a file
 * of which no line fits is left out too, and without any file the form is the file-level one. False on exhausted memory. */
bool fim_encode(const struct tokenizer *tokenizer, const struct fim_markers *markers,
                const struct fim_text *text, const struct prompt_shown *shown, size_t budget_tokens,
                struct token_list *out, struct prompt_counts *counts, struct error *error);

#endif
