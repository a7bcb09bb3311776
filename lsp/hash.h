/* A number for a piece of text, to tell texts apart quickly: FNV-1a with 64 bits, http://www.isthe.com/chongo/tech/comp/fnv.
 *
 * Its state after each byte is the hash of all bytes so far, so a text may come in pieces, and one pass over it gives the
 * hashes of all its beginnings. No defence against whoever looks for collisions; there is nobody. Pure functions, any thread.
 */
#ifndef LSP_HASH_H
#define LSP_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Of nothing. */
static const uint64_t hash_start = 0xcbf29ce484222325;

/* Of what `hash` is of with `count` bytes behind it. */
static inline uint64_t hash_add(uint64_t hash, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
