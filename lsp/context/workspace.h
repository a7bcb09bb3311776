/* The folders that the user works in, and the index of what they define.
 *
 * The index is built on a thread of libuv's pool at the lowest priority, so that neither the loop nor the model waits for it,
 * and replaced as a whole when the next one is ready. Nothing happens before something is asked for: no folder is watched, no
 * timer runs at rest. Folders are looked through again when somebody asks after the client has said that files have changed,
 * or, with a client that does not say so, when the last look was long ago.
 *
 * Client lifetime; the loop thread alone uses it.
 */
#ifndef LSP_CONTEXT_WORKSPACE_H
#define LSP_CONTEXT_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lsp/context/index.h"

enum {
    WORKSPACE_FOLDERS_MAX = 16,
    WORKSPACE_NEAR_MAX = 16,        /* files that the user works in */
    WORKSPACE_DELAY_MS = 300,       /* until a look that was asked for begins: first things first */
    WORKSPACE_STALE_MS = 30 * 1000, /* without such news */
};

struct workspace;

/* NULL when memory is exhausted. */
struct workspace *workspace_create(uv_loop_t *loop);

/* Cancels what is under way and gives up the handles; memory goes as the loop runs on. NULL is accepted. */
void workspace_destroy(struct workspace *workspace);

/* Adds a folder by its absolute path, spelled as the paths of documents are. The root of the file system, the user's own folder
 * and what does not exist are not looked through: false. */
bool workspace_add(struct workspace *workspace, const char *path);
void workspace_remove(struct workspace *workspace, const char *path);

/* Patterns of the user, one to a line as in a .gitignore; copied. Others than before hold at once: there is no index until one
 * is built by them. */
bool workspace_set_rules(struct workspace *workspace, const char *rules);

/* Forgets which files the user works in; then one is added by its path, unless there are enough. A full index is made anew for
 * them, once somebody asks. */
void workspace_clear_near(struct workspace *workspace);
void workspace_add_near(struct workspace *workspace, const char *path);

/* Whether the client tells of changes. */
void workspace_set_watched(struct workspace *workspace, bool is_watched);
bool workspace_is_watched(const struct workspace *workspace);

/* Files may have changed: the folders are looked through again once somebody asks for the index. */
void workspace_touch(struct workspace *workspace);

/* The newest index, NULL before the first one is ready, which is begun when it is first asked for; valid until the loop runs
 * on. Asks for a new look where that is due. */
const struct index *workspace_index(struct workspace *workspace);

/* Counts of the newest index, without asking for one. */
void workspace_count(const struct workspace *workspace, struct index_counts *counts);

/* Changes when the index or the patterns do. */
uint64_t workspace_generation(const struct workspace *workspace);

/* How `path` is shown: below its folder, else its last part; borrowed from `path`. */
const char *workspace_relative(const struct workspace *workspace, const char *path);

/* The name of the folder that `path` is in, "" where it is in none; borrowed. */
const char *workspace_name(const struct workspace *workspace, const char *path);

/* Whether what is at `path` must not be shown with other files: ignored in its folder, or secret. */
bool workspace_hides(const struct workspace *workspace, const char *path);

#endif
