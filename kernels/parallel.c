/* Members of a team draw items from one counter, so that uneven items still end together. */
#include "kernels/parallel.h"

#include <stdatomic.h>

#include "kernels/cpu/threads.h"

struct draw {
    atomic_llong next;
    int64_t items;
    void (*function)(void *argument, int64_t item);
    void *argument;
};

static void draw_items(void *argument, int member, int64_t first, int64_t last)
{
    struct draw *draw = argument;
    int64_t item;

    (void)member;
    (void)first;
    (void)last;
    while ((item = atomic_fetch_add(&draw->next, 1)) < draw->items)
        draw->function(draw->argument, item);
}

bool parallel_for(int threads, int64_t items, void (*function)(void *argument, int64_t item),
                  void *argument)
{
    struct draw draw = {.items = items, .function = function, .argument = argument};
    struct threads *team = threads_create(threads);

    if (!team)
        return false;
    threads_run(team, draw_items, &draw, threads_count(team), 1);
    threads_destroy(team);
    return true;
}
