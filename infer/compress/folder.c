/* rename(2) replaces an empty directory but no other, so nothing is ever overwritten, even if it appeared meanwhile. */
#include "infer/compress/folder.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "infer/compress/output.h"
#include "infer/file.h"

enum { FILES_MAX = 10000 };

static int is_visible(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

/* Whether nothing would be overwritten. */
static bool is_free(const char *path, struct error *error)
{
    struct dirent **names = NULL;
    const int count = scandir(path, &names, is_visible, NULL);

    if (count < 0)
        return errno == ENOENT || error_set_system(error, path, "use as a destination");
    free_names(names, count);
    return count == 0 ||
           error_set(error, ERROR_INPUT,
                     "%s: exists and is not empty; name another destination or remove it", path);
}

bool folder_open(struct folder *folder, const char *destination, struct error *error)
{
    size_t length = strlen(destination);

    *folder = (struct folder){0};
    while (length > 1 && destination[length - 1] == '/')
        length--;
    folder->destination = strndup(destination, length);
    if (!folder->destination || asprintf(&folder->partial, "%s.partial", folder->destination) < 0)
        return error_set(error, ERROR_MEMORY, "%s: not enough memory", destination);
    if (!is_free(folder->destination, error))
        return false;
    return mkdir(folder->partial, 0777) == 0 || errno == EEXIST ||
           error_set_system(error, folder->partial, "make");
}

void folder_close(struct folder *folder)
{
    free(folder->destination);
    free(folder->partial);
    *folder = (struct folder){0};
}

/* As folder_each, over any directory. */
static bool each_file(const char *directory,
                      bool (*on_file)(void *user, const char *name, const char *path,
                                      struct error *error),
                      void *user, struct error *error)
{
    struct dirent **names = NULL;
    const int count = scandir(directory, &names, is_visible, alphasort);
    bool done = count >= 0 || error_set_system(error, directory, "list");

    if (count > FILES_MAX)
        done = error_set(error, ERROR_LIMIT, "%s: more than %d files", directory, FILES_MAX);
    for (int i = 0; done && i < count; i++) {
        struct stat status;
        char *path = file_path(directory, names[i]->d_name, error);
        done = path != NULL;
        if (path && stat(path, &status) == 0 && S_ISREG(status.st_mode))
            done = on_file(user, names[i]->d_name, path, error);
        free(path);
    }
    free_names(names, count);
    return done;
}

static bool remove_file(void *user, const char *name, const char *path, struct error *error)
{
    return strcmp(name, user) == 0 || unlink(path) == 0 || error_set_system(error, path, "remove");
}

bool folder_clear(const struct folder *folder, const char *kept, struct error *error)
{
    return each_file(folder->partial, remove_file, (void *)kept, error);
}

/* What folder_copy's walk needs to know. */
struct copying {
    const struct folder *folder;
    bool (*accept)(const char *name);
};

static bool copy_file(void *user, const char *name, const char *path, struct error *error)
{
    const struct copying *copying = user;

    if (!copying->accept(name))
        return true;
    char *copy = file_path(copying->folder->partial, name, error);
    const bool copied = copy && output_copy(path, copy, error);
    free(copy);
    return copied;
}

bool folder_copy(const struct folder *folder, const char *source, bool (*accept)(const char *name),
                 struct error *error)
{
    return each_file(source, copy_file, &(struct copying){folder, accept}, error);
}

bool folder_each(const struct folder *folder,
                 bool (*on_file)(void *user, const char *name, const char *path,
                                 struct error *error),
                 void *user, struct error *error)
{
    return each_file(folder->partial, on_file, user, error);
}

bool folder_commit(const struct folder *folder, struct error *error)
{
    char *copy = strdup(folder->destination);

    if (!copy)
        return error_set(error, ERROR_MEMORY, "%s: not enough memory", folder->destination);
    const bool committed = output_sync_directory(folder->partial, error) &&
                           output_rename(folder->partial, folder->destination, error) &&
                           output_sync_directory(dirname(copy), error);
    free(copy);
    return committed;
}
