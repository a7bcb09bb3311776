/* Byte-level BPE tokenizer, read from a Hugging Face tokenizer.json (Qwen2 family).
 *
 * Text goes through what the file asks for: Unicode NFC, the split expression, byte-level alphabet, ranked merges. Invalid
 * UTF-8 is replaced by U+FFFD as Python's bytes.decode("utf-8", "replace") does. Ids equal those of Hugging Face
 * `tokenizers` (without its post-processor: nothing is put around the text), but for code points that are newer than the
 * Unicode tables of the installed PCRE2 and utf8proc. Hidden: those two, the merge tables.
 *
 * A tokenizer is immutable once open and may be used by several threads. Whoever opens it closes it.
 */
#ifndef INFER_TOKENIZER_H
#define INFER_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"
#include "infer/token_list.h"

struct tokenizer;

/* Opens `path` (a tokenizer.json). NULL with an error that names the file and what in it is wrong or not supported. */
struct tokenizer *tokenizer_open(const char *path, struct error *error);
void tokenizer_close(struct tokenizer *tokenizer);

/* Highest id plus one, added tokens included. Models may have more (padded) rows. */
int32_t tokenizer_size(const struct tokenizer *tokenizer);

/* Id of an added token such as "<|fim_prefix|>", or -1. */
int32_t tokenizer_special(const struct tokenizer *tokenizer, const char *text);

/* Whether `id` is an added token, whose text a reader should not see. */
bool tokenizer_is_special(const struct tokenizer *tokenizer, int32_t id);

/* Bytes of one token (not necessarily valid UTF-8), valid while the tokenizer is open; *bytes is 0 and the result "" for
 * an unknown id. Added tokens give their literal text. */
const char *tokenizer_token_text(const struct tokenizer *tokenizer, int32_t id, size_t *bytes);

enum { TOKENIZER_TEXT_MAX_BYTES = 256 << 20 };

/* Appends the ids of `text` to `out`. With `special` the literal text of added tokens becomes their id, as in Hugging
 * Face; without, it is split like any other text. Fails, leaving `out` as it was, on exhausted memory, on text above
 * TOKENIZER_TEXT_MAX_BYTES, and when the file's split expression backtracks without end. */
bool tokenizer_encode(const struct tokenizer *tokenizer, const char *text, size_t bytes,
                      bool special, struct token_list *out, struct error *error);

/* How many bytes at the beginning of a text become the same tokens whatever is written behind it: all but the last piece of the
 * split expression, of white space all but the last byte, since that joins the word to come. All of a text that encoding would
 * change (invalid, not composed) or that cannot be split. */
size_t tokenizer_settled_bytes(const struct tokenizer *tokenizer, const char *text, size_t bytes);

/* Decodes a stream of tokens without ever giving out half a code point. */
struct decoder {
    char pending[4]; /* the beginning of a code point whose end has not come */
    size_t pending_bytes;
};

enum { DECODER_EXTRA_BYTES = 16 };

/* Writes what can now be given out and returns its length. `out` needs room for the token's bytes times three plus
 * DECODER_EXTRA_BYTES: bytes that can never become valid UTF-8 turn into U+FFFD. */
size_t decoder_push(struct decoder *decoder, const struct tokenizer *tokenizer, int32_t id,
                    char *out);

/* As decoder_push, of a token without its first `skipped` bytes. */
size_t decoder_push_end(struct decoder *decoder, const struct tokenizer *tokenizer, int32_t id,
                        size_t skipped, char *out);

/* What is left at the end: nothing, or one U+FFFD for an unfinished code point. */
size_t decoder_flush(struct decoder *decoder, char *out);

#endif
