/* How alike two pieces of text are: by the words they use, and by the lines they share.
 *
 * A set is a value that owns its table, made from one text and compared with others in one pass over them, without memory of
 * its own. Hashes stand for words and lines: what collides counts as the same, which costs nothing but a little sharpness.
 * Any thread may use a set, one at a time.
 */
#ifndef LSP_CONTEXT_LIKENESS_H
#define LSP_CONTEXT_LIKENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words or lines beyond these are left out. */
enum { LIKENESS_MEMBERS_MAX = 8 * 1024 };

struct likeness {
    struct likeness_slot {
        uint32_t hash; /* 0: free */
        uint32_t seen; /* the comparison that met it last */
    } * slots;         /* [2 * LIKENESS_MEMBERS_MAX] */
    uint32_t comparisons;
    size_t count;
};

/* The identifiers of a text, those of one letter and numbers left out; or its lines, without the white space around them and
 * without those of fewer than LIKENESS_LINE_BYTES. False when memory is exhausted; finish it all the same. */
enum { LIKENESS_LINE_BYTES = 3 };
bool likeness_of_words(struct likeness *set, const char *text, size_t bytes);
bool likeness_of_lines(struct likeness *set, const char *text, size_t bytes);
void likeness_add_lines(struct likeness *set, const char *text, size_t bytes);
void likeness_finish(struct likeness *set);

/* Of a set of words: how many members the words of `text` have in common with it, divided by how many there are in both
 * together (Jaccard's index), 0..1. */
double likeness_words(struct likeness *set, const char *text, size_t bytes);

/* Of a set of lines: the share of the lines of `text` that are in it, 0..1; 1 for a text without lines that count. */
double likeness_lines(struct likeness *set, const char *text, size_t bytes);

#endif
