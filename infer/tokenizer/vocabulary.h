/* Tokens by id: their bytes, and which of them were added on top of the merges.
 *
 * Private to the infer room. Byte-level vocabularies spell each byte as one printable character (GPT-2's alphabet); that
 * spelling ends here, everyone else sees bytes. Immutable once created; any thread may read it.
 */
#ifndef INFER_TOKENIZER_VOCABULARY_H
#define INFER_TOKENIZER_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vocabulary;

/* Copies `texts` [size], indexed by id, NULL where an id is unused. Where `is_added` [size], a text is literal; elsewhere it
 * is spelled in the byte alphabet (or, with a character outside it, literal too). NULL when memory is exhausted. */
struct vocabulary *vocabulary_create(const char *const *texts, const bool *is_added, int32_t size);
void vocabulary_destroy(struct vocabulary *vocabulary);

int32_t vocabulary_size(const struct vocabulary *vocabulary);

/* Bytes of a token, NUL-terminated too, valid while the vocabulary lives; "" and 0 for an id that is not used. */
const char *vocabulary_text(const struct vocabulary *vocabulary, int32_t id, size_t *bytes);

bool vocabulary_is_added(const struct vocabulary *vocabulary, int32_t id);

/* The longest added token that `text` begins with, its length in *matched; -1 where there is none. */
int32_t vocabulary_match(const struct vocabulary *vocabulary, const char *text, size_t bytes,
                         size_t *matched);

enum { VOCABULARY_SPELLING_BYTES = 3 };

/* How the alphabet spells a byte, NUL-terminated. */
void vocabulary_spell(unsigned char byte, char spelling[VOCABULARY_SPELLING_BYTES]);

#endif
