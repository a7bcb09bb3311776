/* One build at a time. What a build reads is copied before it starts; the index before is lent to it and, since the loop's
 * thread replaces it only once the build is done, stands still meanwhile.
 *
 * The last of two holders frees the memory: the timer's close callback and the build's end. */
#include "lsp/context/workspace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lsp/context/ignore.h"
#include "lsp/secrets.h"

enum { LOWEST_PRIORITY = 19 }; /* setpriority(2) */

struct workspace {
    uv_loop_t *loop;
    uv_timer_t timer;
    char *folders[WORKSPACE_FOLDERS_MAX]; /* [count] */
    size_t count;
    char *rules;
    char *near[WORKSPACE_NEAR_MAX]; /* [near_count] */
    size_t near_count;
    bool is_watched;

    struct index *index;
    char *index_rules; /* that it was built by */
    uint64_t generation;
    uint64_t built_ms;   /* when the last build was started, by the loop's clock */
    bool is_touched;     /* files may have changed since the last build was started */
    struct build *build; /* under way, or NULL */
    bool is_closing, is_closed;
};

/* What a thread of the pool works on. */
struct build {
    uv_work_t work;
    struct workspace *workspace; /* not for the pool's thread */
    const struct index *before;
    char *folders[WORKSPACE_FOLDERS_MAX];
    size_t count;
    char *rules;
    char *near[WORKSPACE_NEAR_MAX];
    size_t near_count;
    atomic_bool is_cancelled;
    struct index *index; /* what has become of it */
};

static void build_destroy(struct build *build)
{
    for (size_t i = 0; i < build->count; i++)
        free(build->folders[i]);
    for (size_t i = 0; i < build->near_count; i++)
        free(build->near[i]);
    free(build->rules);
    free(build);
}

static struct build *build_create(struct workspace *workspace)
{
    struct build *build = calloc(1, sizeof *build);

    if (!build)
        return NULL;
    build->work.data = build;
    build->workspace = workspace;
    build->before = workspace->index;
    build->rules = strdup(workspace->rules);
    bool is_copied = build->rules != NULL;
    for (size_t i = 0; i < workspace->count && is_copied; i++) {
        build->folders[i] = strdup(workspace->folders[i]);
        is_copied = build->folders[i] != NULL;
        build->count++;
    }
    for (size_t i = 0; i < workspace->near_count && is_copied; i++) {
        build->near[i] = strdup(workspace->near[i]);
        is_copied = build->near[i] != NULL;
        build->near_count++;
    }
    if (is_copied)
        return build;
    build_destroy(build);
    return NULL;
}

/* On a thread of the pool. On Linux a priority belongs to a thread, and a small one to itself may always be given. */
static void build_run(uv_work_t *work)
{
    struct build *build = work->data;

    setpriority(PRIO_PROCESS, (id_t)gettid(), LOWEST_PRIORITY);
    const struct index_source source = {
        .folders = (const char *const *)build->folders,
        .count = build->count,
        .rules = build->rules,
        .near = (const char *const *)build->near,
        .near_count = build->near_count,
    };
    build->index = index_build(build->before, &source, &build->is_cancelled);
}

static void workspace_free(struct workspace *workspace)
{
    for (size_t i = 0; i < workspace->count; i++)
        free(workspace->folders[i]);
    workspace_clear_near(workspace);
    index_destroy(workspace->index);
    free(workspace->index_rules);
    free(workspace->rules);
    free(workspace);
}

static void build_done(uv_work_t *work, int status)
{
    struct build *build = work->data;
    struct workspace *workspace = build->workspace;
    struct index *index = status == 0 ? build->index : NULL;

    workspace->build = NULL;
    if (index) {
        workspace->generation +=
            !index_is_unchanged(index) || strcmp(build->rules, workspace->index_rules) != 0;
        index_destroy(workspace->index);
        workspace->index = index;
        free(workspace->index_rules);
        workspace->index_rules = build->rules;
        build->rules = NULL;
    }
    build_destroy(build);
    if (workspace->is_closed)
        workspace_free(workspace);
}

static void on_due(uv_timer_t *timer)
{
    struct workspace *workspace = timer->data;
    struct build *build = workspace->count > 0 ? build_create(workspace) : NULL;

    workspace->built_ms = uv_now(workspace->loop);
    workspace->is_touched = false;
    if (!build)
        return;
    if (uv_queue_work(workspace->loop, &build->work, build_run, build_done) == 0)
        workspace->build = build;
    else
        build_destroy(build);
}

static void on_closed(uv_handle_t *handle)
{
    struct workspace *workspace = handle->data;

    workspace->is_closed = true;
    if (!workspace->build)
        workspace_free(workspace);
}

struct workspace *workspace_create(uv_loop_t *loop)
{
    struct workspace *workspace = calloc(1, sizeof *workspace);

    if (!workspace)
        return NULL;
    workspace->rules = strdup("");
    if (!workspace->rules) {
        free(workspace);
        return NULL;
    }
    workspace->loop = loop;
    workspace->timer.data = workspace;
    uv_timer_init(loop, &workspace->timer);
    return workspace;
}

void workspace_destroy(struct workspace *workspace)
{
    if (!workspace || workspace->is_closing)
        return;
    workspace->is_closing = true;
    if (workspace->build)
        atomic_store(&workspace->build->is_cancelled, true);
    uv_close((uv_handle_t *)&workspace->timer, on_closed);
}

/* --- folders ---------------------------------------------------------------------------------------------------------- */

/* Whether a folder is one to look through: the root and the user's own hold everything and nothing in particular. */
static bool is_worth_a_look(const char *path)
{
    const char *home = getenv("HOME");
    char *real_home = home ? realpath(home, NULL) : NULL, *real = realpath(path, NULL);
    const bool is_worth = real && real[1] && !(real_home && strcmp(real_home, real) == 0);

    free(real_home);
    free(real);
    return is_worth;
}

/* A copy without '/' at its end. */
static char *folder_copy(const char *path)
{
    size_t bytes = strlen(path);

    while (bytes > 1 && path[bytes - 1] == '/')
        bytes--;
    return strndup(path, bytes);
}

static size_t folder_find(const struct workspace *workspace, const char *path)
{
    size_t i = 0;

    while (i < workspace->count && strcmp(workspace->folders[i], path) != 0)
        i++;
    return i;
}

bool workspace_add(struct workspace *workspace, const char *path)
{
    char *folder = folder_copy(path);

    if (!folder || folder[0] != '/' || !is_worth_a_look(folder) ||
        workspace->count == WORKSPACE_FOLDERS_MAX ||
        folder_find(workspace, folder) < workspace->count) {
        free(folder);
        return false;
    }
    workspace->folders[workspace->count++] = folder;
    workspace_touch(workspace);
    return true;
}

void workspace_remove(struct workspace *workspace, const char *path)
{
    char *folder = folder_copy(path);
    const size_t i = folder ? folder_find(workspace, folder) : workspace->count;

    free(folder);
    if (i == workspace->count)
        return;
    free(workspace->folders[i]);
    workspace->folders[i] = workspace->folders[--workspace->count];
    workspace_touch(workspace);
}

bool workspace_set_rules(struct workspace *workspace, const char *rules)
{
    char *copy = strdup(rules);

    if (!copy)
        return false;
    const bool is_new = strcmp(copy, workspace->rules) != 0;
    free(workspace->rules);
    workspace->rules = copy;
    if (is_new) {
        workspace->generation++;
        workspace_touch(workspace);
    }
    return true;
}

void workspace_clear_near(struct workspace *workspace)
{
    for (size_t i = 0; i < workspace->near_count; i++)
        free(workspace->near[i]);
    workspace->near_count = 0;
}

void workspace_add_near(struct workspace *workspace, const char *path)
{
    char *copy = workspace->near_count < WORKSPACE_NEAR_MAX ? strdup(path) : NULL;

    if (!copy)
        return;
    workspace->near[workspace->near_count++] = copy;
    if (workspace->index && index_is_full(workspace->index))
        workspace_touch(workspace);
}

void workspace_set_watched(struct workspace *workspace, bool is_watched)
{
    workspace->is_watched = is_watched;
}

bool workspace_is_watched(const struct workspace *workspace)
{
    return workspace->is_watched;
}

/* --- the index -------------------------------------------------------------------------------------------------------- */

void workspace_touch(struct workspace *workspace)
{
    workspace->is_touched = true;
}

const struct index *workspace_index(struct workspace *workspace)
{
    const uint64_t age_ms = uv_now(workspace->loop) - workspace->built_ms;
    const bool is_busy = workspace->build || uv_is_active((uv_handle_t *)&workspace->timer);

    if (!workspace->is_watched && workspace->index && age_ms > WORKSPACE_STALE_MS)
        workspace->is_touched = true;
    if (workspace->is_touched && !is_busy && !workspace->is_closing)
        uv_timer_start(&workspace->timer, on_due, WORKSPACE_DELAY_MS, 0);

    /* what was built by other rules may hold what these leave out */
    return workspace->index && strcmp(workspace->index_rules, workspace->rules) == 0
               ? workspace->index
               : NULL;
}

void workspace_count(const struct workspace *workspace, struct index_counts *counts)
{
    *counts = (struct index_counts){0};
    if (workspace->index)
        index_count(workspace->index, counts);
}

uint64_t workspace_generation(const struct workspace *workspace)
{
    return workspace->generation;
}

/* --- paths ------------------------------------------------------------------------------------------------------------ */

/* The deepest folder that `path` is below, or NULL. */
static const char *folder_of(const struct workspace *workspace, const char *path)
{
    const char *found = NULL;

    for (size_t i = 0; i < workspace->count; i++) {
        const char *folder = workspace->folders[i];
        const size_t bytes = strlen(folder);
        if (strncmp(path, folder, bytes) == 0 && path[bytes] == '/' &&
            (!found || strlen(found) < bytes))
            found = folder;
    }
    return found;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *workspace_relative(const struct workspace *workspace, const char *path)
{
    const char *folder = folder_of(workspace, path);

    return folder ? path + strlen(folder) + 1 : last_part(path);
}

const char *workspace_name(const struct workspace *workspace, const char *path)
{
    const char *folder = folder_of(workspace, path);

    return folder ? last_part(folder) : "";
}

bool workspace_hides(const struct workspace *workspace, const char *path)
{
    const char *folder = folder_of(workspace, path);

    if (secrets_path(path))
        return true;
    if (!folder)
        return false;
    struct ignore *users = ignore_create(NULL, folder, workspace->rules, strlen(workspace->rules));
    const bool is_hidden = !users || ignore_covers(users, folder, path);
    ignore_destroy(users);
    return is_hidden;
}
