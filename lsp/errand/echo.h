/* The comment that asked for code, written again instead of code or before it.
 *
 * Models that only know how files go on like to say once more what stands above. A pure function of texts, for any language
 * whose comment marks are known.
 */
#ifndef LSP_ERRAND_ECHO_H
#define LSP_ERRAND_ECHO_H

#include <stddef.h>

#include "parsers/languages.h"

enum {
    ECHO_LINES_MAX =
        16, /* of the comment that asks, from below; an echo of what stands above these stays */
    ECHO_BYTES_MAX = 4096, /* of its words */
};

/* Bytes of whole lines that `code` begins with which are comments and say nothing but what the last paragraph of `asked` says:
 * a comment, with or without marks, or a text that ends with one. */
size_t echo_end(const struct comment_style *style, const char *asked, const char *code,
                size_t bytes);

#endif
