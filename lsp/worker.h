/* The thread that computes: it owns the engine and runs jobs on it, one after the other.
 *
 * Jobs wait in order of their class, and a more urgent one interrupts one that runs: hovers and commands begin again later,
 * what is written in advance is dropped. Of completions one may run and one may wait; a newer one takes the place of that
 * which waits. A job is a value: it owns copies of all it needs, so nothing else is shared between the threads.
 *
 * Weights take memory only while they are of use: after an idle time the engine is closed, and the next job has it opened
 * again. What becomes of the model, and finished jobs, arrive on the loop's thread. Where there is no engine to be had, jobs
 * are done with the error that says why.
 *
 * All functions are called on the loop's thread; those of a job say where they run.
 */
#ifndef LSP_WORKER_H
#define LSP_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>

#include <uv.h>

#include "infer/engine.h"

enum {
    WORKER_JOBS_MAX = 32, /* that wait; more are refused */
};

/* What a job is for, the most urgent first. */
enum worker_class {
    WORKER_COMPLETION,
    WORKER_HOVER,
    WORKER_WRITING,  /* commands and code actions */
    WORKER_PREFETCH, /* completions that nobody has asked for yet */
};

/* Embedded at the start of a caller's own job; zero but for what the caller sets. */
struct worker_job {
    /* Raised by worker_drop, and by the worker when it interrupts; `run` hands it to the engine. */
    atomic_bool is_cancelled;
    enum worker_class class;
    /* On the worker thread, not called for a job that was cancelled while it waited. Says in job->error what went wrong. After
     * an interruption that ended it with ERROR_CANCELLED it is called again. */
    void (*run)(struct worker_job *job, struct engine *engine);
    /* On the loop's thread, exactly once for every submitted job, run or not; ownership returns with it. */
    void (*done)(struct worker_job *job);
    /* Why there is no answer: out of `run`, or where that was never called ERROR_CANCELLED for a job that gave way, ERROR_LIMIT
     * for one too many, else why there is no engine. */
    struct error error;
    struct worker_job *next; /* the worker's, as are these */
    bool is_interrupted;
    atomic_bool is_dropped;
};

/* What becomes of the model, told on the loop's thread. */
struct worker_events {
    /* From 0, when loading begins, to 1; also when it is loaded again after an idle time. */
    void (*on_loading)(void *user, double fraction);
    /* Either `info`, valid until the next of these calls or worker_destroy, or `error`: then nothing more is tried until
     * worker_load. */
    void (*on_loaded)(void *user, const struct engine_info *info, const struct error *error);
    /* Its memory was released after an idle time. */
    void (*on_released)(void *user);
    /* The device failed under a job, which has the same error. Jobs wait until worker_load or worker_unload. */
    void (*on_lost)(void *user, const struct error *error);
    void *user;
};

/* Counts since the start. */
struct worker_counts {
    int64_t jobs; /* submitted */
    int64_t loads, releases;
};

struct worker;

struct worker *worker_create(uv_loop_t *loop, struct error *error);

/* Opens an engine, in place of the one there may be; what runs begins again on it. `options` is copied, its cancel flag and
 * callbacks are the worker's own. False when memory is exhausted: then all is as before. */
bool worker_load(struct worker *worker, const struct engine_options *options,
                 const struct worker_events *events);

/* Closes the engine, if there is one; jobs are done with that error until worker_load. */
void worker_unload(struct worker *worker, const struct error *why);

/* After so long without jobs weights are released; 0: never. */
void worker_set_idle(struct worker *worker, int seconds);

/* Hands a job over. Others that it makes pointless are done with at once. */
void worker_submit(struct worker *worker, struct worker_job *job);

/* Makes a completion of a submitted WORKER_PREFETCH job: somebody has asked for it. */
void worker_promote(struct worker *worker, struct worker_job *job);

/* Says that nobody wants a job's answer any more; `done` still comes. */
void worker_drop(struct worker_job *job);

const struct worker_counts *worker_counts(const struct worker *worker);

/* Cancels everything, waits for the thread (one layer or file read at most), tells every job that it is done, and closes
 * the worker's handle; its memory goes when the loop has run the close callback. NULL is accepted. */
void worker_destroy(struct worker *worker);

#endif
