/* The names that a piece of a text refers to: what a definition elsewhere could explain.
 *
 * A name is an identifier as the grammar tells it from keywords, strings and comments (queries/<language>/names.scm). A pure
 * function of tree and text; the tree must be up to date with it, and where there is none there are no names.
 */
#ifndef PARSERS_NAMES_H
#define PARSERS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/syntax.h"

/* A value owned by whoever collected it. */
struct names {
    struct span *items; /* [count], each text once */
    size_t count;
};

/* Distinct names that are collected at most, the nearest ones. */
enum { NAMES_LIMIT = 256 };

/* The distinct names that lie within `range` of `text`, whoever defines them: nearest to `cursor` first. Those of one letter
 * are left out. False when memory is exhausted; then there is nothing to finish. */
bool names_init(struct names *names, const struct syntax *syntax, const char *text,
                struct span range, size_t cursor);
void names_finish(struct names *names);

/* The name that contains `cursor` or ends there; an empty range if none. */
struct span name_at(const struct syntax *syntax, const char *text, size_t cursor);

#endif
