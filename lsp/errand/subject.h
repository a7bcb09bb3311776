/* What a question is about: a definition, as its syntax tells, wherever it stands.
 *
 * A value that owns copies of all it holds, so that it can travel to the worker thread and be kept after the document has
 * changed. Found on the loop's thread, which alone may look into documents; whoever has it finishes it.
 */
#ifndef LSP_ERRAND_SUBJECT_H
#define LSP_ERRAND_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lsp/client.h"
#include "parsers/symbols.h"

enum {
    SUBJECT_CODE_BYTES = 16 * 1024,  /* of a definition; the rest of a longer one is left out */
    SUBJECT_AROUND_BYTES = 8 * 1024, /* of what stands before and behind it, each */
    SUBJECT_SIGNATURE_BYTES = 1024,
};

struct subject {
    enum symbol_kind kind;
    const struct language *language; /* process lifetime */
    struct span asked;               /* the name that was asked about, bytes of its document */
    char *name;
    char *owner;      /* the type or module that it belongs to, or "" */
    char *signature;  /* without the body, lines de-indented */
    char *doc;        /* what its doc comment says, without marks, or "" */
    char *path, *uri; /* where it stands */
    size_t line;      /* there, from 1; 0: not known */
    uint64_t hash;    /* of the name, the path and the text */

    /* What prompts are made of. In these texts every byte of a secret is an 'x'. */
    char *before; /* whole lines of what stands before the definition, its doc comment left out */
    char *head;   /* where doc comments stand inside: the definition up to there; else "" */
    char *body;   /* the definition, or what of it follows the head; the doc comment left out */
    char *after;  /* whole lines behind it */
    char *indent; /* white space that lines of a doc comment begin with */

    /* Where a doc comment goes, bytes of its text: the old comment with its last line end, or a place at a line's start. */
    struct span doc_range;
    bool has_place; /* false: nowhere to put one */
    bool is_whole;  /* nothing of the body was cut off or masked */
    bool is_secret; /* its file is not for models to read */
};

/* The definition that the name at `offset` of a document refers to: here, in another open document of the language, or in the
 * workspace. False where nothing is known, and on exhausted memory; then there is nothing to finish. */
bool subject_find(struct subject *subject, struct client *client, struct document *document,
                  size_t offset);

/* Lines of a document instead of a definition: without name, comment or signature. `range` grows to whole lines and is what
 * doc_range becomes. */
bool subject_lines(struct subject *subject, const struct client *client, struct document *document,
                   struct span range);

/* The function, method or type around `offset`. */
bool subject_enclosing(struct subject *subject, const struct client *client,
                       struct document *document, size_t offset);

/* The same without copies. The indentation before a definition, its doc comment, and what closes its last line count as
 * around it. */
bool subject_exists(struct document *document, size_t offset, struct symbol *symbol);

/* Whether there is a line for a doc comment of a definition of this document. */
bool subject_has_place(struct document *document, const struct symbol *symbol);

void subject_finish(struct subject *subject);

#endif
