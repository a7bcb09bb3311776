/* Each level keeps the text of its rules and where each one lies in it. A path is asked about from the deepest level up and in
 * each from the last rule to the first, so that the first one that fits is the one that decides. */
#include "lsp/context/ignore.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lsp/context/glob.h"

struct rule {
    const char *pattern; /* [bytes], in the level's text */
    size_t bytes;
    bool takes_back, is_for_folders, is_anchored;
};

struct ignore {
    const struct ignore *above;
    char *folder; /* absolute, without '/' at its end */
    char *text;
    struct rule *rules; /* [count] */
    size_t count;
};

/* Of UTF-8, which some editors begin files with. */
static const char byte_order_mark[] = "\xEF\xBB\xBF";

/* Length of a line without the carriage return at its end and the blanks there that no '\\' protects. */
static size_t line_trim(const char *line, size_t bytes)
{
    size_t kept = 0;

    bytes -= bytes > 0 && line[bytes - 1] == '\r';
    for (size_t at = 0; at < bytes; at++) {
        const bool is_protected = line[at] == '\\' && at + 1 < bytes;
        at += is_protected;
        kept = is_protected || line[at] != ' ' ? at + 1 : kept;
    }
    return kept;
}

/* Reads a line; false for one that is no rule. */
static bool rule_read(struct rule *rule, const char *line, size_t bytes)
{
    bytes = line_trim(line, bytes);
    if (bytes == 0 || line[0] == '#')
        return false;

    *rule = (struct rule){.takes_back = line[0] == '!'};
    line += rule->takes_back;
    bytes -= rule->takes_back;
    if (bytes > 0 && line[bytes - 1] == '/') {
        rule->is_for_folders = true;
        bytes--;
    }
    rule->is_anchored = memchr(line, '/', bytes) != NULL;
    if (bytes > 0 && line[0] == '/') {
        line++;
        bytes--;
    }
    rule->pattern = line;
    rule->bytes = bytes;
    return bytes > 0;
}

struct ignore *ignore_create(const struct ignore *above, const char *folder, const char *text,
                             size_t bytes)
{
    struct ignore *level = calloc(1, sizeof *level);
    size_t lines = 1;

    if (!level)
        return NULL;
    for (size_t i = 0; i < bytes; i++)
        lines += text[i] == '\n';
    lines = lines < IGNORE_RULES_MAX ? lines : IGNORE_RULES_MAX;

    level->above = above;
    level->folder = strdup(folder);
    level->text = malloc(bytes + 1);
    level->rules = calloc(lines, sizeof *level->rules);
    if (!level->folder || !level->text || !level->rules) {
        ignore_destroy(level);
        return NULL;
    }
    memcpy(level->text, bytes ? text : "", bytes);
    level->text[bytes] = '\0';
    const char *end = level->text + bytes;
    const size_t mark = sizeof byte_order_mark - 1;
    const bool has_mark = bytes >= mark && memcmp(level->text, byte_order_mark, mark) == 0;
    for (const char *line = level->text + (has_mark ? mark : 0);
         line < end && level->count < lines;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;
        level->count += rule_read(&level->rules[level->count], line, (size_t)(line_end - line));
        line = line_end + 1;
    }
    return level;
}

/* A level with the rules of one file for what is below `folder`. */
static struct ignore *ignore_read(const struct ignore *above, const char *folder, const char *path)
{
    /* a pipe in its place must not make us wait */
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    char *text = file ? malloc(IGNORE_FILE_BYTES) : NULL;
    size_t bytes = text ? fread(text, 1, IGNORE_FILE_BYTES, file) : 0;
    struct ignore *level = ignore_create(above, folder, text, bytes);

    if (file)
        fclose(file);
    else if (descriptor >= 0)
        close(descriptor);
    free(text);
    return level;
}

struct ignore *ignore_enter(const struct ignore *above, const char *folder)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/.gitignore", folder) >= (int)sizeof path)
        return ignore_create(above, folder, NULL, 0);
    return ignore_read(above, folder, path);
}

void ignore_destroy(struct ignore *level)
{
    if (!level)
        return;
    free(level->folder);
    free(level->text);
    free(level->rules);
    free(level);
}

/* The part of `path` below `folder`; NULL where it is not below. */
static const char *path_below(const char *folder, const char *path)
{
    const size_t bytes = strlen(folder);

    return strncmp(folder, path, bytes) == 0 && path[bytes] == '/' ? path + bytes + 1 : NULL;
}

bool ignore_has(const struct ignore *level, const char *path, bool is_folder)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    for (; level; level = level->above) {
        const char *below = path_below(level->folder, path);
        for (size_t i = level->count; below && i > 0; i--) {
            const struct rule *rule = &level->rules[i - 1];
            if ((is_folder || !rule->is_for_folders) &&
                glob_fits(rule->pattern, rule->bytes, rule->is_anchored ? below : name))
                return !rule->takes_back;
        }
    }
    return false;
}

static bool has_git(const char *folder)
{
    char path[PATH_MAX];
    struct stat status;

    return snprintf(path, sizeof path, "%s/.git", folder) < (int)sizeof path &&
           stat(path, &status) == 0;
}

/* Length of the path of the nearest folder, `root` or one above, that has a .git; that of `root` where none has. */
static size_t repository_bytes(const char *root)
{
    char folder[PATH_MAX];

    if (snprintf(folder, sizeof folder, "%s", root) >= (int)sizeof folder)
        return strlen(root);
    for (char *slash = folder + strlen(folder); slash; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (has_git(folder))
            return strlen(folder);
    }
    return strlen(root);
}

struct ignore *ignore_enter_root(const struct ignore *above, const char *root)
{
    char folder[PATH_MAX], exclude[PATH_MAX];
    size_t bytes = repository_bytes(root);

    if (strlen(root) + sizeof "/.git/info/exclude" > sizeof folder)
        return ignore_create(above, root, NULL, 0);
    snprintf(folder, sizeof folder, "%s", root);
    folder[bytes] = '\0';
    snprintf(exclude, sizeof exclude, "%.*s/.git/info/exclude", (int)bytes, root);

    /* the repository's list, then a level for every folder down to the root */
    struct ignore *level = ignore_read(above, folder, exclude);
    while (level) {
        struct ignore *deeper = ignore_enter(level, folder);
        if (!deeper) {
            ignore_destroy_chain(level, above);
            return NULL;
        }
        level = deeper;
        if (!root[bytes])
            break;
        folder[bytes] = '/';
        bytes += 1 + strcspn(root + bytes + 1, "/");
        folder[bytes] = '\0';
    }
    return level;
}

void ignore_destroy_chain(struct ignore *level, const struct ignore *above)
{
    while (level != above) {
        struct ignore *next = (struct ignore *)level->above;
        ignore_destroy(level);
        level = next;
    }
}

bool ignore_covers(const struct ignore *above, const char *root, const char *path)
{
    struct ignore *level = ignore_enter_root(above, root);
    char *folder = strdup(path);
    const char *below = path_below(root, path);
    /* what cannot be found out counts as ignored */
    bool is_ignored = !level || !folder;

    for (size_t at = strlen(root); !is_ignored && below && path[at];) {
        at += 1 + strcspn(path + at + 1, "/");
        const bool is_folder = path[at] == '/';
        folder[at] = '\0';
        is_ignored = ignore_has(level, folder, is_folder);
        if (!is_ignored && is_folder) {
            struct ignore *deeper = ignore_enter(level, folder);
            is_ignored = !deeper;
            level = deeper ? deeper : level;
            folder[at] = '/';
        }
    }
    ignore_destroy_chain(level, above);
    free(folder);
    return is_ignored;
}
