/* The open documents: what the editor last told about each of them.
 *
 * Owns every document: its text, its version and, where we know the language, a syntax tree that follows the edits. Knows
 * nothing of JSON: handlers hand over plain values. The loop thread alone uses it; a document lives from documents_open until
 * documents_close (or a refused change), and so do the text and tree that it lends.
 */
#ifndef LSP_DOCUMENTS_H
#define LSP_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"
#include "lsp/context/definitions.h"
#include "lsp/text.h"
#include "parsers/languages.h"
#include "parsers/syntax.h"

struct documents;
struct document;

enum {
    DOCUMENTS_LIMIT = 4096,
    DOCUMENTS_URI_BYTES = 8192,
};

/* One entry of didChange's contentChanges. */
struct document_change {
    bool has_range; /* false: `text` is the whole new text */
    struct text_position start, end;
    const char *text; /* [bytes], borrowed for the call */
    size_t bytes;
};

/* The encoding was negotiated and the line rule follows from the client, so both hold for all documents. NULL when memory is
 * exhausted. */
struct documents *documents_create(enum text_encoding encoding, enum text_lines lines);
void documents_destroy(struct documents *documents);

enum text_encoding documents_encoding(const struct documents *documents);
size_t documents_count(const struct documents *documents);

/* The i-th of them, in no order that means anything; valid as documents_find's. */
struct document *documents_at(const struct documents *documents, size_t i);

/* NULL when no such document is open. */
struct document *documents_find(const struct documents *documents, const char *uri);

/* Takes a copy of the text. A document that is open already is replaced. NULL with an error when a limit is passed or memory
 * is exhausted; then no document of that URI is open. */
struct document *documents_open(struct documents *documents, const char *uri,
                                const char *language_id, int64_t version, const char *text,
                                size_t bytes, struct error *error);

/* Applies changes in order, each to the result of the one before (LSP, DidChangeTextDocumentParams). `version` is that of the
 * result. False with an error when the document is not open or a change is refused; it is closed then, because a text that
 * differs from the editor's is worse than none. */
bool documents_change(struct documents *documents, const char *uri, int64_t version,
                      const struct document_change *changes, size_t count, struct error *error);

/* False when it was not open. */
bool documents_close(struct documents *documents, const char *uri);

const char *document_uri(const struct document *document);
const char *document_language_id(const struct document *document);
int64_t document_version(const struct document *document);

/* Another one after every opening and change, of whichever document: versions may come again when a document is opened anew,
 * and some editors name none. */
uint64_t document_stamp(const struct document *document);

const struct text *document_text(const struct document *document);

/* NULL for plain text. */
const struct language *document_language(const struct document *document);

/* What it defines, found out when it is first asked for after a change; valid until the next change. Paths in it are the
 * document's. NULL when memory is exhausted. */
const struct definitions *document_definitions(struct document *document);

/* The tree, brought up to date; valid until the next change. NULL for plain text and where parsing was given up. */
const struct syntax *document_syntax(struct document *document);

#endif
