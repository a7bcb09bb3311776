/* Pieces of other files that the model is shown with a cursor, and when they change.
 *
 * A choice stays as it is while the user types in one place: the same pieces in the same order stand at the beginning of
 * every prompt, so the model's cache of them holds. It is made anew when the cursor goes to another file or far away, and when
 * there is something new to choose from (a text copied, a document opened or closed, a new index). What is chosen again keeps
 * its place then, and what is new comes behind it, best last, nearest to the file with the cursor.
 *
 * In between it only grows: what the line or call at the cursor newly names, and another file defines, is added behind, at most
 * SNIPPETS_ADDED_MAX times in one place, since the model then reads the cursor's file again. Part of the budget is kept for it.
 *
 * Chosen pieces look little like what the prompt holds already, or one another; they have no secrets in them, and together
 * they fit a budget. Client lifetime, on the loop's thread; a list is a value that owns its texts and may travel.
 */
#ifndef LSP_CONTEXT_SNIPPETS_H
#define LSP_CONTEXT_SNIPPETS_H

#include <stdbool.h>
#include <stddef.h>

#include "infer/prompt.h"
#include "lsp/context/gather.h"
#include "lsp/context/workspace.h"
#include "lsp/documents.h"

enum {
    SNIPPETS_MOVE_LINES = 24, /* the cursor is far away beyond */
    SNIPPETS_ADDED_MAX = 4,   /* additions to a choice */
    SNIPPETS_ADDED_SHARE = 4, /* one part of so many of the budget and the places is for them */
    SNIPPETS_BYTES_PER_TOKEN =
        3, /* of program text, rather too few: the engine cuts what is too much after all */
};

struct snippet {
    enum gather_why why;
    char *path; /* as shown */
    char *text; /* [bytes] */
    size_t bytes;
};

/* Zero: nothing is shown. */
struct snippet_list {
    char *repository, *path;                /* of the file with the cursor */
    struct snippet items[PROMPT_FILES_MAX]; /* [count] */
    size_t count;
    size_t budget_tokens;
};

void snippet_list_finish(struct snippet_list *list);

/* False when memory is exhausted; then there is nothing to finish. */
bool snippet_list_copy(struct snippet_list *copy, const struct snippet_list *list);

/* The list as the engine takes it, borrowing from it and from `files`. */
struct prompt_shown snippet_list_shown(const struct snippet_list *list,
                                       struct prompt_file files[PROMPT_FILES_MAX]);

struct snippets;

/* NULL when memory is exhausted. */
struct snippets *snippets_create(void);
void snippets_destroy(struct snippets *snippets);

/* News. A document was opened or closed; a line of one was edited; a text was copied, `uri` being where or NULL: one that
 * comes from a hidden file or stands in an open one is not taken. */
void snippets_note_documents(struct snippets *snippets);
void snippets_note_edit(struct snippets *snippets, const char *uri, size_t line);
void snippets_note_yank(struct snippets *snippets, const struct documents *documents,
                        const struct workspace *workspace, const char *uri, const char *text,
                        size_t bytes);

/* What is shown with a cursor in a document, nothing with a budget of 0. False, and nothing shown, when memory is exhausted. */
bool snippets_choose(struct snippets *snippets, const struct documents *documents,
                     struct workspace *workspace, struct document *document, size_t cursor,
                     size_t budget_tokens, struct snippet_list *list);

#endif
