/* The lock rule: one mutex guards every field below "shared"; it is held for moving pointers only, never while the engine
 * works and never while a callback runs. The one thing read without it is a job's atomic flag.
 *
 * Worker to loop goes one way: what is finished is put under the mutex, then the async handle is sent. libuv may merge
 * several sends into one call, so the callback takes all there is. */
#include "lsp/worker.h"

#include <stdlib.h>
#include <string.h>

struct worker {
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t wake;
    uv_async_t async;

    /* Written before the worker thread can see them. */
    struct engine_options options;
    char *model;
    struct worker_events events; /* the loop's */

    struct engine *engine;   /* the worker thread's */
    atomic_bool is_stopping; /* also the engine's cancel flag while it loads */

    /* shared */
    bool must_load;
    struct worker_job *waiting; /* a completion */
    struct worker_job *later;   /* other jobs, by class, then in order */
    struct worker_job *running;
    struct worker_job *finished; /* newest first */
    double fraction;
    bool has_news_of_progress, has_news_of_load;
    struct engine_info info;
    struct error load_error; /* ERROR_NONE after success */
};

/* On the worker thread, from inside engine_open. */
static void on_engine_progress(void *user, double fraction)
{
    struct worker *worker = user;
    uv_mutex_lock(&worker->mutex);
    worker->fraction = fraction;
    worker->has_news_of_progress = true;
    uv_mutex_unlock(&worker->mutex);
    uv_async_send(&worker->async);
}

static void worker_open_engine(struct worker *worker)
{
    struct error error = {0};
    struct engine_info info = {0};
    worker->engine = engine_open(&worker->options, &error);
    if (worker->engine)
        engine_describe(worker->engine, &info);

    uv_mutex_lock(&worker->mutex);
    worker->info = info;
    worker->load_error = error;
    worker->has_news_of_load = true;
    uv_mutex_unlock(&worker->mutex);
    uv_async_send(&worker->async);
}

/* Puts a job in its place among those that wait, before or behind those of its class; under the mutex. */
static void later_add(struct worker *worker, struct worker_job *job, bool is_first)
{
    struct worker_job **place = &worker->later;

    while (*place && ((*place)->class < job->class || (!is_first && (*place)->class == job->class)))
        place = &(*place)->next;
    job->next = *place;
    *place = job;
}

/* Makes an interrupted job wait again, unless nobody wants it any more; under the mutex. */
static bool worker_put_back(struct worker *worker, struct worker_job *job)
{
    if (!job->is_interrupted || atomic_load(&job->is_dropped))
        return false;
    job->is_interrupted = false;
    atomic_store(&job->is_cancelled, false);

    /* dropped just now: its flag must not stay down */
    if (atomic_load(&job->is_dropped))
        atomic_store(&job->is_cancelled, true);
    later_add(worker, job, true);
    return true;
}

static void worker_run(struct worker *worker, struct worker_job *job)
{
    if (!atomic_load(&job->is_cancelled))
        job->run(job, worker->engine);

    uv_mutex_lock(&worker->mutex);
    worker->running = NULL;
    if (!worker_put_back(worker, job)) {
        job->next = worker->finished;
        worker->finished = job;
    }
    uv_mutex_unlock(&worker->mutex);
    uv_async_send(&worker->async);
}

/* The most urgent job that waits becomes the running one; NULL if none. Under the mutex. */
static struct worker_job *worker_take(struct worker *worker)
{
    struct worker_job **place = worker->waiting ? &worker->waiting : &worker->later;
    struct worker_job *job = *place;

    if (job)
        *place = job->next;
    worker->running = job;
    return job;
}

static void worker_main(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load(&worker->is_stopping)) {
        uv_mutex_lock(&worker->mutex);
        while (!worker->must_load && !worker->waiting && !worker->later &&
               !atomic_load(&worker->is_stopping))
            uv_cond_wait(&worker->wake, &worker->mutex);
        bool must_load = worker->must_load;
        struct worker_job *job = must_load ? NULL : worker_take(worker);
        worker->must_load = false;
        uv_mutex_unlock(&worker->mutex);

        if (must_load)
            worker_open_engine(worker);
        else if (job)
            worker_run(worker, job);
    }
    engine_close(worker->engine);
}

/* Gives finished jobs back, oldest first. */
static void jobs_done(struct worker_job *newest)
{
    struct worker_job *oldest = NULL;
    while (newest) {
        struct worker_job *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct worker_job *next = oldest->next;
        oldest->done(oldest);
        oldest = next;
    }
}

/* On the loop's thread. */
static void on_news(uv_async_t *async)
{
    struct worker *worker = async->data;
    uv_mutex_lock(&worker->mutex);
    struct worker_job *finished = worker->finished;
    bool has_progress = worker->has_news_of_progress;
    bool has_load = worker->has_news_of_load;
    double fraction = worker->fraction;
    worker->finished = NULL;
    worker->has_news_of_progress = worker->has_news_of_load = false;
    uv_mutex_unlock(&worker->mutex);

    if (has_progress)
        worker->events.on_progress(worker->events.user, fraction);
    /* written once, before this news: nobody else touches the two any more */
    if (has_load) {
        bool is_open = worker->load_error.code == ERROR_NONE;
        worker->events.on_loaded(worker->events.user, is_open ? &worker->info : NULL,
                                 is_open ? NULL : &worker->load_error);
    }
    jobs_done(finished);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct worker *worker_create(uv_loop_t *loop, struct error *error)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        error_set(error, ERROR_MEMORY, "no memory for the worker");
        return NULL;
    }
    atomic_init(&worker->is_stopping, false);
    int status = uv_async_init(loop, &worker->async, on_news);
    if (status < 0) {
        error_set(error, ERROR_SYSTEM, "cannot prepare the worker: %s", uv_strerror(status));
        free(worker);
        return NULL;
    }
    worker->async.data = worker;

    status = uv_mutex_init(&worker->mutex);
    if (status == 0)
        status = uv_cond_init(&worker->wake);
    if (status == 0)
        status = uv_thread_create(&worker->thread, worker_main, worker);
    if (status == 0)
        return worker;

    error_set(error, ERROR_SYSTEM, "cannot start the worker thread: %s", uv_strerror(status));
    uv_close((uv_handle_t *)&worker->async, on_closed);
    return NULL;
}

bool worker_load(struct worker *worker, const struct engine_options *options,
                 const struct worker_events *events)
{
    worker->model = strdup(options->model);
    if (!worker->model)
        return false;

    worker->events = *events;
    worker->options = *options;
    worker->options.model = worker->model;
    worker->options.cancel = &worker->is_stopping;
    worker->options.on_progress = on_engine_progress;
    worker->options.user = worker;

    uv_mutex_lock(&worker->mutex);
    worker->must_load = true;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
    return true;
}

void worker_submit(struct worker *worker, struct worker_job *job)
{
    struct worker_job *displaced = NULL;
    job->next = NULL;
    job->is_interrupted = false;

    uv_mutex_lock(&worker->mutex);
    struct worker_job *running = worker->running;
    if (job->class == WORKER_COMPLETION) {
        displaced = worker->waiting;
        worker->waiting = job;
    } else {
        later_add(worker, job, false);
    }
    if (running && running->class > job->class) {
        running->is_interrupted = true;
        atomic_store(&running->is_cancelled, true);
    }
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);

    if (displaced)
        displaced->done(displaced);
}

void worker_drop(struct worker_job *job)
{
    atomic_store(&job->is_dropped, true);
    atomic_store(&job->is_cancelled, true);
}

void worker_destroy(struct worker *worker)
{
    if (!worker)
        return;

    uv_mutex_lock(&worker->mutex);
    atomic_store(&worker->is_stopping, true);
    if (worker->running)
        atomic_store(&worker->running->is_cancelled, true);
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
    uv_thread_join(&worker->thread);

    /* the thread is gone: what it left needs no lock */
    jobs_done(worker->finished);
    if (worker->waiting)
        worker->waiting->done(worker->waiting);
    while (worker->later) {
        struct worker_job *job = worker->later;
        worker->later = job->next;
        job->done(job);
    }
    uv_cond_destroy(&worker->wake);
    uv_mutex_destroy(&worker->mutex);
    free(worker->model);
    uv_close((uv_handle_t *)&worker->async, on_closed);
}
