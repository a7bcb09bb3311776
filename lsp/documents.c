/* A table of documents by URI.
 *
 * A plain array searched by hash: editors keep tens of documents open, seldom hundreds, and one look-up per message is all
 * that happens. URIs are compared as they are: the protocol lets each client choose one spelling and asks it to keep to it.
 */
#include "lsp/documents.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/hash.h"
#include "lsp/protocol/uri.h"

struct document {
    char *uri;
    uint64_t uri_hash;
    char *language_id;
    int64_t version;
    uint64_t stamp;
    struct text *text;
    const struct language *language; /* NULL: plain text */
    struct syntax *syntax;           /* NULL: plain text */
    struct definitions *definitions; /* NULL: not known */
};

struct documents {
    enum text_encoding encoding;
    enum text_lines lines;
    struct document *items[DOCUMENTS_LIMIT]; /* [count], in no order */
    size_t count;
    uint64_t stamps; /* ever given */
};

/* Documents */

static void document_destroy(struct document *document)
{
    if (!document)
        return;
    free(document->uri);
    free(document->language_id);
    text_destroy(document->text);
    syntax_destroy(document->syntax);
    definitions_destroy(document->definitions);
    free(document);
}

/* NULL when memory is exhausted; the text's size was checked. */
static struct document *document_create(enum text_lines lines, const char *uri,
                                        const char *language_id, const char *text, size_t bytes)
{
    struct document *document = calloc(1, sizeof *document);

    if (!document)
        return NULL;
    document->uri = strdup(uri);
    document->language_id = strdup(language_id ? language_id : "");
    document->text = text_create(lines, text, bytes);
    if (!document->uri || !document->language_id || !document->text)
        goto fail;

    /* endings consist of characters that URIs do not escape (RFC 3986, section 2.3), so a URI is as good as its path */
    document->uri_hash = hash_add(hash_start, uri, strlen(uri));
    document->language = language_find(language_id, uri);
    if (document->language) {
        document->syntax = syntax_create(document->language);
        if (!document->syntax)
            goto fail;
    }
    return document;

fail:
    document_destroy(document);
    return NULL;
}

static bool replace_all(struct document *document, const char *bytes, size_t count)
{
    if (document->syntax)
        syntax_reset(document->syntax);
    return text_replace(document->text, 0, text_size(document->text), bytes, count);
}

static bool apply_change(struct document *document, enum text_encoding encoding,
                         const struct document_change *change)
{
    definitions_destroy(document->definitions);
    document->definitions = NULL;
    if (!change->has_range)
        return replace_all(document, change->text, change->bytes);

    size_t start = text_offset(document->text, encoding, change->start);
    size_t end = text_offset(document->text, encoding, change->end);
    end = end < start ? start : end;
    if (document->syntax)
        syntax_edit(document->syntax, text_bytes(document->text), start, end, change->text,
                    change->bytes);
    return text_replace(document->text, start, end, change->text, change->bytes);
}

const char *document_uri(const struct document *document)
{
    return document->uri;
}

const char *document_language_id(const struct document *document)
{
    return document->language_id;
}

int64_t document_version(const struct document *document)
{
    return document->version;
}

uint64_t document_stamp(const struct document *document)
{
    return document->stamp;
}

const struct text *document_text(const struct document *document)
{
    return document->text;
}

const struct language *document_language(const struct document *document)
{
    return document->language;
}

const struct syntax *document_syntax(struct document *document)
{
    const struct text *text = document->text;

    if (!document->syntax || !syntax_parse(document->syntax, text_bytes(text), text_size(text)))
        return NULL;
    return document->syntax;
}

const struct definitions *document_definitions(struct document *document)
{
    const struct text *text = document->text;
    char *path = document->definitions ? NULL : uri_path(document->uri);

    if (path)
        document->definitions =
            definitions_of(path, document_syntax(document), text_bytes(text), text_size(text));
    free(path);
    return document->definitions;
}

/* The table */

struct documents *documents_create(enum text_encoding encoding, enum text_lines lines)
{
    struct documents *documents = calloc(1, sizeof *documents);

    if (!documents)
        return NULL;
    documents->encoding = encoding;
    documents->lines = lines;
    return documents;
}

void documents_destroy(struct documents *documents)
{
    if (!documents)
        return;
    for (size_t i = 0; i < documents->count; i++)
        document_destroy(documents->items[i]);
    free(documents);
}

enum text_encoding documents_encoding(const struct documents *documents)
{
    return documents->encoding;
}

size_t documents_count(const struct documents *documents)
{
    return documents->count;
}

struct document *documents_at(const struct documents *documents, size_t i)
{
    return documents->items[i];
}

/* The index of a document, or the count. */
static size_t find_index(const struct documents *documents, const char *uri)
{
    uint64_t hash = hash_add(hash_start, uri, strlen(uri));
    size_t index = 0;

    while (index < documents->count) {
        const struct document *document = documents->items[index];
        if (document->uri_hash == hash && !strcmp(document->uri, uri))
            break;
        index++;
    }
    return index;
}

struct document *documents_find(const struct documents *documents, const char *uri)
{
    size_t index = find_index(documents, uri);

    return index < documents->count ? documents->items[index] : NULL;
}

bool documents_close(struct documents *documents, const char *uri)
{
    size_t index = find_index(documents, uri);

    if (index == documents->count)
        return false;
    document_destroy(documents->items[index]);
    documents->items[index] = documents->items[--documents->count];
    return true;
}

struct document *documents_open(struct documents *documents, const char *uri,
                                const char *language_id, int64_t version, const char *text,
                                size_t bytes, struct error *error)
{
    documents_close(documents, uri);
    if (documents->count == DOCUMENTS_LIMIT) {
        error_set(error, ERROR_LIMIT, "more than %d documents are open; close some",
                  DOCUMENTS_LIMIT);
        return NULL;
    }
    if (strlen(uri) > DOCUMENTS_URI_BYTES) {
        error_set(error, ERROR_LIMIT, "a document's URI is longer than %d bytes: %.60s...",
                  DOCUMENTS_URI_BYTES, uri);
        return NULL;
    }
    if (bytes > TEXT_LIMIT_BYTES) {
        error_set(error, ERROR_LIMIT, "%s has %zu bytes, more than the %d that are completed in",
                  uri, bytes, TEXT_LIMIT_BYTES);
        return NULL;
    }

    struct document *document = document_create(documents->lines, uri, language_id, text, bytes);
    if (!document) {
        error_set(error, ERROR_MEMORY, "out of memory opening %s", uri);
        return NULL;
    }
    document->version = version;
    document->stamp = ++documents->stamps;
    documents->items[documents->count++] = document;
    return document;
}

bool documents_change(struct documents *documents, const char *uri, int64_t version,
                      const struct document_change *changes, size_t count, struct error *error)
{
    struct document *document = documents_find(documents, uri);

    if (!document)
        return error_set(error, ERROR_INPUT, "change of %s, which is not open", uri);
    for (size_t i = 0; i < count; i++) {
        if (!apply_change(document, documents->encoding, &changes[i])) {
            error_set(error, ERROR_LIMIT, "%s cannot grow to hold a change; open it again", uri);
            documents_close(documents, uri);
            return false;
        }
    }
    document->version = version;
    document->stamp = ++documents->stamps;
    return true;
}
