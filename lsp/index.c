/* A file's entry is counted by the indexes that hold it. The counts need no lock: building raises them while the index before
 * stands still, and destroying, which lowers them, never happens meanwhile.
 *
 * Names are found by binary search in a table ordered by hash. */
#include "lsp/index.h"

#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lsp/ignore.h"

/* A file in the state in which it was read. */
struct entry {
    struct definitions *definitions;
    int64_t modified_ns, bytes;
    uint64_t inode;
    int holders;
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
    bool is_unchanged;
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
                                  const struct stat *status)
{
    struct entry **found =
        before && before->count > 0
            ? bsearch(path, before->entries, before->count, sizeof(struct entry *), path_compare)
            : NULL;
    const int64_t modified_ns =
        (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;

    return found && (*found)->modified_ns == modified_ns && (*found)->bytes == status->st_size &&
                   (*found)->inode == status->st_ino
               ? *found
               : NULL;
}

static struct entry *entry_read(const char *path, const struct stat *status)
{
    struct entry *entry = malloc(sizeof *entry);

    if (!entry)
        return NULL;
    *entry = (struct entry){
        .definitions = definitions_read(path),
        .modified_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec,
        .bytes = status->st_size,
        .inode = status->st_ino,
    };
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
    struct index *index;
    const struct index *before;
    const atomic_bool *cancel;
    size_t visits;
    bool has_failed; /* memory is exhausted */
    char path[PATH_MAX];
};

/* Whether there is no point in going on. */
static bool walk_is_over(const struct walk *walk)
{
    return walk->has_failed || atomic_load(walk->cancel) || walk->visits >= INDEX_VISITS_MAX ||
           walk->index->count >= INDEX_FILES_MAX || walk->index->bytes >= INDEX_TEXT_BYTES;
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

/* The file at walk->path. */
static void walk_file(struct walk *walk, const struct stat *status)
{
    if (status->st_size > DEFINITIONS_FILE_BYTES || !definitions_can_read(walk->path))
        return;

    struct entry *entry = entry_before(walk->before, walk->path, status);
    const bool is_known = entry != NULL;
    if (!is_known) {
        entry = entry_read(walk->path, status);
        walk->index->read++;
    }
    if (!entry || !index_add(walk->index, entry)) {
        walk->has_failed = true;
        if (entry && !is_known) {
            entry->holders = 1;
            entry_release(entry);
        }
    }
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

/* --- names ------------------------------------------------------------------------------------------------------------ */

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv: short keys, no adversary. */
static uint64_t hash_name(const char *name, size_t bytes)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(1099511628211);
    return hash;
}

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
                (struct name){hash_name(name, strlen(name)), &list->items[k]};
        }
    }
    qsort(index->names, index->name_count, sizeof *index->names, name_compare);
    return true;
}

/* --- the index -------------------------------------------------------------------------------------------------------- */

struct index *index_build(const struct index *before, const char *const *folders, size_t count,
                          const char *rules, const atomic_bool *cancel)
{
    struct index *index = calloc(1, sizeof *index);
    struct walk *walk = calloc(1, sizeof *walk);

    if (!index || !walk)
        goto fail;
    walk->index = index;
    walk->before = before;
    walk->cancel = cancel;
    for (size_t i = 0; i < count; i++)
        walk_root(walk, folders[i], rules);
    if (walk->has_failed || atomic_load(cancel))
        goto fail;

    if (index->count > 0)
        qsort(index->entries, index->count, sizeof(struct entry *), entry_compare);
    if (!index_names(index))
        goto fail;
    index->is_unchanged = before && before->count == index->count && index->read == 0;
    free(walk);
    return index;

fail:
    free(walk);
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

bool index_is_unchanged(const struct index *index)
{
    return index->is_unchanged;
}

size_t index_find(const struct index *index, const char *name, size_t bytes,
                  const struct definition **found, size_t limit)
{
    const uint64_t hash = hash_name(name, bytes);
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
