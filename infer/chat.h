/* Prompts in ChatML, the form in which Qwen2.5's instruct models were trained to follow instructions:
 *
 *     <|im_start|>system\n SYSTEM <|im_end|>\n<|im_start|>user\n USER <|im_end|>\n<|im_start|>assistant\n REPLY
 *
 * without the blanks around the texts; the first message is left out where there is none, and REPLY is how the answer begins,
 * usually empty. The answer ends in the marker that ends a message. What stands between two markers is tokenized as one piece
 * of plain text: marker strings in a buffer are not markers. Form and ids: Qwen2.5-Coder technical report, arXiv 2409.12186,
 * and what `transformers` makes of the chat template that these checkpoints carry.
 */
#ifndef INFER_CHAT_H
#define INFER_CHAT_H

#include "infer/config.h"
#include "infer/prompt.h"
#include "infer/tokenizer.h"

struct chat_markers {
    int32_t start, end;
};

enum { CHAT_MIN_BUDGET = 32 };

/* Whether the checkpoint in `directory` is an instruct model that speaks ChatML; then finds its markers.
 *
 * The rule: the tokenizer has both markers, and <|im_end|> ends a text, by eos_token_id of generation_config.json or, without
 * that, of config.json. The chat template tells nothing: Qwen's base models carry it too, but end at <|endoftext|> alone. */
bool chat_markers_find(struct chat_markers *markers, const struct tokenizer *tokenizer,
                       const struct config *config, const char *directory);

/* Appends to `out` the prompt for an instruction, at most `budget_tokens` long, at least CHAT_MIN_BUDGET: what does not fit is
 * cut from the end of the user's message, at a line end where there is one. An error when the system's message and the
 * reply's beginning alone do not fit, and on exhausted memory. */
bool chat_encode(const struct tokenizer *tokenizer, const struct chat_markers *markers,
                 const struct prompt_chat *chat, size_t budget_tokens, struct token_list *out,
                 struct error *error);

#endif
