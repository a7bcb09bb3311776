/* A directory that comes to be whole or not at all.
 *
 * It is filled under the name DESTINATION.partial, which stays after an interruption and is found again by the next run;
 * committing makes everything durable and gives it its name in one step. One thread; whoever opens a folder closes it,
 * which leaves the files alone.
 */
#ifndef INFER_COMPRESS_FOLDER_H
#define INFER_COMPRESS_FOLDER_H

#include <stdbool.h>

#include "infer/error.h"

struct folder {
    char *destination;
    char *partial;
};

/* The destination must not exist or be an empty directory. */
bool folder_open(struct folder *folder, const char *destination, struct error *error);
void folder_close(struct folder *folder);

/* Removes every file in the making but the one named. */
bool folder_clear(const struct folder *folder, const char *kept, struct error *error);

/* Copies the regular files of `source` that accept(name) wants. */
bool folder_copy(const struct folder *folder, const char *source, bool (*accept)(const char *name),
                 struct error *error);

/* Calls on_file for every regular file in the making, in order of name. */
bool folder_each(const struct folder *folder,
                 bool (*on_file)(void *user, const char *name, const char *path,
                                 struct error *error),
                 void *user, struct error *error);

/* Renames the folder to its destination. */
bool folder_commit(const struct folder *folder, struct error *error);

#endif
