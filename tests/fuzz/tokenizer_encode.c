/* Text through the embedded tokenizer: any bytes can be encoded, and decoding gives the text back, repaired and composed.
 *
 * Input: one byte whose lowest bit says whether special tokens are special, then the text.
 */
#include <stdlib.h>
#include <string.h>

#include "infer/tokenizer.h"
#include "infer/utf8.h"
#include "tests/fuzz/fuzz.h"

static const struct tokenizer *embedded_tokenizer(void)
{
    static struct tokenizer *tokenizer; /* kept for the life of the process */
    struct error error = {0};

    if (tokenizer == NULL)
        tokenizer = tokenizer_open("infer/default_model/tokenizer.json", &error);
    fuzz_check(tokenizer != NULL, error.text);
    return tokenizer;
}

/* The text of ids, in memory of the caller; what the decoder promises to need per token is what it gets. */
static char *decode(const struct tokenizer *tokenizer, const struct token_list *list, size_t *bytes)
{
    struct decoder decoder = {0};
    size_t capacity = DECODER_EXTRA_BYTES;

    for (size_t i = 0; i < list->count; i++) {
        size_t token_bytes;
        tokenizer_token_text(tokenizer, list->ids[i], &token_bytes);
        capacity += token_bytes * 3 + DECODER_EXTRA_BYTES;
    }
    char *text = malloc(capacity);
    fuzz_check(text != NULL, "there is memory for the text");
    *bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        *bytes += decoder_push(&decoder, tokenizer, list->ids[i], text + *bytes);
        fuzz_check(utf8_is_valid(text, *bytes), "no half code point is given out");
    }
    *bytes += decoder_flush(&decoder, text + *bytes);
    return text;
}

/* What a tokenizer is expected to keep of `text`. */
static char *normalize(const char *text, size_t size, size_t *bytes)
{
    size_t repaired_bytes;
    char *repaired = utf8_repair(text, size, &repaired_bytes);
    char *composed = repaired ? utf8_compose(repaired, repaired_bytes, bytes) : NULL;

    fuzz_check(composed != NULL, "there is memory for the text");
    free(repaired);
    return composed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tokenizer *tokenizer = embedded_tokenizer();
    struct token_list list = {0};

    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    const bool special = data[0] & 1;
    fuzz_check(tokenizer_encode(tokenizer, text, size - 1, special, &list, NULL),
               "any text can be encoded");
    for (size_t i = 0; i < list.count; i++) {
        fuzz_check(list.ids[i] >= 0 && list.ids[i] < tokenizer_size(tokenizer), "an id exists");
        fuzz_check(special || !tokenizer_is_special(tokenizer, list.ids[i]),
                   "plain text holds no special token");
    }

    /* Special tokens split the text before it is composed, so only plain text is the same as a whole. */
    size_t decoded_bytes, expected_bytes;
    char *decoded = decode(tokenizer, &list, &decoded_bytes);
    char *expected = normalize(text, size - 1, &expected_bytes);
    fuzz_check(special || (decoded_bytes == expected_bytes &&
                           memcmp(decoded, expected, expected_bytes) == 0),
               "decoding gives the text back");
    free(expected);
    free(decoded);
    token_list_finish(&list);
    return 0;
}
