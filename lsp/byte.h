/* What a byte of a program's text is: the classes that this room tells apart, each in one way.
 *
 * Whether a character beyond ASCII is a letter is not asked: programs write names with them, so each of their bytes counts as
 * part of a word. Pure functions, of no locale; any thread may ask.
 */
#ifndef LSP_BYTE_H
#define LSP_BYTE_H

#include <stdbool.h>
#include <string.h>

/* White space within a line that indents it. */
static inline bool byte_is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* White space of any kind, line ends among it. */
static inline bool byte_is_space(char byte)
{
    return byte_is_blank(byte) || (byte >= '\n' && byte <= '\r');
}

/* Of ASCII. */
static inline bool byte_is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static inline bool byte_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* What names are written with in ASCII. */
static inline bool byte_is_name(char byte)
{
    return byte_is_letter(byte) || byte_is_digit(byte) || byte == '_';
}

/* What names are written with in any alphabet. */
static inline bool byte_is_word(char byte)
{
    return byte_is_name(byte) || ((unsigned char)byte & 0x80);
}

static inline bool byte_is_quote(char byte)
{
    return byte == '"' || byte == '\'' || byte == '`';
}

/* Whether it is in `set`; NUL is in none. */
static inline bool byte_is_one_of(char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte);
}

#endif
