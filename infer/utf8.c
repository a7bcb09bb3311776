/* Well-formed UTF-8 is table 3-7 of the Unicode Standard: only the second byte's range depends on the first.
 *
 * NFC is utf8proc's, but for the canonical ordering in its middle, which takes quadratic time there: a page of marks in the
 * wrong order would hold up an editor for minutes. The tables are those of the installed library (Unicode 15 in version
 * 2.8). Composition is frozen by Unicode's stability policy, so an implementation with other tables differs only in
 * scripts and marks that one of the two does not know.
 */
#include "infer/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#define NFC_OPTIONS (UTF8PROC_STABLE | UTF8PROC_COMPOSE)

enum { COMBINING_CLASSES = 256 };

/* Bytes of the code point that `lead` begins, 0 where it begins none. */
static int sequence_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

int utf8_step(const char *text, size_t bytes)
{
    if (bytes == 0)
        return 0;

    const unsigned char lead = (unsigned char)text[0];
    const int length = sequence_bytes(lead);
    if (length == 0)
        return -1;

    /* the second byte excludes overlong forms, surrogates and what lies above U+10FFFF */
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (int i = 1; i < length; i++) {
        if ((size_t)i == bytes)
            return 0;
        const unsigned char byte = (unsigned char)text[i];
        if (byte < low || byte > high)
            return -i;
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

bool utf8_is_valid(const char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        const int step = utf8_step(text + at, bytes - at);
        if (step <= 0)
            return false;
        at += (size_t)step;
    }
    return true;
}

char *utf8_repair(const char *text, size_t bytes, size_t *repaired_bytes)
{
    /* at worst every byte becomes one U+FFFD */
    char *repaired = malloc(bytes * UTF8_REPLACEMENT_BYTES + 1);
    if (!repaired)
        return NULL;

    size_t length = 0;
    for (size_t at = 0; at < bytes;) {
        const int step = utf8_step(text + at, bytes - at);
        if (step > 0) {
            memcpy(repaired + length, text + at, (size_t)step);
            length += (size_t)step;
            at += (size_t)step;
        } else {
            memcpy(repaired + length, UTF8_REPLACEMENT, UTF8_REPLACEMENT_BYTES);
            length += UTF8_REPLACEMENT_BYTES;
            at = step < 0 ? at + (size_t)-step : bytes;
        }
    }
    *repaired_bytes = length;
    return repaired;
}

bool utf8_is_composed(const char *text, size_t bytes)
{
    /* nothing below U+0300 decomposes away from NFC or combines; those code points have no byte from 0xCC on */
    for (size_t at = 0; at < bytes; at++) {
        if ((unsigned char)text[at] >= 0xCC)
            return false;
    }
    return true;
}

/* Decomposes canonically into `points` [capacity], without reordering; the number of code points needed, or negative. */
static utf8proc_ssize_t decompose(const char *text, size_t bytes, utf8proc_int32_t *points,
                                  utf8proc_ssize_t capacity)
{
    utf8proc_ssize_t count = 0;
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t point;
        const utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                       (utf8proc_ssize_t)(bytes - at), &point);
        const utf8proc_ssize_t room = capacity > count ? capacity - count : 0;
        const utf8proc_ssize_t written =
            used < 0 ? used
                     : utf8proc_decompose_char(point, room ? points + count : NULL, room,
                                               NFC_OPTIONS, NULL);
        if (written < 0)
            return written;
        count += written;
        at += (size_t)used;
    }
    return count;
}

static int combining_class(utf8proc_int32_t point)
{
    return (int)(utf8proc_get_property(point)->combining_class & (COMBINING_CLASSES - 1));
}

/* Sorts a run of combining marks by class, keeping the order within a class. False when memory is exhausted. */
static bool sort_marks(utf8proc_int32_t *points, size_t count)
{
    utf8proc_int32_t *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return false;

    /* a counting sort: where each class begins, then every mark to its place */
    size_t starts[COMBINING_CLASSES + 1] = {0};
    for (size_t i = 0; i < count; i++)
        starts[combining_class(points[i]) + 1]++;
    for (size_t class = 0; class < COMBINING_CLASSES; class ++)
        starts[class + 1] += starts[class];
    for (size_t i = 0; i < count; i++)
        sorted[starts[combining_class(points[i])]++] = points[i];
    memcpy(points, sorted, count * sizeof *sorted);
    free(sorted);
    return true;
}

/* Brings combining marks into canonical order. */
static bool reorder(utf8proc_int32_t *points, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        bool sorted = true;
        size_t end = at;
        for (int before = 0; end < count; end++) {
            const int class = combining_class(points[end]);
            if (class == 0)
                break;
            sorted = sorted && before <= class;
            before = class;
        }
        if (!sorted && !sort_marks(points + at, end - at))
            return false;
        at = end;
    }
    return true;
}

char *utf8_compose(const char *text, size_t bytes, size_t *composed_bytes)
{
    const utf8proc_ssize_t count = decompose(text, bytes, NULL, 0);
    if (count < 0)
        return NULL;
    /* utf8proc composes and encodes in place, with one code point of room for the final NUL */
    utf8proc_int32_t *points = malloc(((size_t)count + 1) * sizeof *points);
    if (!points || decompose(text, bytes, points, count) != count ||
        !reorder(points, (size_t)count)) {
        free(points);
        return NULL;
    }
    const utf8proc_ssize_t length = utf8proc_reencode(points, count, NFC_OPTIONS);
    if (length < 0) {
        free(points);
        return NULL;
    }
    *composed_bytes = (size_t)length;
    return (char *)points;
}
