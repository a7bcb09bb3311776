/* A team of threads that share the rows of one loop.
 *
 * Private to the CPU backend. The caller's own thread is the team's first member; the others sleep between loops. One loop
 * runs at a time.
 */
#ifndef KERNELS_CPU_THREADS_H
#define KERNELS_CPU_THREADS_H

#include <stdint.h>

struct threads;

/* Works on items [first, last) as member `member` (0..count - 1); may be called more than once in a loop. */
typedef void threads_function(void *argument, int member, int64_t first, int64_t last);

enum { THREADS_MAX = 256 };

/* `count` members, the caller included; 0: one per processor this process may use. NULL when the system gives no more. */
struct threads *threads_create(int count);
void threads_destroy(struct threads *threads);
int threads_count(const struct threads *threads);

/* Hands [0, items) to the members in shares of `grain` or more items and returns when all are done; a member may get several
 * shares. Loops with fewer items than `grain` times two run on the caller alone. */
void threads_run(struct threads *threads, threads_function *function, void *argument, int64_t items,
                 int64_t grain);

#endif
