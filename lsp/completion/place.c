/* The hash is FNV-1a with 64 bits, whose state after each byte is the hash of all bytes so far: one pass over a prefix gives
 * the hashes of all its beginnings, and a place is compared with the one beginning that has its length. */
#include "lsp/completion/place.h"

#include <string.h>

#include "lsp/hash.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void place_init(struct place *place, const char *uri, const struct context *context)
{
    *place = (struct place){
        .document = hash_add(hash_start, uri, strlen(uri)),
        .hash = hash_add(hash_start, context->before, context->before_bytes),
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
    cursor->document = hash_add(hash_start, uri, strlen(uri));
    cursor->context = context;
    cursor->hashes[kept] = hash_add(hash_start, context->before, first);
    for (size_t i = kept; i > 0; i--)
        cursor->hashes[i - 1] =
            hash_add(cursor->hashes[i], context->before + context->before_bytes - i, 1);
}

bool place_equals(const struct place *left, const struct place *right)
{
    return left->document == right->document && left->hash == right->hash &&
           left->before_bytes == right->before_bytes && left->after_bytes == right->after_bytes &&
           memcmp(left->near_before, right->near_before, left->near_before_bytes) == 0 &&
           memcmp(left->near_after, right->near_after, left->near_after_bytes) == 0;
}

static bool is_closer(char byte)
{
    return byte != '\0' && strchr(")]}>\"'`", byte);
}

/* Whether what stands behind a place, less its first `passed` bytes, stands behind the cursor, less the first `closed`. Copies
 * of long texts end somewhere: only what the place keeps is compared. */
static bool has_after(const struct place *place, size_t passed, const struct context *context,
                      size_t closed)
{
    size_t kept = place->near_after_bytes - passed, left = context->after_bytes - closed;
    bool is_whole = place->after_bytes <= PLACE_AFTER_BYTES;
    return (is_whole ? left == kept : left >= kept) &&
           memcmp(context->after + closed, place->near_after + passed, kept) == 0;
}

/* Finds out what has changed behind the cursor; false where it was more than closers. */
static bool step_behind(struct place_step *step, const struct place *place,
                        const struct context *context)
{
    size_t most = step->typed_bytes > 0 ? PLACE_CLOSED_BYTES : 0;
    if (has_after(place, 0, context, 0))
        return true;
    for (size_t i = 1; i <= most && i <= context->after_bytes; i++) {
        if (!is_closer(context->after[i - 1]))
            break;
        step->closed_bytes = i;
        if (has_after(place, 0, context, i))
            return true;
    }
    step->closed_bytes = 0;
    for (size_t i = 1; i <= most && i <= place->near_after_bytes; i++) {
        if (!is_closer(place->near_after[i - 1]))
            break;
        step->passed_bytes = i;
        if (has_after(place, i, context, 0))
            return true;
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

    const char *near = context->before + place->before_bytes - place->near_before_bytes;
    *step = (struct place_step){
        .typed = context->before + place->before_bytes,
        .typed_bytes = typed,
        .closed = context->after,
    };
    return memcmp(near, place->near_before, place->near_before_bytes) == 0 &&
           step_behind(step, place, context);
}

bool place_rest(const struct place_step *step, const struct place_text *whole,
                struct place_text *rest)
{
    /* closers may be typed over that the text writes again; closers come to be only where it ends with them */
    size_t known = step->typed_bytes + step->closed_bytes;
    if (whole->bytes < known || whole->replaced_bytes < step->passed_bytes ||
        (whole->replaced_bytes > 0 && step->closed_bytes > 0) ||
        memcmp(whole->text, step->typed, step->typed_bytes) != 0 ||
        memcmp(whole->text + whole->bytes - step->closed_bytes, step->closed, step->closed_bytes) !=
            0)
        return false;
    *rest = (struct place_text){
        .text = whole->text + step->typed_bytes,
        .bytes = whole->bytes - known,
        .replaced_bytes = whole->replaced_bytes - step->passed_bytes,
        .probability = whole->probability,
    };
    return true;
}

bool place_may_agree(const struct place_step *step, const char *text, size_t bytes)
{
    return memcmp(text, step->typed, smaller(bytes, step->typed_bytes)) == 0;
}
