/* Two places to go back to are enough: where the last '*' began, which may take one more byte of its folder, and where the last
 * "**" began, which may take one more byte of anything. An earlier star never needs another try, since whatever it could
 * still take, the later one can take as well. */
#include "lsp/glob.h"

#include <string.h>

/* Whether a class that begins behind its '[' holds `byte`; *pattern moves behind the ']'. */
static bool class_holds(const char **pattern, const char *end, char byte)
{
    const char *at = *pattern;
    const bool is_negated = at < end && (*at == '!' || *at == '^');
    bool is_held = false, is_first = true;

    for (at += is_negated; at < end && (*at != ']' || is_first); is_first = false) {
        at += *at == '\\' && at + 1 < end;
        const unsigned char low = (unsigned char)*at++;
        unsigned char high = low;
        if (at + 1 < end && *at == '-' && at[1] != ']') {
            at += at[1] == '\\' && at + 2 < end ? 2 : 1;
            high = (unsigned char)*at++;
        }
        is_held = is_held || (low <= (unsigned char)byte && (unsigned char)byte <= high);
    }
    *pattern = at + 1;
    return at < end && byte != '/' && is_held != is_negated;
}

/* Whether what `pattern` begins with, which is no star, fits `byte`; *pattern moves behind it. */
static bool one_fits(const char **pattern, const char *end, char byte)
{
    const char token = *(*pattern)++;

    if (token == '?')
        return byte != '/';
    if (token == '[')
        return class_holds(pattern, end, byte);
    if (token == '\\' && *pattern < end)
        return *(*pattern)++ == byte;
    return token == byte;
}

/* A place to go back to: the pattern behind a star, and the path from which that is to be tried. */
struct retry {
    const char *pattern, *path;
};

/* Passes over a star at `pattern` and notes what to go back to. A star of its folder ends the hope of no earlier "**". */
static const char *enter_star(const char *pattern, const char *end, const char *path,
                              struct retry *star, struct retry *stars)
{
    if (pattern + 1 == end || pattern[1] != '*') {
        *star = (struct retry){pattern + 1, path};
        return pattern + 1;
    }
    for (pattern += 2; pattern < end && *pattern == '*';)
        pattern++;

    /* what follows a folder may follow at once, or at the beginning of any folder below */
    *stars = (struct retry){pattern, path};
    *star = (struct retry){0};
    return pattern < end && *pattern == '/' ? pattern + 1 : pattern;
}

bool glob_fits(const char *pattern, size_t bytes, const char *path)
{
    const char *end = pattern + bytes;
    struct retry star = {0}, stars = {0};

    while (*path || pattern < end) {
        if (pattern < end && *pattern == '*') {
            pattern = enter_star(pattern, end, path, &star, &stars);
            continue;
        }
        if (pattern < end && *path && one_fits(&pattern, end, *path)) {
            path++;
            continue;
        }

        /* no: the last star takes one byte more */
        if (star.pattern && *star.path && *star.path != '/') {
            path = ++star.path;
            pattern = star.pattern;
        } else if (stars.pattern && *stars.path) {
            path = ++stars.path;
            pattern = stars.pattern;
            star = (struct retry){0};
        } else {
            return false;
        }
    }
    return true;
}
