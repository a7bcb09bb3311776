/* How: a piece starts as a doubly linked list of one-byte symbols. A heap holds every adjacent pair that has a rank, as
 * rank * 2^32 + position, so that the smallest number is the lowest rank and, among equals, the leftmost. A popped pair is
 * merged if the symbol at its position still starts a pair of that rank; otherwise it is a leftover of an earlier merge.
 * Each merge removes one symbol and adds at most two pairs: the heap never holds more than twice the bytes.
 *
 * Pairs are found in a flat hash table with linear probing, at most half full.
 */
#include "infer/tokenizer/bpe.h"

#include <stdlib.h>

#define NO_RANK   UINT32_MAX
#define NO_SYMBOL UINT32_MAX

enum { TABLE_MIN_BITS = 4, SCRATCH_MIN_BYTES = 64 };

/* One merge; an empty place has left -1. */
struct merge {
    int32_t left, right;
    uint32_t rank;
    int32_t merged;
};

struct bpe {
    int32_t byte_ids[256];
    struct merge *table; /* [1 << bits] */
    int bits;
};

/* A token so far, and the pair it forms with the next one. */
struct bpe_symbol {
    int32_t id;          /* -1 once it was merged into its left neighbour */
    uint32_t prev, next; /* positions or NO_SYMBOL */
    uint32_t rank;       /* NO_RANK where the pair does not merge */
    int32_t merged;
};

struct bpe *bpe_create(const int32_t byte_ids[256], size_t merges)
{
    struct bpe *bpe = calloc(1, sizeof *bpe);
    if (!bpe)
        return NULL;
    bpe->bits = TABLE_MIN_BITS;
    while (((size_t)1 << bpe->bits) < merges * 2)
        bpe->bits++;
    bpe->table = malloc(sizeof *bpe->table << bpe->bits);
    if (!bpe->table) {
        free(bpe);
        return NULL;
    }

    for (size_t i = 0; i < (size_t)1 << bpe->bits; i++)
        bpe->table[i].left = -1;
    for (int byte = 0; byte < 256; byte++)
        bpe->byte_ids[byte] = byte_ids[byte];
    return bpe;
}

void bpe_destroy(struct bpe *bpe)
{
    if (!bpe)
        return;
    free(bpe->table);
    free(bpe);
}

/* The place of a pair: its own, or the empty one where it belongs. */
static struct merge *place_of(const struct bpe *bpe, int32_t left, int32_t right)
{
    /* multiplicative hashing: the top bits of a product with 2^64 / golden ratio */
    const uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    const size_t mask = ((size_t)1 << bpe->bits) - 1;
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - bpe->bits));
    while (bpe->table[at].left >= 0 &&
           (bpe->table[at].left != left || bpe->table[at].right != right))
        at = (at + 1) & mask;
    return &bpe->table[at];
}

void bpe_add(struct bpe *bpe, int32_t left, int32_t right, uint32_t rank, int32_t merged)
{
    *place_of(bpe, left, right) = (struct merge){left, right, rank, merged};
}

void bpe_scratch_finish(struct bpe_scratch *scratch)
{
    free(scratch->symbols);
    free(scratch->heap);
    *scratch = (struct bpe_scratch){0};
}

static bool scratch_reserve(struct bpe_scratch *scratch, size_t bytes)
{
    if (bytes <= scratch->capacity)
        return true;
    size_t capacity = scratch->capacity * 2;
    if (capacity < bytes)
        capacity = bytes < SCRATCH_MIN_BYTES ? SCRATCH_MIN_BYTES : bytes;

    /* nothing in the scratch outlives a piece */
    bpe_scratch_finish(scratch);
    scratch->symbols = malloc(capacity * sizeof *scratch->symbols);
    scratch->heap = malloc(2 * capacity * sizeof *scratch->heap);
    if (!scratch->symbols || !scratch->heap) {
        bpe_scratch_finish(scratch);
        return false;
    }
    scratch->capacity = capacity;
    return true;
}

static void heap_push(uint64_t *heap, size_t *count, uint64_t value)
{
    size_t at = (*count)++;
    while (at > 0 && heap[(at - 1) / 2] > value) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = value;
}

static uint64_t heap_pop(uint64_t *heap, size_t *count)
{
    const uint64_t smallest = heap[0];
    const uint64_t last = heap[--*count];
    size_t at = 0;
    for (size_t child = 1; child < *count; child = 2 * at + 1) {
        if (child + 1 < *count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= last)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return smallest;
}

/* Looks up the pair that starts at `at` and queues it where it merges. */
static void consider(const struct bpe *bpe, struct bpe_scratch *scratch, size_t *queued,
                     uint32_t at)
{
    struct bpe_symbol *symbol = &scratch->symbols[at];
    symbol->rank = NO_RANK;
    if (symbol->next == NO_SYMBOL)
        return;
    const struct merge *merge = place_of(bpe, symbol->id, scratch->symbols[symbol->next].id);
    if (merge->left < 0)
        return;
    symbol->rank = merge->rank;
    symbol->merged = merge->merged;
    heap_push(scratch->heap, queued, (uint64_t)merge->rank << 32 | at);
}

/* Merges until nothing merges; the symbols are linked from position 0 on. */
static void merge_all(const struct bpe *bpe, struct bpe_scratch *scratch, size_t queued)
{
    struct bpe_symbol *symbols = scratch->symbols;
    while (queued > 0) {
        const uint64_t pair = heap_pop(scratch->heap, &queued);
        const uint32_t at = (uint32_t)pair;
        struct bpe_symbol *left = &symbols[at];
        if (left->id < 0 || left->rank != pair >> 32)
            continue;

        /* the right symbol disappears into the left one */
        struct bpe_symbol *right = &symbols[left->next];
        left->id = left->merged;
        left->next = right->next;
        right->id = -1;
        if (left->next != NO_SYMBOL)
            symbols[left->next].prev = at;

        /* both neighbours now form new pairs */
        consider(bpe, scratch, &queued, at);
        if (left->prev != NO_SYMBOL)
            consider(bpe, scratch, &queued, left->prev);
    }
}

bool bpe_encode(const struct bpe *bpe, struct bpe_scratch *scratch, const char *piece, size_t bytes,
                struct token_list *out)
{
    if (bytes == 0)
        return true;
    if (!scratch_reserve(scratch, bytes))
        return false;

    struct bpe_symbol *symbols = scratch->symbols;
    for (size_t i = 0; i < bytes; i++) {
        symbols[i].id = bpe->byte_ids[(unsigned char)piece[i]];
        symbols[i].prev = i > 0 ? (uint32_t)(i - 1) : NO_SYMBOL;
        symbols[i].next = i + 1 < bytes ? (uint32_t)(i + 1) : NO_SYMBOL;
    }
    size_t queued = 0;
    for (size_t i = 0; i < bytes; i++)
        consider(bpe, scratch, &queued, (uint32_t)i);
    merge_all(bpe, scratch, queued);

    for (uint32_t at = 0; at != NO_SYMBOL; at = symbols[at].next) {
        if (!token_list_append(out, &symbols[at].id, 1))
            return false;
    }
    return true;
}
