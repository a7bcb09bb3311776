/* Reads a Hugging Face tokenizer.json into the parts a tokenizer works with.
 *
 * Private to the infer room. Whoever reads owns the parts. What would change ids and is not understood is refused;
 * `truncation`, `padding` and `post_processor` are not applied: cutting, filling and framing are the caller's.
 */
#ifndef INFER_TOKENIZER_TOKENIZER_JSON_H
#define INFER_TOKENIZER_TOKENIZER_JSON_H

#include <stdbool.h>

#include "infer/error.h"
#include "infer/tokenizer/bpe.h"
#include "infer/tokenizer/split.h"
#include "infer/tokenizer/vocabulary.h"

enum {
    TOKENIZER_IDS_MAX = 1 << 21,
    TOKENIZER_MERGES_MAX = 1 << 21,
    TOKENIZER_ADDED_MAX = 4096,
    TOKENIZER_TOKEN_MAX_BYTES = 4096, /* of one token as the file spells it */
};

struct tokenizer_parts {
    struct vocabulary *vocabulary;
    struct bpe *bpe;
    struct split *split;
    bool compose; /* Unicode NFC first */
};

/* False, and no parts, with an error that names the file and what in it is wrong or not supported. */
bool tokenizer_json_read(const char *path, struct tokenizer_parts *parts, struct error *error);
void tokenizer_parts_finish(struct tokenizer_parts *parts);

#endif
