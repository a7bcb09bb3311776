/* Capacity doubles, so appending one at a time costs as much as appending all at once. */
#include "infer/token_list.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIST_MIN_CAPACITY = 64 };

bool token_list_append(struct token_list *list, const int32_t *ids, size_t count)
{
    if (count > list->capacity - list->count) {
        size_t capacity = list->capacity ? list->capacity * 2 : TOKEN_LIST_MIN_CAPACITY;
        if (capacity < list->count + count)
            capacity = list->count + count;
        int32_t *grown = realloc(list->ids, capacity * sizeof *grown);
        if (!grown)
            return false;
        list->ids = grown;
        list->capacity = capacity;
    }
    if (count > 0)
        memcpy(list->ids + list->count, ids, count * sizeof *ids);
    list->count += count;
    return true;
}

void token_list_finish(struct token_list *list)
{
    free(list->ids);
    *list = (struct token_list){0};
}
