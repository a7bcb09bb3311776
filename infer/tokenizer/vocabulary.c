/* How: all bytes lie in one block, in the order of ids, each token followed by a NUL. Added tokens are also kept sorted by
 * text, which makes the sorted list a trie: reading a text byte by byte narrows the range of tokens that begin like it,
 * and one that ends there comes first in its range.
 */
#include "infer/tokenizer/vocabulary.h"

#include <stdlib.h>
#include <string.h>

/* The alphabet has the code points of Latin-1's printable characters, and 256 onwards for the other 68 bytes. */
enum { ALPHABET_CODE_POINTS = 256 + 68 };

struct added {
    const char *text; /* in the block */
    size_t bytes;
    int32_t id;
};

struct vocabulary {
    char *block;
    uint32_t *starts; /* [size + 1] offsets in the block */
    bool *is_added;   /* [size] */
    int32_t size;
    struct added *added; /* [added_count], by text */
    size_t added_count;
};

static bool is_printable(int byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/* Fills the code point of every byte: bytes_to_unicode of GPT-2's encoder. */
static void alphabet_fill(int code_points[256])
{
    int next = 256;
    for (int byte = 0; byte < 256; byte++)
        code_points[byte] = is_printable(byte) ? byte : next++;
}

void vocabulary_spell(unsigned char byte, char spelling[VOCABULARY_SPELLING_BYTES])
{
    int code_points[256];
    alphabet_fill(code_points);
    const int code_point = code_points[byte];

    /* all are below U+0800 */
    size_t at = 0;
    if (code_point >= 0x80)
        spelling[at++] = (char)(0xC0 | code_point >> 6);
    spelling[at++] = (char)(code_point < 0x80 ? code_point : 0x80 | (code_point & 0x3F));
    spelling[at] = '\0';
}

/* Writes the bytes that `text` spells and returns their number; a text with a foreign character is copied as it is. */
static size_t unspell(const short bytes_of[ALPHABET_CODE_POINTS], const char *text, char *to)
{
    size_t count = 0;
    for (const char *at = text; *at;) {
        const unsigned char lead = (unsigned char)at[0];
        int code_point = lead < 0x80 ? lead : ALPHABET_CODE_POINTS;
        if (lead >= 0xC2 && lead < 0xE0)
            code_point = (lead & 0x1F) << 6 | (at[1] & 0x3F);
        if (code_point >= ALPHABET_CODE_POINTS || bytes_of[code_point] < 0) {
            count = strlen(text);
            memcpy(to, text, count);
            return count;
        }
        to[count++] = (char)bytes_of[code_point];
        at += lead < 0x80 ? 1 : 2;
    }
    return count;
}

/* Fills the block and the offsets. */
static void fill_block(struct vocabulary *vocabulary, const char *const *texts)
{
    int code_points[256];
    short bytes_of[ALPHABET_CODE_POINTS];
    alphabet_fill(code_points);
    for (int i = 0; i < ALPHABET_CODE_POINTS; i++)
        bytes_of[i] = -1;
    for (int byte = 0; byte < 256; byte++)
        bytes_of[code_points[byte]] = (short)byte;

    uint32_t at = 0;
    for (int32_t id = 0; id < vocabulary->size; id++) {
        char *to = vocabulary->block + at;
        size_t bytes = 0;
        vocabulary->starts[id] = at;
        if (texts[id] && vocabulary->is_added[id])
            memcpy(to, texts[id], bytes = strlen(texts[id]));
        else if (texts[id])
            bytes = unspell(bytes_of, texts[id], to);
        to[bytes] = '\0';
        at += (uint32_t)bytes + 1;
    }
    vocabulary->starts[vocabulary->size] = at;
}

static int compare_added(const void *a, const void *b)
{
    return strcmp(((const struct added *)a)->text, ((const struct added *)b)->text);
}

static void fill_added(struct vocabulary *vocabulary)
{
    size_t count = 0;
    for (int32_t id = 0; id < vocabulary->size; id++) {
        if (!vocabulary->is_added[id])
            continue;
        struct added *added = &vocabulary->added[count++];
        added->id = id;
        added->text = vocabulary_text(vocabulary, id, &added->bytes);
    }
    vocabulary->added_count = count;
    qsort(vocabulary->added, count, sizeof *vocabulary->added, compare_added);
}

struct vocabulary *vocabulary_create(const char *const *texts, const bool *is_added, int32_t size)
{
    size_t block_bytes = 0, added_count = 0;
    for (int32_t id = 0; id < size; id++) {
        block_bytes += (texts[id] ? strlen(texts[id]) : 0) + 1;
        added_count += is_added[id];
    }

    struct vocabulary *vocabulary = calloc(1, sizeof *vocabulary);
    if (!vocabulary)
        return NULL;
    vocabulary->size = size;
    vocabulary->block = malloc(block_bytes + 1);
    vocabulary->starts = calloc((size_t)size + 1, sizeof *vocabulary->starts);
    vocabulary->is_added = calloc((size_t)size + 1, sizeof *vocabulary->is_added);
    vocabulary->added = calloc(added_count + 1, sizeof *vocabulary->added);
    if (block_bytes > UINT32_MAX || !vocabulary->block || !vocabulary->starts ||
        !vocabulary->is_added || !vocabulary->added) {
        vocabulary_destroy(vocabulary);
        return NULL;
    }

    memcpy(vocabulary->is_added, is_added, (size_t)size * sizeof *is_added);
    fill_block(vocabulary, texts);
    fill_added(vocabulary);
    return vocabulary;
}

void vocabulary_destroy(struct vocabulary *vocabulary)
{
    if (!vocabulary)
        return;
    free(vocabulary->block);
    free(vocabulary->starts);
    free(vocabulary->is_added);
    free(vocabulary->added);
    free(vocabulary);
}

int32_t vocabulary_size(const struct vocabulary *vocabulary)
{
    return vocabulary->size;
}

const char *vocabulary_text(const struct vocabulary *vocabulary, int32_t id, size_t *bytes)
{
    *bytes = 0;
    if (id < 0 || id >= vocabulary->size)
        return "";
    *bytes = vocabulary->starts[id + 1] - vocabulary->starts[id] - 1;
    return vocabulary->block + vocabulary->starts[id];
}

bool vocabulary_is_added(const struct vocabulary *vocabulary, int32_t id)
{
    return id >= 0 && id < vocabulary->size && vocabulary->is_added[id];
}

/* First of added[low..high), all alike before byte `at`, whose byte there is not below `byte`; texts end in NUL. */
static size_t first_not_below(const struct added *added, size_t low, size_t high, size_t at,
                              int byte)
{
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if ((unsigned char)added[middle].text[at] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t vocabulary_match(const struct vocabulary *vocabulary, const char *text, size_t bytes,
                         size_t *matched)
{
    const struct added *added = vocabulary->added;
    size_t low = 0, high = vocabulary->added_count;
    int32_t id = -1;
    for (size_t at = 0; at < bytes && low < high; at++) {
        /* NUL ends the texts in the list; none of them contains one */
        const int byte = (unsigned char)text[at];
        if (byte == 0)
            break;
        low = first_not_below(added, low, high, at, byte);
        high = first_not_below(added, low, high, at, byte + 1);
        if (low < high && added[low].bytes == at + 1) {
            id = added[low].id;
            *matched = at + 1;
        }
    }
    return id;
}
