/* Two places to go back to are enough: where the last '*' began, which may take one more byte of its folder, and where the last
 * "**" began, which may take one more folder. An earlier star never needs another try, since whatever it could still take, the
 * later one can take as well. The rules are those of Git's wildmatch.
 */
#include "lsp/context/glob.h"

#include <ctype.h>
#include <string.h>

/* Classes by name, as POSIX has them within brackets. */
struct named_class {
    const char *name;
    int (*holds)(int);
};

/* The ":]" of the named class that begins at `at` with "[:"; NULL where none does. */
static const char *named_close(const char *at, const char *end)
{
    if (end - at < 2 || at[0] != '[' || at[1] != ':')
        return NULL;
    const char *close = memchr(at + 2, ']', (size_t)(end - at - 2));
    return close && close > at + 2 && close[-1] == ':' ? close - 1 : NULL;
}

/* Whether the class named by [name, close) holds `byte`; *is_known is false where no class is called so. */
static bool named_holds(const char *name, const char *close, char byte, bool *is_known)
{
    static const struct named_class classes[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
        {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
        {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
    };

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strlen(classes[i].name) == (size_t)(close - name) &&
            memcmp(name, classes[i].name, (size_t)(close - name)) == 0)
            return classes[i].holds((unsigned char)byte);
    *is_known = false;
    return false;
}

/* The character at *pattern, which moves behind it; a '\\' only says that it stands for itself. */
static unsigned char class_byte(const char **pattern, const char *end)
{
    *pattern += **pattern == '\\' && *pattern + 1 < end;
    return (unsigned char)*(*pattern)++;
}

/* Whether a class that begins behind its '[' holds `byte`; *pattern moves behind the ']'. */
static bool class_holds(const char **pattern, const char *end, char byte)
{
    const char *at = *pattern;
    const bool is_negated = at < end && (*at == '!' || *at == '^');
    bool is_held = false, is_first = true, is_known = true;

    for (at += is_negated; at < end && (*at != ']' || is_first) && is_known; is_first = false) {
        const char *close = named_close(at, end);
        if (close) {
            is_held = named_holds(at + 2, close, byte, &is_known) || is_held;
            at = close + 2;
            continue;
        }
        const unsigned char low = class_byte(&at, end);
        unsigned char high = low;
        if (end - at > 1 && at[0] == '-' && at[1] != ']') {
            at++;
            high = class_byte(&at, end);
        }
        is_held = is_held || (low <= (unsigned char)byte && (unsigned char)byte <= high);
    }
    *pattern = at + 1;
    return at < end && is_known && byte != '/' && is_held != is_negated;
}

/* Whether what `pattern` begins with, which is no star, fits `byte`; *pattern moves behind it. */
static bool one_fits(const char **pattern, const char *end, char byte)
{
    const char token = *(*pattern)++;

    if (token == '?')
        return byte != '/';
    if (token == '[')
        return class_holds(pattern, end, byte);
    if (token == '\\')
        return *pattern < end && *(*pattern)++ == byte;
    return token == byte;
}

/* A place to go back to: the pattern behind a star, and the path from which that is to be tried. */
struct retry {
    const char *pattern, *path;
};

/* Behind the stars at `pattern`. */
static const char *skip_stars(const char *pattern, const char *end)
{
    while (pattern < end && *pattern == '*')
        pattern++;
    return pattern;
}

/* Whether the stars at `at` stand for whole folders: two, and nothing else between slashes. */
static bool is_folders(const char *pattern, const char *at, const char *end)
{
    const char *behind = skip_stars(at, end);

    return behind - at >= 2 && (at == pattern || at[-1] == '/') &&
           (behind == end || *behind == '/');
}

bool glob_fits(const char *pattern, size_t bytes, const char *path)
{
    const char *at = pattern, *end = pattern + bytes;
    struct retry star = {0}, folders = {0};

    while (*path || at < end) {
        if (at < end && *at == '*') {
            /* a star of its folder ends the hope of no earlier "**" */
            const bool has_folders = is_folders(pattern, at, end);
            at = skip_stars(at, end);
            if (has_folders && at == end)
                return true;
            at += has_folders;
            *(has_folders ? &folders : &star) = (struct retry){at, path};
            if (has_folders)
                star = (struct retry){0};
            continue;
        }
        if (at < end && *path && one_fits(&at, end, *path)) {
            path++;
            continue;
        }

        /* no: the last star takes one byte more, or the last folders one folder more */
        if (star.pattern && *star.path && *star.path != '/') {
            path = ++star.path;
            at = star.pattern;
        } else if (folders.pattern && (path = strchr(folders.path, '/'))) {
            folders.path = ++path;
            at = folders.pattern;
            star = (struct retry){0};
        } else {
            return false;
        }
    }
    return true;
}
