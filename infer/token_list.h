/* A growing list of token ids: a prompt, or what a model has written. A value with one owner.
 */
#ifndef INFER_TOKEN_LIST_H
#define INFER_TOKEN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise it; `token_list_finish` frees what it holds. */
struct token_list {
    int32_t *ids; /* [count] */
    size_t count, capacity;
};

/* Appends ids; false when memory is exhausted. */
bool token_list_append(struct token_list *list, const int32_t *ids, size_t count);
void token_list_finish(struct token_list *list);

#endif
