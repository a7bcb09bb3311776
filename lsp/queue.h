/* In which order the worker's jobs run, and which of them give way.
 *
 * The rules of worker.h without threads: the worker calls all of this under its mutex. Jobs are linked, not copied. Functions
 * that find jobs to be done with hand them out as a list, with their errors set, because `done` may not run under a mutex.
 */
#ifndef LSP_QUEUE_H
#define LSP_QUEUE_H

#include "lsp/worker.h"

/* All zero: empty. */
struct queue {
    struct worker_job *completion; /* the one that waits */
    struct worker_job *others;     /* that wait, by class, then in order */
    struct worker_job *running;
};

/* Whether any job waits. */
bool queue_has(const struct queue *queue);

/* Adds a job, and interrupts the running one where that is less urgent. Returns the jobs that are done with: those that it
 * displaced, those dropped while they waited, or itself when too many wait. */
struct worker_job *queue_add(struct queue *queue, struct worker_job *job);

/* The most urgent job becomes the running one; NULL if none waits. */
struct worker_job *queue_take(struct queue *queue);

/* The running job has ended. True if it waits again, false if it is done with. */
bool queue_end(struct queue *queue);

/* Stops the running job, if any, which begins again where its class allows. */
void queue_interrupt(struct queue *queue);

/* Makes a completion of a job in advance, if it waits or runs; returns the jobs that are done with. */
struct worker_job *queue_promote(struct queue *queue, struct worker_job *job);

/* Takes all that wait out, in order, with a copy of that error. */
struct worker_job *queue_clear(struct queue *queue, const struct error *why);

#endif
