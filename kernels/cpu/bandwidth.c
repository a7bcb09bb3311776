/* How fast this machine's memory can be read by the team: the limit that decoding runs into. It is read as weights are, from
 * huge pages where there are any. */
#include <stdlib.h>
#include <time.h>

#include "kernels/cpu/cpu_backend.h"

enum {
    BANDWIDTH_BYTES = 512 << 20, /* far more than any cache holds */
    BANDWIDTH_RUNS = 7,
    WORDS_PER_STEP = 16, /* independent sums, few enough to stay in registers */
};

struct reading {
    const uint64_t *words;
    uint64_t sums[THREADS_MAX]; /* of each member, so that nothing is optimised away */
};

static void read_words(void *argument, int member, int64_t first, int64_t last)
{
    struct reading *reading = argument;
    uint64_t sums[WORDS_PER_STEP] = {0}, sum = 0;

    for (int64_t step = first; step < last; step++)
        for (int i = 0; i < WORDS_PER_STEP; i++)
            sums[i] += reading->words[step * WORDS_PER_STEP + i];
    for (int i = 0; i < WORDS_PER_STEP; i++)
        sum += sums[i];
    reading->sums[member] = sum;
}

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

double cpu_read_bandwidth(struct backend *base)
{
    struct cpu_backend *backend = cpu_backend_of(base);
    const int64_t steps = BANDWIDTH_BYTES / (WORDS_PER_STEP * (int64_t)sizeof(uint64_t));
    struct arena arena = {0};
    uint64_t *words = arena_take(&arena, BANDWIDTH_BYTES);
    struct reading reading = {.words = words};
    double seconds[BANDWIDTH_RUNS];

    if (!words)
        return 0.0;
    for (int64_t i = 0; i < steps * WORDS_PER_STEP; i++)
        words[i] = (uint64_t)i;
    for (int run = 0; run < BANDWIDTH_RUNS; run++) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        threads_run(backend->threads, read_words, &reading, steps, 1);
        clock_gettime(CLOCK_MONOTONIC, &end);
        seconds[run] =
            (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
    }
    arena_finish(&arena);
    qsort(seconds, BANDWIDTH_RUNS, sizeof *seconds, compare_doubles);
    return BANDWIDTH_BYTES / seconds[BANDWIDTH_RUNS / 2];
}
