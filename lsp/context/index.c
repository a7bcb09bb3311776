/* A file's entry is counted by the indexes that hold it. The counts need no lock: building raises them while the index before
 * stands still, and destroying, which lowers them, never happens meanwhile.
 *
 * The folders are walked first and what is found is put in order, so that a limit drops what the user is least likely to name.
 *
 * Names are found by binary search in a table ordered by hash. */
#include "lsp/context/index.h"

#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lsp/context/ignore.h"
#include "lsp/hash.h"

/* How a file was found. */
struct state {
    int64_t modified_ns, bytes;
    uint64_t inode;
};

/* A file in the state in which it was read. */
struct entry {
    struct definitions *definitions;
    struct state state;
    int holders;
};

/* A file that may be read, and what speaks for it. */
struct found {
    char *path;
    struct state state;
    bool is_other; /* in a language that the user does not work in now */
    size_t steps;  /* from folder to folder, to the nearest file that the user works in */
};

struct name {
    uint64_t hash;
    const struct definition *definition;
};

struct index {
    struct entry **entries; /* [count], by path */
    size_t count, capacity;
    struct name *names; /* [name_count], by hash, then path */
    size_t name_count;
    size_t bytes, read;
    bool is_unchanged, is_full;
};

/* --- entries ---------------------------------------------------------------------------------------------------------- */

static void entry_release(struct entry *entry)
{
    if (!entry || --entry->holders > 0)
        return;
    definitions_destroy(entry->definitions);
    free(entry);
}

static int entry_compare(const void *left, const void *right)
{
    const struct entry *a = *(struct entry *const *)left, *b = *(struct entry *const *)right;

    return strcmp(a->definitions->path, b->definitions->path);
}

static int path_compare(const void *path, const void *member)
{
    return strcmp(path, (*(struct entry *const *)member)->definitions->path);
}

/* The entry of the index before, if the file is still in that state. */
static struct entry *entry_before(const struct index *before, const char *path,
                                  const struct state *state)
{
    struct entry **found =
        before && before->count > 0
            ? bsearch(path, before->entries, before->count, sizeof(struct entry *), path_compare)
            : NULL;

    return found && (*found)->state.modified_ns == state->modified_ns &&
                   (*found)->state.bytes == state->bytes && (*found)->state.inode == state->inode
               ? *found
               : NULL;
}

static struct entry *entry_read(const char *path, const struct state *state)
{
    struct entry *entry = malloc(sizeof *entry);

    if (!entry)
        return NULL;
    *entry = (struct entry){.definitions = definitions_read(path), .state = *state};
    if (entry->definitions)
        return entry;
    free(entry);
    return NULL;
}

/* Adds an entry, holding it. */
static bool index_add(struct index *index, struct entry *entry)
{
    if (index->count == index->capacity) {
        const size_t capacity = index->capacity ? 2 * index->capacity : 256;
        struct entry **grown = realloc(index->entries, capacity * sizeof(struct entry *));
        if (!grown)
            return false;
        index->entries = grown;
        index->capacity = capacity;
    }
    entry->holders++;
    index->entries[index->count++] = entry;
    index->bytes += entry->definitions->bytes;
    return true;
}

/* --- walking ---------------------------------------------------------------------------------------------------------- */

struct walk {
    const struct index_source *source;
    const atomic_bool *cancel;
    struct found *found; /* [count] */
    size_t count, capacity;
    size_t visits;
    bool has_failed; /* memory is exhausted */
    char path[PATH_MAX];
};

/* Whether there is no point in going on. */
static bool walk_is_over(const struct walk *walk)
{
    return walk->has_failed || atomic_load(walk->cancel) || walk->visits >= INDEX_VISITS_MAX;
}

/* Folders that hold what others wrote or a machine did, whatever the project ignores. */
static bool is_passed_over(const char *name)
{
    static const char *const names[] = {"node_modules", "__pycache__", "site-packages",
                                        "CMakeFiles"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name[0] == '.';
}

/* How many steps lead from the folder of one file to that of the other. */
static size_t path_steps(const char *path, const char *other)
{
    size_t steps = 0, same = 0; /* up to the last '/' that they have in common */

    for (size_t i = 0; path[i] && path[i] == other[i]; i++)
        same = path[i] == '/' ? i + 1 : same;
    for (const char *at = strchr(path + same, '/'); at; at = strchr(at + 1, '/'))
        steps++;
    for (const char *at = strchr(other + same, '/'); at; at = strchr(at + 1, '/'))
        steps++;
    return steps;
}

/* Says what speaks for a file. */
static void found_judge(struct found *found, const struct index_source *source)
{
    const struct language *language = language_find(NULL, found->path);

    found->is_other = source->near_count > 0;
    found->steps = source->near_count > 0 ? PATH_MAX : 0;
    for (size_t i = 0; i < source->near_count; i++) {
        const size_t steps = path_steps(found->path, source->near[i]);
        found->steps = steps < found->steps ? steps : found->steps;
        found->is_other = found->is_other && language != language_find(NULL, source->near[i]);
    }
}

/* The first one is read first. */
static int found_compare(const void *left, const void *right)
{
    const struct found *a = left, *b = right;

    if (a->is_other != b->is_other)
        return a->is_other ? 1 : -1;
    if (a->steps != b->steps)
        return a->steps < b->steps ? -1 : 1;
    if (a->state.modified_ns != b->state.modified_ns)
        return a->state.modified_ns > b->state.modified_ns ? -1 : 1;
    return strcmp(a->path, b->path);
}

/* The file at walk->path. */
static void walk_file(struct walk *walk, const struct stat *status)
{
    if (status->st_size > DEFINITIONS_FILE_BYTES || !definitions_can_read(walk->path))
        return;

    if (walk->count == walk->capacity) {
        const size_t capacity = walk->capacity ? 2 * walk->capacity : 256;
        struct found *grown = realloc(walk->found, capacity * sizeof *grown);
        walk->has_failed = !grown;
        if (!grown)
            return;
        walk->found = grown;
        walk->capacity = capacity;
    }
    struct found *found = &walk->found[walk->count];
    *found = (struct found){
        .path = strdup(walk->path),
        .state = {(int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec,
                  status->st_size, status->st_ino},
    };
    walk->has_failed = !found->path;
    if (!found->path)
        return;
    found_judge(found, walk->source);
    walk->count++;
}

/* What is in the folder at walk->path, whose rules are `level`. */
static void walk_folder(struct walk *walk, const struct ignore *level, int depth)
{
    DIR *folder = opendir(walk->path);
    const size_t bytes = strlen(walk->path);
    const struct dirent *item;

    while (folder && !walk_is_over(walk) && (item = readdir(folder))) {
        struct stat status;
        const size_t name_bytes = strlen(item->d_name);
        walk->visits++;
        if (bytes + name_bytes + 2 > sizeof walk->path || strcmp(item->d_name, ".") == 0 ||
            strcmp(item->d_name, "..") == 0)
            continue;
        walk->path[bytes] = '/';
        memcpy(walk->path + bytes + 1, item->d_name, name_bytes + 1);

        if (lstat(walk->path, &status) == 0) {
            const bool is_folder = S_ISDIR(status.st_mode);
            if (S_ISREG(status.st_mode) && !ignore_has(level, walk->path, false)) {
                walk_file(walk, &status);
            } else if (is_folder && depth < INDEX_DEPTH_MAX && !is_passed_over(item->d_name) &&
                       !ignore_has(level, walk->path, true)) {
                struct ignore *deeper = ignore_enter(level, walk->path);
                walk->has_failed = walk->has_failed || !deeper;
                walk_folder(walk, deeper, depth + 1);
                ignore_destroy(deeper);
            }
        }
        walk->path[bytes] = '\0';
    }
    if (folder)
        closedir(folder);
}

static void walk_root(struct walk *walk, const char *root, const char *rules)
{
    if (strlen(root) >= sizeof walk->path)
        return;
    strcpy(walk->path, root);
    struct ignore *users = ignore_create(NULL, root, rules, strlen(rules));
    struct ignore *level = users ? ignore_enter_root(users, root) : NULL;
    if (level)
        walk_folder(walk, level, 0);
    walk->has_failed = walk->has_failed || !level;
    ignore_destroy_chain(level ? level : users, NULL);
}

static void walk_finish(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++)
        free(walk->found[i].path);
    free(walk->found);
    free(walk);
}

/* Takes a file's entry from the index before, or reads it; false when memory is exhausted. */
static bool index_take(struct index *index, const struct index *before, const struct found *found)
{
    struct entry *entry = entry_before(before, found->path, &found->state);
    const bool is_known = entry != NULL;

    if (!is_known) {
        entry = entry_read(found->path, &found->state);
        index->read++;
    }
    if (entry && index_add(index, entry))
        return true;
    if (entry && !is_known) {
        entry->holders = 1;
        entry_release(entry);
    }
    return false;
}

/* Takes what was found, in order, up to the limits. */
static bool index_take_all(struct index *index, const struct index *before, const struct walk *walk)
{
    const size_t files_max = walk->source->files_max ? walk->source->files_max : INDEX_FILES_MAX;

    if (walk->count > 0)
        qsort(walk->found, walk->count, sizeof *walk->found, found_compare);
    for (size_t i = 0; i < walk->count; i++) {
        /* of a folder in another one, both of which were named */
        if (i > 0 && strcmp(walk->found[i].path, walk->found[i - 1].path) == 0)
            continue;
        index->is_full = index->count >= files_max || index->bytes >= INDEX_TEXT_BYTES;
        if (index->is_full)
            break;
        if (atomic_load(walk->cancel) || !index_take(index, before, &walk->found[i]))
            return false;
    }
    return true;
}

/* --- names ------------------------------------------------------------------------------------------------------------ */

static int name_compare(const void *left, const void *right)
{
    const struct name *a = left, *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return strcmp(a->definition->path, b->definition->path);
}

static bool index_names(struct index *index)
{
    size_t count = 0;

    for (size_t i = 0; i < index->count; i++)
        count += index->entries[i]->definitions->count;
    index->names = calloc(count + 1, sizeof *index->names);
    if (!index->names)
        return false;
    for (size_t i = 0; i < index->count; i++) {
        const struct definitions *list = index->entries[i]->definitions;
        for (size_t k = 0; k < list->count; k++) {
            const char *name = list->items[k].name;
            index->names[index->name_count++] =
                (struct name){hash_add(hash_start, name, strlen(name)), &list->items[k]};
        }
    }
    qsort(index->names, index->name_count, sizeof *index->names, name_compare);
    return true;
}

/* --- the index -------------------------------------------------------------------------------------------------------- */

struct index *index_build(const struct index *before, const struct index_source *source,
                          const atomic_bool *cancel)
{
    struct index *index = calloc(1, sizeof *index);
    struct walk *walk = calloc(1, sizeof *walk);

    if (!index || !walk)
        goto fail;
    walk->source = source;
    walk->cancel = cancel;
    for (size_t i = 0; i < source->count; i++)
        walk_root(walk, source->folders[i], source->rules);
    if (walk->has_failed || atomic_load(cancel) || !index_take_all(index, before, walk))
        goto fail;

    if (index->count > 0)
        qsort(index->entries, index->count, sizeof(struct entry *), entry_compare);
    if (!index_names(index))
        goto fail;
    index->is_unchanged = before && before->count == index->count && index->read == 0;
    walk_finish(walk);
    return index;

fail:
    if (walk)
        walk_finish(walk);
    index_destroy(index);
    return NULL;
}

void index_destroy(struct index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->count; i++)
        entry_release(index->entries[i]);
    free(index->entries);
    free(index->names);
    free(index);
}

bool index_is_full(const struct index *index)
{
    return index->is_full;
}

bool index_is_unchanged(const struct index *index)
{
    return index->is_unchanged;
}

size_t index_find(const struct index *index, const char *name, size_t bytes,
                  const struct definition **found, size_t limit)
{
    const uint64_t hash = hash_add(hash_start, name, bytes);
    size_t low = 0, high = index->name_count, count = 0;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (index->names[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->name_count && index->names[low].hash == hash; low++) {
        const struct definition *definition = index->names[low].definition;
        if (strlen(definition->name) != bytes || memcmp(definition->name, name, bytes) != 0)
            continue;
        if (count < limit)
            found[count] = definition;
        count++;
    }
    return count;
}

void index_count(const struct index *index, struct index_counts *counts)
{
    *counts = (struct index_counts){index->count, index->name_count, index->bytes, index->read};
}
