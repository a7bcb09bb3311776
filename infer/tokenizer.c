/* How: invalid UTF-8 is repaired, added tokens (where asked for) cut the text into sections, each section is composed and
 * split, each piece is merged. Most text is valid and composed already: then nothing is copied on the way.
 *
 * Decoding holds back at most the three bytes of an unfinished code point, so a stream of tokens can be shown as it comes.
 */
#include "infer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "infer/tokenizer/bpe.h"
#include "infer/tokenizer/split.h"
#include "infer/tokenizer/tokenizer_json.h"
#include "infer/tokenizer/vocabulary.h"
#include "infer/utf8.h"

struct tokenizer {
    struct tokenizer_parts parts;
};

/* One call of tokenizer_encode. */
struct encoding {
    const struct tokenizer *tokenizer;
    struct bpe_scratch scratch;
    struct token_list *out;
    struct error *error;
};

struct tokenizer *tokenizer_open(const char *path, struct error *error)
{
    struct tokenizer *tokenizer = malloc(sizeof *tokenizer);
    if (!tokenizer) {
        error_set(error, ERROR_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    if (!tokenizer_json_read(path, &tokenizer->parts, error)) {
        free(tokenizer);
        return NULL;
    }
    return tokenizer;
}

void tokenizer_close(struct tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    tokenizer_parts_finish(&tokenizer->parts);
    free(tokenizer);
}

int32_t tokenizer_size(const struct tokenizer *tokenizer)
{
    return vocabulary_size(tokenizer->parts.vocabulary);
}

int32_t tokenizer_special(const struct tokenizer *tokenizer, const char *text)
{
    const size_t bytes = strlen(text);
    size_t matched = 0;
    const int32_t id = vocabulary_match(tokenizer->parts.vocabulary, text, bytes, &matched);
    return id >= 0 && matched == bytes ? id : -1;
}

bool tokenizer_is_special(const struct tokenizer *tokenizer, int32_t id)
{
    return vocabulary_is_added(tokenizer->parts.vocabulary, id);
}

const char *tokenizer_token_text(const struct tokenizer *tokenizer, int32_t id, size_t *bytes)
{
    return vocabulary_text(tokenizer->parts.vocabulary, id, bytes);
}

static bool fail_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory while tokenizing");
}

/* A split_visit. */
static bool encode_piece(void *user, const char *piece, size_t bytes)
{
    struct encoding *encoding = user;
    return bpe_encode(encoding->tokenizer->parts.bpe, &encoding->scratch, piece, bytes,
                      encoding->out) ||
           fail_memory(encoding->error);
}

/* Encodes valid text in which nothing is special. */
static bool encode_section(struct encoding *encoding, const char *text, size_t bytes)
{
    const struct tokenizer_parts *parts = &encoding->tokenizer->parts;
    char *composed = NULL;
    if (parts->compose && !utf8_is_composed(text, bytes)) {
        composed = utf8_compose(text, bytes, &bytes);
        if (!composed)
            return fail_memory(encoding->error);
        text = composed;
    }
    const bool ok = split_each(parts->split, text, bytes, encode_piece, encoding, encoding->error);
    free(composed);
    return ok;
}

/* Encodes valid text whose added tokens are special: the leftmost first, and of several there the longest. */
static bool encode_special(struct encoding *encoding, const char *text, size_t bytes)
{
    size_t start = 0;
    for (size_t at = 0; at < bytes;) {
        size_t matched = 0;
        const int32_t id = vocabulary_match(encoding->tokenizer->parts.vocabulary, text + at,
                                            bytes - at, &matched);
        if (id < 0) {
            at++;
            continue;
        }
        if (!encode_section(encoding, text + start, at - start))
            return false;
        if (!token_list_append(encoding->out, &id, 1))
            return fail_memory(encoding->error);
        at += matched;
        start = at;
    }
    return encode_section(encoding, text + start, bytes - start);
}

bool tokenizer_encode(const struct tokenizer *tokenizer, const char *text, size_t bytes,
                      bool special, struct token_list *out, struct error *error)
{
    struct encoding encoding = {.tokenizer = tokenizer, .out = out, .error = error};
    const size_t before = out->count;
    char *repaired = NULL;
    bool ok = false;

    if (bytes == 0)
        return true;
    if (bytes > TOKENIZER_TEXT_MAX_BYTES)
        return error_set(error, ERROR_LIMIT, "text of more than %d bytes cannot be tokenized",
                         TOKENIZER_TEXT_MAX_BYTES);
    if (!utf8_is_valid(text, bytes)) {
        repaired = utf8_repair(text, bytes, &bytes);
        if (!repaired)
            return fail_memory(error);
        text = repaired;
    }
    ok = special ? encode_special(&encoding, text, bytes) : encode_section(&encoding, text, bytes);

    /* all or nothing */
    if (!ok)
        out->count = before;
    bpe_scratch_finish(&encoding.scratch);
    free(repaired);
    return ok;
}

/* A split_visit: keeps the length of the latest piece. */
static bool measure_piece(void *user, const char *piece, size_t bytes)
{
    (void)piece;
    *(size_t *)user = bytes;
    return true;
}

/* Whether encoding repairs or composes a text before it splits it; a text that cannot be composed counts as changed. */
static bool changes(const struct tokenizer_parts *parts, const char *text, size_t bytes)
{
    size_t composed_bytes;

    if (!utf8_is_valid(text, bytes))
        return true;
    if (!parts->compose || utf8_is_composed(text, bytes))
        return false;
    char *composed = utf8_compose(text, bytes, &composed_bytes);
    const bool same = composed && composed_bytes == bytes && memcmp(composed, text, bytes) == 0;
    free(composed);
    return !same;
}

size_t tokenizer_settled_bytes(const struct tokenizer *tokenizer, const char *text, size_t bytes)
{
    const struct tokenizer_parts *parts = &tokenizer->parts;
    struct error error = {0};
    size_t last = 0;

    if (bytes == 0 || changes(parts, text, bytes) ||
        !split_each(parts->split, text, bytes, measure_piece, &last, &error))
        return bytes;
    const bool is_space = strchr(" \t", text[bytes - 1]) != NULL && text[bytes - 1] != '\0';
    return bytes - (is_space ? 1 : last);
}

/* Adds one byte to those held back; writes what became certain and returns its length. */
static size_t decoder_push_byte(struct decoder *decoder, char byte, char *out)
{
    size_t written = 0;
    decoder->pending[decoder->pending_bytes++] = byte;
    int step;
    while ((step = utf8_step(decoder->pending, decoder->pending_bytes)) != 0) {
        const size_t used = step > 0 ? (size_t)step : (size_t)-step;
        const size_t bytes = step > 0 ? used : UTF8_REPLACEMENT_BYTES;
        memcpy(out + written, step > 0 ? decoder->pending : UTF8_REPLACEMENT, bytes);
        written += bytes;
        decoder->pending_bytes -= used;
        memmove(decoder->pending, decoder->pending + used, decoder->pending_bytes);
    }
    return written;
}

size_t decoder_push_end(struct decoder *decoder, const struct tokenizer *tokenizer, int32_t id,
                        size_t skipped, char *out)
{
    size_t bytes, written = 0;
    const char *text = tokenizer_token_text(tokenizer, id, &bytes);
    for (size_t i = skipped; i < bytes; i++)
        written += decoder_push_byte(decoder, text[i], out + written);
    return written;
}

size_t decoder_push(struct decoder *decoder, const struct tokenizer *tokenizer, int32_t id,
                    char *out)
{
    return decoder_push_end(decoder, tokenizer, id, 0, out);
}

size_t decoder_flush(struct decoder *decoder, char *out)
{
    if (decoder->pending_bytes == 0)
        return 0;
    decoder->pending_bytes = 0;
    memcpy(out, UTF8_REPLACEMENT, UTF8_REPLACEMENT_BYTES);
    return UTF8_REPLACEMENT_BYTES;
}
