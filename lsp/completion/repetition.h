/* Where a text that a model writes begins to go round in circles.
 *
 * A pure function of the text; no language is asked. What counts as a circle is told by tests/unit/lsp/repetition.c, both ways:
 * code is full of lines that resemble each other, and tables, cases, lists and imports are to be written to their end.
 */
#ifndef LSP_COMPLETION_REPETITION_H
#define LSP_COMPLETION_REPETITION_H

#include <stddef.h>

/* The offset from which on the text says again what it has said before, `bytes` where it does not: the place where a cycle
 * comes for the second time, whose repetitions are exact, count on (x1, x2, x3) or change one name. Lines end with '\n'. What
 * is found does not change with what is appended; whoever knows that no more comes passes a last line with its line end. */
size_t repetition_start(const char *text, size_t bytes);

#endif
