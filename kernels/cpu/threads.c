/* Each loop is a round: the caller publishes the work and raises the round's number, every member takes shares of the items
 * until none are left and counts itself out. Processors differ in speed, by design or because others use them too: a fast one
 * takes more shares.
 *
 * A forward pass is hundreds of rounds in quick succession, so members and caller first watch the two counters for a moment;
 * only then do they sleep on a condition. Whoever raises a counter looks whether somebody sleeps. Both sides use sequentially
 * consistent atomics: either the sleeper sees the new number, or the one who raises it sees the sleeper. */
#include "kernels/cpu/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    SPINS = 2000,      /* looks at a counter before sleeping: some tens of microseconds */
    MEMBER_SHARES = 8, /* into which the items are divided, for each member */
};

struct member {
    struct threads *team;
    int index;
    pthread_t thread;
};

/* Something to wait for: sleepers are counted, so that nobody signals in vain. */
struct gate {
    pthread_cond_t condition;
    atomic_int sleepers;
};

struct threads {
    int count;
    struct member *members; /* [count]; the first is the caller and has no thread */

    atomic_uint round;  /* raised for every loop, and to quit */
    atomic_int running; /* members still at work on this round */
    pthread_mutex_t mutex;
    struct gate start, done;

    /* written before `round` is raised, read after it was seen */
    bool quit;
    threads_function *function;
    void *argument;
    int64_t items, share;
    atomic_llong next; /* first item that nobody has taken */
};

static inline void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Wakes whoever sleeps; the counter they look at has been changed. */
static void gate_open(struct threads *team, struct gate *gate)
{
    if (atomic_load(&gate->sleepers) == 0)
        return;
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&gate->condition);
    pthread_mutex_unlock(&team->mutex);
}

/* Waits until the round is another one than `seen`. */
static void wait_for_round(struct threads *team, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&team->round) != seen)
            return;
        relax();
    }
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->start.sleepers, 1);
    while (atomic_load(&team->round) == seen)
        pthread_cond_wait(&team->start.condition, &team->mutex);
    atomic_fetch_sub(&team->start.sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

/* Waits until no member is at work. */
static void wait_for_members(struct threads *team)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&team->running) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->done.sleepers, 1);
    while (atomic_load(&team->running) > 0)
        pthread_cond_wait(&team->done.condition, &team->mutex);
    atomic_fetch_sub(&team->done.sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void work(struct threads *team, int member)
{
    const int64_t items = team->items, share = team->share;

    for (;;) {
        const int64_t first = atomic_fetch_add(&team->next, share);
        if (first >= items)
            return;
        team->function(team->argument, member, first,
                       items - first < share ? items : first + share);
    }
}

static void *member_main(void *argument)
{
    struct member *self = argument;
    struct threads *team = self->team;

    for (unsigned seen = 0;; seen++) {
        wait_for_round(team, seen);
        if (team->quit)
            return NULL;
        work(team, self->index);
        if (atomic_fetch_sub(&team->running, 1) == 1)
            gate_open(team, &team->done);
    }
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
    pthread_cond_init(&team->start.condition, NULL);
    pthread_cond_init(&team->done.condition, NULL);

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

    team->quit = true;
    atomic_fetch_add(&team->round, 1);
    gate_open(team, &team->start);

    for (int i = 1; i < team->count; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->start.condition);
    pthread_cond_destroy(&team->done.condition);
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

    team->function = function;
    team->argument = argument;
    team->items = items;
    team->share = items / ((int64_t)team->count * MEMBER_SHARES);
    if (team->share < grain)
        team->share = grain;
    atomic_store(&team->next, 0);
    atomic_store(&team->running, team->count - 1);
    atomic_fetch_add(&team->round, 1);
    gate_open(team, &team->start);

    work(team, 0);
    wait_for_members(team);
}
