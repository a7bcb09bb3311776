/* What tokens come to as they are chosen: their text, and for each one its probability and where its text ends.
 *
 * Private to the infer room. The text is whole code points at any time. Whoever fills a transcript finishes it, or takes over
 * its arrays.
 */
#ifndef INFER_TRANSCRIPT_H
#define INFER_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"
#include "infer/tokenizer.h"

struct transcript {
    const struct tokenizer *tokenizer;
    char *text; /* [bytes], NUL-terminated too */
    size_t bytes;
    float *log_probabilities; /* [count] */
    size_t *ends;             /* [count] in `text` */
    int count;

    struct decoder decoder; /* the beginning of a code point */
    size_t text_capacity;
    int capacity; /* of the arrays */
};

/* An empty text. False with an error on exhausted memory, as everywhere here; finish it all the same. */
bool transcript_init(struct transcript *transcript, const struct tokenizer *tokenizer,
                     struct error *error);
void transcript_finish(struct transcript *transcript);

/* Adds a token, of whose text the first `skipped` bytes, perhaps all, are left out. */
bool transcript_add(struct transcript *transcript, int32_t id, size_t skipped,
                    float log_probability, struct error *error);

/* No more tokens come: ends an unfinished code point. */
bool transcript_end(struct transcript *transcript, struct error *error);

/* The text of `count` ids, NUL-terminated, owned by the caller. An id that is not in the vocabulary is an error too. */
bool transcript_text(const struct tokenizer *tokenizer, const int32_t *ids, size_t count,
                     char **text, size_t *bytes, struct error *error);

#endif
