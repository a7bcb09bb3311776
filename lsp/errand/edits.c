/* The comparison takes the change for one stretch from the first byte that differs to the last: several edits far apart count
 * as one long change, which errs on the side of not applying. */
#include "lsp/errand/edits.h"

#include <string.h>

bool edits_rebase(const char *before, size_t before_bytes, const char *now, size_t now_bytes,
                  struct span *range)
{
    const size_t shorter = before_bytes < now_bytes ? before_bytes : now_bytes;
    size_t head = 0, tail = 0;

    while (head < shorter && before[head] == now[head])
        head++;
    if (head == before_bytes && head == now_bytes)
        return true;
    while (tail < shorter - head && before[before_bytes - 1 - tail] == now[now_bytes - 1 - tail])
        tail++;

    /* strictly inside of what is common: a byte on the far side is known to be the same */
    if (range->end < head)
        return true;
    if (range->start <= before_bytes - tail)
        return false;
    range->start = range->start + now_bytes - before_bytes;
    range->end = range->end + now_bytes - before_bytes;
    return true;
}

/* Bytes of the first line that both begin with, its line end included; 0 where they differ in it. */
static size_t common_line(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    const char *end = a_bytes ? memchr(a, '\n', a_bytes) : NULL;
    const size_t count = end ? (size_t)(end - a) + 1 : 0;

    return count <= b_bytes && memcmp(a, b, count) == 0 ? count : 0;
}

/* Bytes of the last line that both end with, its own line end included; 0 where they differ in it. Both begin at the start of
 * a line. */
static size_t common_last_line(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    const char *before = a_bytes > 1 ? memrchr(a, '\n', a_bytes - 1) : NULL;
    const size_t count = before ? (size_t)(a + a_bytes - before - 1) : a_bytes;

    /* in the other one it is a whole line, too */
    if (count > b_bytes || (count < b_bytes && b[b_bytes - count - 1] != '\n'))
        return 0;
    return memcmp(a + a_bytes - count, b + b_bytes - count, count) == 0 ? count : 0;
}

void edits_narrow(const char *text, struct span *range, const char **replacement, size_t *bytes)
{
    size_t count;

    if (range->start > 0 && text[range->start - 1] != '\n')
        return;
    while ((count = common_line(text + range->start, range->end - range->start, *replacement,
                                *bytes)) > 0) {
        range->start += count;
        *replacement += count;
        *bytes -= count;
    }
    while ((count = common_last_line(text + range->start, range->end - range->start, *replacement,
                                     *bytes)) > 0) {
        range->end -= count;
        *bytes -= count;
    }
}

json_t *edits_write(const struct client *client, const struct document *document, struct span range,
                    const char *replacement, size_t bytes)
{
    const enum text_encoding encoding = documents_encoding(client->documents);
    const struct text *text = document_text(document);
    const char *uri = document_uri(document);
    json_t *edits = json_pack("[{s:{s:o, s:o}, s:o}]", "range", "start",
                              position_write(text_position_at(text, encoding, range.start)), "end",
                              position_write(text_position_at(text, encoding, range.end)),
                              "newText", json_stringn(replacement, bytes));

    if (client->abilities.versioned_edits)
        return json_pack("{s:[{s:{s:s, s:I}, s:o}]}", "documentChanges", "textDocument", "uri", uri,
                         "version", (json_int_t)document_version(document), "edits", edits);
    return json_pack("{s:{s:o}}", "changes", uri, edits);
}
