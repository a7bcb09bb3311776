/* The text before the mark and the text behind it, one after the other. */
#include "tests/support/marked.h"

#include <stdlib.h>
#include <string.h>

static const char mark[] = "¦";

char *marked_text(const char *marked, size_t *bytes, size_t *cursor)
{
    const char *at = strstr(marked, mark);
    char *text = malloc(strlen(marked) + 1);

    if (!at || !text)
        abort();
    *cursor = (size_t)(at - marked);
    *bytes = strlen(marked) - strlen(mark);
    memcpy(text, marked, *cursor);
    memcpy(text + *cursor, at + strlen(mark), *bytes - *cursor + 1);
    return text;
}
