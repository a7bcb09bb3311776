/* The hash is FNV-1a with 64 bits, whose state after each byte is the hash of all bytes so far: one pass over a prefix gives
 * the hashes of all its beginnings, and a place is compared with the one beginning that has its length. */
#include "lsp/place.h"

#include <string.h>

static const uint64_t fnv_offset = 0xcbf29ce484222325, fnv_prime = 0x100000001b3;

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * fnv_prime;
    return hash;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void place_init(struct place *place, const char *uri, const struct context *context)
{
    *place = (struct place){
        .document = hash_bytes(fnv_offset, uri, strlen(uri)),
        .hash = hash_bytes(fnv_offset, context->before, context->before_bytes),
        .before_bytes = context->before_bytes,
        .after_bytes = context->after_bytes,
        .near_before_bytes = smaller(context->before_bytes, PLACE_BEFORE_BYTES),
        .near_after_bytes = smaller(context->after_bytes, PLACE_AFTER_BYTES),
    };
    memcpy(place->near_before, context->before + context->before_bytes - place->near_before_bytes,
           place->near_before_bytes);
    memcpy(place->near_after, context->after, place->near_after_bytes);
}

void place_cursor_init(struct place_cursor *cursor, const char *uri, const struct context *context)
{
    size_t kept = smaller(context->before_bytes, PLACE_TYPED_BYTES);
    size_t first = context->before_bytes - kept;
    cursor->document = hash_bytes(fnv_offset, uri, strlen(uri));
    cursor->context = context;
    cursor->hashes[kept] = hash_bytes(fnv_offset, context->before, first);
    for (size_t i = kept; i > 0; i--)
        cursor->hashes[i - 1] =
            hash_bytes(cursor->hashes[i], context->before + context->before_bytes - i, 1);
}

/* Whether all of the text behind a place stands behind the cursor, `skipped` bytes farther on. Copies of long texts end
 * somewhere: only as much as both have is compared, at least as much as the place keeps. */
static bool has_after(const struct place *place, const struct context *context, size_t skipped)
{
    size_t left = context->after_bytes - skipped;
    bool is_whole = place->after_bytes <= PLACE_AFTER_BYTES;
    return (is_whole ? left == place->after_bytes : left >= place->near_after_bytes) &&
           memcmp(context->after + skipped, place->near_after, place->near_after_bytes) == 0;
}

/* How many brackets and quotes were closed behind the cursor since, up to PLACE_CLOSED_BYTES; false where more has changed. */
static bool find_closed(const struct place *place, const struct context *context, size_t *closed)
{
    size_t most = smaller(context->after_bytes, PLACE_CLOSED_BYTES);
    for (*closed = 0; *closed <= most; ++*closed) {
        if (has_after(place, context, *closed))
            return true;
        if (*closed == most || !strchr(")]}>\"'`", context->after[*closed]))
            return false;
    }
    return false;
}

bool place_step(const struct place *place, const struct place_cursor *cursor,
                struct place_step *step)
{
    const struct context *context = cursor->context;
    size_t typed = context->before_bytes - place->before_bytes;
    if (place->document != cursor->document || place->before_bytes > context->before_bytes ||
        typed > PLACE_TYPED_BYTES || cursor->hashes[typed] != place->hash)
        return false;

    size_t closed = 0;
    const char *near = context->before + (place->before_bytes - place->near_before_bytes);
    if (memcmp(near, place->near_before, place->near_before_bytes) != 0 ||
        !find_closed(place, context, &closed) || (closed > 0 && typed == 0))
        return false;
    *step =
        (struct place_step){context->before + place->before_bytes, typed, context->after, closed};
    return true;
}

bool place_rest(const struct place_step *step, const char *text, size_t bytes, const char **rest,
                size_t *rest_bytes)
{
    size_t known = step->typed_bytes + step->closed_bytes;
    if (bytes < known || memcmp(text, step->typed, step->typed_bytes) != 0 ||
        memcmp(text + bytes - step->closed_bytes, step->closed, step->closed_bytes) != 0)
        return false;
    *rest = text + step->typed_bytes;
    *rest_bytes = bytes - known;
    return true;
}

bool place_may_agree(const struct place_step *step, const char *text, size_t bytes)
{
    return memcmp(text, step->typed, smaller(bytes, step->typed_bytes)) == 0;
}
