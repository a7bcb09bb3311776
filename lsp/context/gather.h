/* What could be shown to the model beside the file with the cursor, each piece with a score.
 *
 * Sources: definitions of the names around the cursor, from the open documents and the workspace's index; the region of every
 * other open document that uses the words around the cursor most; regions edited lately; texts copied lately. What is hidden
 * (ignored or secret) is no source. A gathering lives for one choice, on the loop's thread; it borrows from documents, index
 * and recent doings, which must not change meanwhile.
 */
#ifndef LSP_CONTEXT_GATHER_H
#define LSP_CONTEXT_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/context/definitions.h"
#include "lsp/context/likeness.h"
#include "lsp/context/recent.h"
#include "lsp/context/workspace.h"
#include "lsp/documents.h"

enum {
    GATHER_DOCUMENTS = 16,      /* other open documents that are looked at */
    GATHER_BYTES = 1024 * 1024, /* of all of them */
    GATHER_PIECES = 256,
    GATHER_NEAR_LINES = 32,   /* the cursor's surroundings, up and down */
    GATHER_REGION_LINES = 24, /* of a region of a document */
};

enum gather_why { GATHER_DEFINITION, GATHER_OPEN, GATHER_EDITED, GATHER_YANKED };

/* "definition", "open", "edited", "yanked". */
const char *gather_why_name(enum gather_why why);

struct piece {
    enum gather_why why;
    double score;
    const char *path; /* "" where it is not known */
    const char *text; /* [bytes], whole lines */
    size_t bytes;
    const struct text *
        source; /* the text that it lies in and that may hold secrets; NULL: there are none in it */
};

/* Where the cursor is. */
struct viewpoint {
    struct document *document;
    const char *path;
    size_t cursor;
};

struct gathering {
    struct piece pieces[GATHER_PIECES]; /* [count], best first */
    size_t count;

    /* What pieces borrow. */
    struct neighbour {
        struct document *document;
        char *path;
        const struct definitions *definitions; /* NULL: none */
    } neighbours[GATHER_DOCUMENTS];
    size_t neighbour_count;
};

/* What cannot be gathered for lack of memory is missing. */
void gather(struct gathering *gathering, const struct viewpoint *viewpoint,
            const struct documents *documents, struct workspace *workspace,
            const struct recent *recent);

/* The definitions alone, of the names in `range`, which ends at the viewpoint's cursor. */
void gather_asked(struct gathering *gathering, const struct viewpoint *viewpoint, struct span range,
                  const struct documents *documents, struct workspace *workspace);
void gather_finish(struct gathering *gathering);

#endif
