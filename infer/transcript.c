/* Arrays grow by doubling. A decoder keeps back what is not a whole code point yet. */
#include "infer/transcript.h"

#include <stdlib.h>

enum { TRANSCRIPT_MIN_TOKENS = 16 };

static bool fail_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "not enough memory for the completion");
}

/* Makes room for `bytes` more bytes of text and its terminator. */
static bool reserve_text(struct transcript *transcript, size_t bytes)
{
    const size_t needed = transcript->bytes + bytes + 1;

    if (needed <= transcript->text_capacity)
        return true;
    char *grown = realloc(transcript->text, 2 * needed);
    if (!grown)
        return false;
    transcript->text = grown;
    transcript->text_capacity = 2 * needed;
    return true;
}

/* Makes room for one more token. */
static bool reserve_token(struct transcript *transcript)
{
    if (transcript->count < transcript->capacity)
        return true;

    const size_t capacity = 2 * (size_t)transcript->count + TRANSCRIPT_MIN_TOKENS;
    float *numbers = realloc(transcript->log_probabilities, capacity * sizeof *numbers);
    if (numbers)
        transcript->log_probabilities = numbers;
    size_t *ends = realloc(transcript->ends, capacity * sizeof *ends);
    if (ends)
        transcript->ends = ends;
    if (!numbers || !ends)
        return false;
    transcript->capacity = (int)capacity;
    return true;
}

bool transcript_init(struct transcript *transcript, const struct tokenizer *tokenizer,
                     struct error *error)
{
    *transcript = (struct transcript){.tokenizer = tokenizer};
    if (!reserve_text(transcript, DECODER_EXTRA_BYTES))
        return fail_memory(error);
    transcript->text[0] = '\0';
    return true;
}

void transcript_finish(struct transcript *transcript)
{
    free(transcript->text);
    free(transcript->log_probabilities);
    free(transcript->ends);
    *transcript = (struct transcript){0};
}

bool transcript_add(struct transcript *transcript, int32_t id, size_t skipped,
                    float log_probability, struct error *error)
{
    size_t bytes;

    tokenizer_token_text(transcript->tokenizer, id, &bytes);
    if (!reserve_token(transcript) || !reserve_text(transcript, 3 * bytes + DECODER_EXTRA_BYTES))
        return fail_memory(error);
    transcript->bytes += decoder_push_end(&transcript->decoder, transcript->tokenizer, id, skipped,
                                          transcript->text + transcript->bytes);
    transcript->text[transcript->bytes] = '\0';
    transcript->log_probabilities[transcript->count] = log_probability;
    transcript->ends[transcript->count++] = transcript->bytes;
    return true;
}

bool transcript_end(struct transcript *transcript, struct error *error)
{
    if (!reserve_text(transcript, DECODER_EXTRA_BYTES))
        return fail_memory(error);
    transcript->bytes += decoder_flush(&transcript->decoder, transcript->text + transcript->bytes);
    transcript->text[transcript->bytes] = '\0';
    return true;
}

bool transcript_text(const struct tokenizer *tokenizer, const int32_t *ids, size_t count,
                     char **text, size_t *bytes, struct error *error)
{
    struct transcript transcript;
    bool ok = transcript_init(&transcript, tokenizer, error);

    for (size_t i = 0; i < count && ok; i++) {
        size_t token_bytes;
        tokenizer_token_text(tokenizer, ids[i], &token_bytes);
        ok = token_bytes > 0
                 ? transcript_add(&transcript, ids[i], 0, 0.0f, error)
                 : error_set(error, ERROR_INPUT, "token %d is not in the vocabulary", (int)ids[i]);
    }
    ok = ok && transcript_end(&transcript, error);

    /* the text is the caller's now */
    if (ok) {
        *text = transcript.text;
        *bytes = transcript.bytes;
        transcript.text = NULL;
    }
    transcript_finish(&transcript);
    return ok;
}
