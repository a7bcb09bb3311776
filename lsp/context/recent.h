/* What the user did lately: places that were edited, and texts that were copied.
 *
 * Two short rings, newest last. Of an edit only the place is kept, since the text is the document's; of a copied text the text
 * itself, without lines that look like secrets. Kept in memory only. Client lifetime, on the loop's thread.
 */
#ifndef LSP_CONTEXT_RECENT_H
#define LSP_CONTEXT_RECENT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    RECENT_EDITS = 8,
    RECENT_YANKS = 4,
    RECENT_NEAR_LINES = 16,       /* edits so near each other are one */
    RECENT_YANK_BYTES = 4 * 1024, /* longer ones say little; they are cut at a line end */
    RECENT_YANK_LINES = 2,        /* shorter ones too */
};

struct recent_edit {
    char *uri;
    size_t line;
};

struct recent_yank {
    char *path; /* where it was copied, "" where that is not known */
    char *text; /* [bytes], whole lines */
    size_t bytes;
};

/* Zero-initialise it. */
struct recent {
    struct recent_edit edits[RECENT_EDITS]; /* [edit_count] */
    size_t edit_count;
    struct recent_yank yanks[RECENT_YANKS]; /* [yank_count] */
    size_t yank_count;
};

void recent_finish(struct recent *recent);

/* Without memory nothing is noted. */
void recent_note_edit(struct recent *recent, const char *uri, size_t line);

/* Whether the text is new and worth keeping; `path` may be NULL. One that is known becomes the newest. */
bool recent_note_yank(struct recent *recent, const char *path, const char *text, size_t bytes);

#endif
