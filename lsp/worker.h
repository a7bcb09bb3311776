/* The thread that computes: it owns the engine and runs jobs on it, one after the other.
 *
 * One job may run and one may wait; a job submitted while another waits takes its place. Finished jobs, and the news of the
 * model being loaded, arrive on the loop's thread. A job is a value: it owns copies of all it needs, so nothing else is
 * shared between the threads.
 *
 * All functions are called on the loop's thread; those of a job say where they run.
 */
#ifndef LSP_WORKER_H
#define LSP_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <uv.h>

#include "infer/engine.h"

/* Embedded at the start of a caller's own job. */
struct worker_job {
    /* Raised by any thread that no longer wants the answer; `run` hands it to the engine. */
    atomic_bool is_cancelled;
    /* On the worker thread, not called for a job that was cancelled while it waited. */
    void (*run)(struct worker_job *job, struct engine *engine);
    /* On the loop's thread, exactly once for every submitted job, run or not; ownership returns with it. */
    void (*done)(struct worker_job *job);
    struct worker_job *next; /* the worker's */
};

/* What becomes of the model, told on the loop's thread. */
struct worker_events {
    void (*on_progress)(void *user, double fraction); /* 0..1 */
    /* Either `info` (its strings valid until worker_destroy) or `error`; once. */
    void (*on_loaded)(void *user, const struct engine_info *info, const struct error *error);
    void *user;
};

struct worker;

struct worker *worker_create(uv_loop_t *loop, struct error *error);

/* Opens the engine; `options` is copied, its cancel flag and callbacks are the worker's own. Called at most once, and no job
 * is submitted before `on_loaded` has told of success. False when memory is exhausted. */
bool worker_load(struct worker *worker, const struct engine_options *options,
                 const struct worker_events *events);

/* Hands a job over. The job that was waiting, if any, is done with at once. */
void worker_submit(struct worker *worker, struct worker_job *job);

/* Cancels everything, waits for the thread (one layer or file read at most), tells every job that it is done, and closes
 * the worker's handle; its memory goes when the loop has run the close callback. NULL is accepted. */
void worker_destroy(struct worker *worker);

#endif
