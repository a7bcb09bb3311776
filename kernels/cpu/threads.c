/* Each loop is a round: the caller publishes it under the mutex and wakes the team, every member works on its share of the
 * items, and the last one to finish wakes the caller. Shares depend on nothing but the numbers of items and members. */
#include "kernels/cpu/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

struct member {
    struct threads *team;
    int index;
    pthread_t thread;
};

struct threads {
    int count;
    struct member *members; /* [count]; the first is the caller and has no thread */

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t start, done;
    bool quit;
    uint64_t round;
    int running; /* members still at work on this round */
    threads_function *function;
    void *argument;
    int64_t items;
};

static void work(struct threads *team, int member)
{
    const int64_t first = team->items * member / team->count;
    const int64_t last = team->items * (member + 1) / team->count;

    if (first < last)
        team->function(team->argument, member, first, last);
}

static void *member_main(void *argument)
{
    struct member *self = argument;
    struct threads *team = self->team;
    uint64_t seen = 0;

    pthread_mutex_lock(&team->mutex);
    for (;;) {
        while (!team->quit && team->round == seen)
            pthread_cond_wait(&team->start, &team->mutex);
        if (team->quit)
            break;
        seen = team->round;

        pthread_mutex_unlock(&team->mutex);
        work(team, self->index);
        pthread_mutex_lock(&team->mutex);
        if (--team->running == 0)
            pthread_cond_signal(&team->done);
    }
    pthread_mutex_unlock(&team->mutex);
    return NULL;
}

static int processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return CPU_COUNT(&set);
}

struct threads *threads_create(int count)
{
    if (count <= 0)
        count = processors();
    if (count > THREADS_MAX)
        count = THREADS_MAX;

    struct threads *team = calloc(1, sizeof *team);
    if (!team)
        return NULL;
    team->members = calloc((size_t)count, sizeof *team->members);
    if (!team->members) {
        free(team);
        return NULL;
    }
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->start, NULL);
    pthread_cond_init(&team->done, NULL);

    team->count = 1;
    for (int i = 1; i < count; i++) {
        team->members[i] = (struct member){.team = team, .index = i};
        if (pthread_create(&team->members[i].thread, NULL, member_main, &team->members[i]) != 0) {
            threads_destroy(team);
            return NULL;
        }
        team->count++;
    }
    return team;
}

void threads_destroy(struct threads *team)
{
    if (!team)
        return;

    pthread_mutex_lock(&team->mutex);
    team->quit = true;
    pthread_cond_broadcast(&team->start);
    pthread_mutex_unlock(&team->mutex);

    for (int i = 1; i < team->count; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->start);
    pthread_cond_destroy(&team->done);
    pthread_mutex_destroy(&team->mutex);
    free(team->members);
    free(team);
}

int threads_count(const struct threads *team)
{
    return team->count;
}

void threads_run(struct threads *team, threads_function *function, void *argument, int64_t items,
                 int64_t grain)
{
    if (team->count == 1 || items < 2 * grain) {
        if (items > 0)
            function(argument, 0, 0, items);
        return;
    }

    pthread_mutex_lock(&team->mutex);
    team->function = function;
    team->argument = argument;
    team->items = items;
    team->running = team->count - 1;
    team->round++;
    pthread_cond_broadcast(&team->start);
    pthread_mutex_unlock(&team->mutex);

    work(team, 0);

    pthread_mutex_lock(&team->mutex);
    while (team->running > 0)
        pthread_cond_wait(&team->done, &team->mutex);
    pthread_mutex_unlock(&team->mutex);
}
