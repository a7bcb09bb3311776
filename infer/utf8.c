/* Well-formed UTF-8 is table 3-7 of the Unicode Standard: only the second byte's range depends on the first. NFC is
 * utf8proc's; the tables are those of the installed library (Unicode 15 in version 2.8), and composition is frozen by
 * Unicode's stability policy, so only scripts younger than the library can differ from another implementation.
 */
#include "infer/utf8.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

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

    // the second byte excludes overlong forms, surrogates and what lies above U+10FFFF
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
    // at worst every byte becomes one U+FFFD
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
    // nothing below U+0300 decomposes away from NFC or combines; those code points have no byte from 0xCC on
    for (size_t at = 0; at < bytes; at++) {
        if ((unsigned char)text[at] >= 0xCC)
            return false;
    }
    return true;
}

char *utf8_compose(const char *text, size_t bytes, size_t *composed_bytes)
{
    utf8proc_uint8_t *composed = NULL;
    const utf8proc_ssize_t length =
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, &composed,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (length < 0)
        return NULL;
    *composed_bytes = (size_t)length;
    return (char *)composed;
}
