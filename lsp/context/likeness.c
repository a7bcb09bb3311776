/* Open addressing in a table twice as large as it may be full. A comparison marks the members that it meets with its own
 * number, so that none counts twice and nothing has to be cleared; words that are not members are counted as they come,
 * repetitions and all, up to a small filter that forgets the most frequent ones. */
#include "lsp/context/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/byte.h"

enum { SLOTS = 2 * LIKENESS_MEMBERS_MAX, FILTER_SLOTS = 256 };

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv; never 0. */
static uint32_t hash_bytes(const char *bytes, size_t count)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT32_C(16777619);
    return hash ? hash : 1;
}

/* The slot of a hash, or the free one where it belongs. */
static struct likeness_slot *slot_of(const struct likeness *set, uint32_t hash)
{
    size_t at = hash % SLOTS;

    while (set->slots[at].hash && set->slots[at].hash != hash)
        at = (at + 1) % SLOTS;
    return &set->slots[at];
}

static void set_add(struct likeness *set, uint32_t hash)
{
    struct likeness_slot *slot = slot_of(set, hash);

    if (slot->hash || set->count == LIKENESS_MEMBERS_MAX)
        return;
    slot->hash = hash;
    set->count++;
}

static bool set_create(struct likeness *set)
{
    *set = (struct likeness){.slots = calloc(SLOTS, sizeof *set->slots)};
    return set->slots != NULL;
}

void likeness_finish(struct likeness *set)
{
    free(set->slots);
    *set = (struct likeness){0};
}

/* --- parts of a text -------------------------------------------------------------------------------------------------- */

/* The hash of the next identifier at or behind *at, which moves behind it; 0 at the end. */
static uint32_t next_word(const char **at, const char *end)
{
    while (*at < end) {
        const char *start = *at;
        while (*at < end && byte_is_word(**at))
            (*at)++;
        if (*at - start > 1 && !byte_is_digit(*start))
            return hash_bytes(start, (size_t)(*at - start));
        *at += *at == start;
    }
    return 0;
}

/* The hash of the next line that counts; 0 at the end. */
static uint32_t next_line(const char **at, const char *end)
{
    while (*at < end) {
        const char *newline = memchr(*at, '\n', (size_t)(end - *at));
        const char *start = *at, *stop = newline ? newline : end;
        *at = newline ? newline + 1 : end;
        while (start < stop && byte_is_space(*start))
            start++;
        while (stop > start && byte_is_space(stop[-1]))
            stop--;
        if (stop - start >= LIKENESS_LINE_BYTES)
            return hash_bytes(start, (size_t)(stop - start));
    }
    return 0;
}

/* --- sets ------------------------------------------------------------------------------------------------------------- */

bool likeness_of_words(struct likeness *set, const char *text, size_t bytes)
{
    const char *end = text + bytes;

    if (!set_create(set))
        return false;
    for (uint32_t hash; (hash = next_word(&text, end)) != 0;)
        set_add(set, hash);
    return true;
}

bool likeness_of_lines(struct likeness *set, const char *text, size_t bytes)
{
    if (!set_create(set))
        return false;
    likeness_add_lines(set, text, bytes);
    return true;
}

void likeness_add_lines(struct likeness *set, const char *text, size_t bytes)
{
    const char *end = text + bytes;

    for (uint32_t hash; (hash = next_line(&text, end)) != 0;)
        set_add(set, hash);
}

double likeness_words(struct likeness *set, const char *text, size_t bytes)
{
    uint32_t filter[FILTER_SLOTS] = {0};
    const char *end = text + bytes;
    const uint32_t comparison = ++set->comparisons;
    size_t common = 0, other = 0;

    for (uint32_t hash; (hash = next_word(&text, end)) != 0;) {
        struct likeness_slot *slot = slot_of(set, hash);
        if (slot->hash) {
            common += slot->seen != comparison;
            slot->seen = comparison;
        } else {
            other += filter[hash % FILTER_SLOTS] != hash;
            filter[hash % FILTER_SLOTS] = hash;
        }
    }
    const size_t all = set->count + other;
    return all > 0 ? (double)common / (double)all : 0;
}

double likeness_lines(struct likeness *set, const char *text, size_t bytes)
{
    const char *end = text + bytes;
    size_t common = 0, all = 0;

    for (uint32_t hash; (hash = next_line(&text, end)) != 0; all++)
        common += slot_of(set, hash)->hash != 0;
    return all > 0 ? (double)common / (double)all : 1;
}
