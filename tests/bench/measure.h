/* What is counted of completions in gaps whose text is known, whichever way they are made: one at a place, or all that come
 * while the gap is typed.
 *
 * Asserts what must hold; for measurements alone.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "lsp/completion/candidates.h"

/* A text with a gap, which `middle` filled; borrowed. */
struct gap {
    const struct language *language;
    const char *prefix, *middle, *suffix;
};

/* Where in a gap: where the set cut it, within a word, behind a space and behind a mark. */
enum measure_place { MEASURE_SET, MEASURE_WORD, MEASURE_SPACE, MEASURE_MARK, MEASURE_PLACES };

enum { MEASURE_GAPS = 1000 }; /* more than there are */

/* Offset in a middle of the first place of a kind; -1 where there is none. */
int measure_find_place(const char *middle, enum measure_place place);

/* Gives the gaps of tests/fixtures/eval one after the other, `limit` at most; each is valid during the call. */
void measure_gaps(int limit, void (*on_gap)(void *user, int number, const struct gap *gap),
                  void *user);

/* How completions are made, and who wants to see each of them. */
struct way {
    /* Completes where `typed` bytes of the middle stand already; the caller finishes the candidates, also empty ones. */
    void (*complete)(void *user, const struct gap *gap, int typed, struct candidates *candidates);

    /* Told of each text and whether its first line is right; may be NULL. */
    void (*note)(void *user, const struct gap *gap, const struct candidates *candidates,
                 bool is_right);
    void *user;
};

/* Exact: the first line shown is the rest of the gap's line. Right: it is true as far as it goes. Sound: accepting leaves no
 * more parse errors than there were. */
struct score {
    int asked, shown, exact, right, sound;
};

/* A line as it is typed: what is shown is accepted, with one keystroke, as soon as the gap really goes on like that. */
struct typing {
    int characters, keystrokes, shown, accepted;
    long prompt_tokens, reused_tokens, completion_tokens;
};

/* The document with the cursor at that place of its middle; the caller frees it. */
char *measure_document(const struct gap *gap, int typed, size_t *cursor);

/* The length of a text's first line without blanks at its end. */
size_t measure_first_line(const char *text);

void measure_score(const struct way *way, const struct gap *gap, int typed, struct score *score);
void measure_typing(const struct way *way, const struct gap *gap, struct typing *typing);

/* In percent; 0 of nothing. */
double measure_percent(long part, long whole);

void measure_print_score(const char *name, const struct score *score);
void measure_print_typing(const char *name, const struct typing *typing);

#endif
