/* The thread that computes: it owns the engine and runs jobs on it, one after the other.
 *
 * Completions are urgent: one may run and one may wait, a completion submitted while another waits takes its place, and one
 * that comes while other work runs interrupts that, which begins again later. Other work waits in order of its class and
 * is never displaced. Finished jobs, and the news of the model being loaded, arrive on the loop's thread. A job is a value:
 * it owns copies of all it needs, so nothing else is shared between the threads.
 *
 * All functions are called on the loop's thread; those of a job say where they run.
 */
#ifndef LSP_WORKER_H
#define LSP_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <uv.h>

#include "infer/engine.h"

/* What a job is for, the most urgent first. */
enum worker_class {
    WORKER_COMPLETION,
    WORKER_HOVER,
    WORKER_WRITING, /* commands and code actions */
};

/* Embedded at the start of a caller's own job; zero but for what the caller sets. */
struct worker_job {
    /* Raised by any thread that no longer wants the answer, and by the worker that interrupts; `run` hands it to the engine. Of
     * other jobs than completions it is raised by worker_drop alone. */
    atomic_bool is_cancelled;
    enum worker_class class;
    /* On the worker thread, not called for a job that was cancelled while it waited. After an interruption it is called again,
     * possibly although it had just finished. */
    void (*run)(struct worker_job *job, struct engine *engine);
    /* On the loop's thread, exactly once for every submitted job, run or not; ownership returns with it. */
    void (*done)(struct worker_job *job);
    struct worker_job *next; /* the worker's, as are these */
    bool is_interrupted;
    atomic_bool is_dropped;
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

/* Hands a job over. The completion that was waiting for the same turn, if any, is done with at once. */
void worker_submit(struct worker *worker, struct worker_job *job);

/* Says that nobody wants a job's answer any more; `done` still comes. */
void worker_drop(struct worker_job *job);

/* Cancels everything, waits for the thread (one layer or file read at most), tells every job that it is done, and closes
 * the worker's handle; its memory goes when the loop has run the close callback. NULL is accepted. */
void worker_destroy(struct worker *worker);

#endif
