/* The lock rule: one mutex guards every field below "shared"; it is held for moving pointers only, never while the engine
 * works and never while a callback runs. The one thing read without it is a job's atomic flag.
 *
 * What is wanted of the model is a phase that the loop sets and the thread acts on. When the thread has opened an engine and
 * finds the phase changed meanwhile, it has opened it in vain.
 *
 * Worker to loop goes one way: news are put under the mutex, then the async handle is sent. libuv may merge several sends into
 * one call, so the callback takes all there is. */
#include "lsp/worker.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/queue.h"

enum { INFO_STRINGS = 6 };

/* What to open: options with strings of their own. */
struct model {
    struct engine_options options;
    char *path, *draft_path;
};

/* Facts about an engine that outlive it. */
struct facts {
    struct engine_info info;
    char *strings[INFO_STRINGS];
};

enum phase {
    PHASE_NONE,     /* no engine is to be had: jobs fail */
    PHASE_WANTED,   /* open one now */
    PHASE_OPENING,  /* under way */
    PHASE_OPEN,     /* jobs run */
    PHASE_RELEASED, /* closed while idle; the next job wants it again */
    PHASE_LOST,     /* the device failed: jobs wait for orders */
};

/* For the loop's thread; a member that is not set is no news. */
struct news {
    bool has_fraction, has_failed, is_released, is_lost;
    double fraction;
    struct facts *facts;        /* an engine is open; owned */
    struct error error;         /* of what failed or was lost */
    struct worker_job *jobs;    /* done with, oldest first */
    struct worker_job **newest; /* where the next goes */
};

struct worker {
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t wake;
    uv_async_t async;

    /* the loop's */
    struct worker_events events;
    struct worker_counts counts;
    struct facts *told;

    /* the worker thread's */
    struct engine *engine;
    struct model *model;

    atomic_bool is_cut; /* the engine's cancel flag while it loads */

    /* shared */
    bool is_stopping;
    enum phase phase;
    struct model *next; /* to be opened instead of `model`; NULL: none */
    struct error why;   /* there is no engine, in PHASE_NONE */
    struct queue queue;
    uint64_t idle_ns; /* 0: weights are never released */
    struct news news;
};

/* --- models and facts ------------------------------------------------------------------------------------------------- */

static void model_destroy(struct model *model)
{
    if (!model)
        return;
    free(model->path);
    free(model->draft_path);
    free(model);
}

/* NULL when memory is exhausted. */
static struct model *model_create(const struct engine_options *options)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        return NULL;

    model->options = *options;
    model->path = strdup(options->model);
    model->draft_path = options->draft_model ? strdup(options->draft_model) : NULL;
    model->options.model = model->path;
    model->options.draft_model = model->draft_path;
    if (model->path && (model->draft_path || !options->draft_model))
        return model;
    model_destroy(model);
    return NULL;
}

static void facts_destroy(struct facts *facts)
{
    for (int i = 0; facts && i < INFO_STRINGS; i++)
        free(facts->strings[i]);
    free(facts);
}

/* NULL when memory is exhausted. */
static struct facts *facts_create(const struct engine *engine)
{
    struct facts *facts = calloc(1, sizeof *facts);
    if (!facts)
        return NULL;

    engine_describe(engine, &facts->info);
    const char **members[INFO_STRINGS] = {&facts->info.model,    &facts->info.architecture,
                                          &facts->info.device,   &facts->info.device_reason,
                                          &facts->info.hardware, &facts->info.isa};
    for (int i = 0; i < INFO_STRINGS; i++) {
        facts->strings[i] = strdup(*members[i]);
        *members[i] = facts->strings[i];
        if (!facts->strings[i]) {
            facts_destroy(facts);
            return NULL;
        }
    }
    return facts;
}

/* --- the worker thread ------------------------------------------------------------------------------------------------ */

/* Under the mutex, as all news are. */
static void news_jobs(struct worker *worker, struct worker_job *jobs)
{
    struct news *news = &worker->news;
    if (!news->jobs)
        news->newest = &news->jobs;
    *news->newest = jobs;
    while (*news->newest)
        news->newest = &(*news->newest)->next;
}

static void news_failure(struct worker *worker, const struct error *error)
{
    facts_destroy(worker->news.facts);
    worker->news.facts = NULL;
    worker->news.has_failed = true;
    worker->news.error = *error;
}

static void news_fraction(struct worker *worker, double fraction)
{
    worker->news.has_fraction = true;
    worker->news.fraction = fraction;
}

/* From inside engine_open. */
static void on_engine_progress(void *user, double fraction)
{
    struct worker *worker = user;
    uv_mutex_lock(&worker->mutex);
    news_fraction(worker, fraction);
    uv_mutex_unlock(&worker->mutex);
    uv_async_send(&worker->async);
}

/* Gives an engine's memory back to the system. */
static void engine_release(struct worker *worker)
{
    if (!worker->engine)
        return;
    engine_close(worker->engine);
    worker->engine = NULL;
    malloc_trim(0);
}

/* What opening came to; under the mutex. The engine is in vain where other things are wanted by now. */
static void model_opened(struct worker *worker, struct facts *facts, const struct error *error)
{
    if (worker->phase != PHASE_OPENING) {
        facts_destroy(facts);
        return;
    }
    if (facts) {
        facts_destroy(worker->news.facts);
        worker->news.facts = facts;
        worker->phase = PHASE_OPEN;
    } else {
        worker->why = *error;
        worker->phase = PHASE_NONE;
        news_failure(worker, error);
    }
}

/* Called and left with the mutex held. */
static void worker_open(struct worker *worker)
{
    struct error error = {0};
    if (worker->next) {
        model_destroy(worker->model);
        worker->model = worker->next;
        worker->next = NULL;
    }
    worker->phase = PHASE_OPENING;
    atomic_store(&worker->is_cut, worker->is_stopping);
    news_fraction(worker, 0);
    uv_mutex_unlock(&worker->mutex);

    /* there is never room for two */
    uv_async_send(&worker->async);
    engine_release(worker);
    worker->engine = engine_open(&worker->model->options, &error);
    struct facts *facts = worker->engine ? facts_create(worker->engine) : NULL;
    if (!facts) {
        error_set(&error, ERROR_MEMORY, "no memory for the model");
        engine_release(worker);
    }

    uv_mutex_lock(&worker->mutex);
    model_opened(worker, facts, &error);
    uv_async_send(&worker->async);
}

/* Called and left with the mutex held. */
static void worker_close(struct worker *worker)
{
    uv_mutex_unlock(&worker->mutex);
    engine_release(worker);
    uv_mutex_lock(&worker->mutex);
}

/* Called and left with the mutex held. */
static void worker_run(struct worker *worker, struct worker_job *job)
{
    uv_mutex_unlock(&worker->mutex);
    if (atomic_load(&job->is_cancelled))
        error_set(&job->error, ERROR_CANCELLED, "not wanted any more");
    else
        job->run(job, worker->engine);
    uv_mutex_lock(&worker->mutex);

    if (job->error.code == ERROR_DEVICE && worker->phase == PHASE_OPEN) {
        worker->phase = PHASE_LOST;
        worker->news.is_lost = true;
        worker->news.error = job->error;
    }
    if (!queue_end(&worker->queue)) {
        job->next = NULL;
        news_jobs(worker, job);
    }
    uv_async_send(&worker->async);
}

/* Called and left with the mutex held. */
static void worker_release(struct worker *worker)
{
    worker->phase = PHASE_RELEASED;
    worker_close(worker);
    worker->news.is_released = true;
    uv_async_send(&worker->async);
}

/* Does the next thing there is to do; false where there is none. The mutex is held before and after. */
static bool worker_step(struct worker *worker)
{
    const bool has_jobs = queue_has(&worker->queue);
    if (worker->phase == PHASE_WANTED || (worker->phase == PHASE_RELEASED && has_jobs))
        worker_open(worker);
    else if (worker->phase == PHASE_NONE && worker->engine)
        worker_close(worker);
    else if (worker->phase == PHASE_LOST && worker->engine)
        worker_close(worker);
    else if (worker->phase == PHASE_OPEN && has_jobs)
        worker_run(worker, queue_take(&worker->queue));
    else if (worker->phase == PHASE_NONE && has_jobs) {
        news_jobs(worker, queue_clear(&worker->queue, &worker->why));
        uv_async_send(&worker->async);
    } else
        return false;
    return true;
}

/* Sleeps until there may be something to do; releases the weights where that takes too long. */
static void worker_wait(struct worker *worker)
{
    const bool may_release = worker->phase == PHASE_OPEN && worker->idle_ns > 0;
    if (!may_release)
        uv_cond_wait(&worker->wake, &worker->mutex);
    else if (uv_cond_timedwait(&worker->wake, &worker->mutex, worker->idle_ns) == UV_ETIMEDOUT &&
             worker->phase == PHASE_OPEN && !queue_has(&worker->queue) && !worker->is_stopping)
        worker_release(worker);
}

static void worker_main(void *argument)
{
    struct worker *worker = argument;
    uv_mutex_lock(&worker->mutex);
    while (!worker->is_stopping) {
        if (!worker_step(worker))
            worker_wait(worker);
    }
    uv_mutex_unlock(&worker->mutex);
    engine_close(worker->engine);
}

/* --- the loop's thread ------------------------------------------------------------------------------------------------ */

/* Gives jobs back, oldest first. */
static void jobs_done(struct worker_job *jobs)
{
    while (jobs) {
        struct worker_job *next = jobs->next;
        jobs->done(jobs);
        jobs = next;
    }
}

static void on_news(uv_async_t *async)
{
    struct worker *worker = async->data;
    const struct worker_events *events = &worker->events;
    uv_mutex_lock(&worker->mutex);
    struct news news = worker->news;
    worker->news = (struct news){0};
    uv_mutex_unlock(&worker->mutex);

    if (news.is_released) {
        worker->counts.releases++;
        events->on_released(events->user);
    }
    if (news.has_fraction)
        events->on_loading(events->user, news.fraction);
    if (news.facts) {
        worker->counts.loads++;
        events->on_loaded(events->user, &news.facts->info, NULL);
        facts_destroy(worker->told);
        worker->told = news.facts;
    }
    if (news.has_failed)
        events->on_loaded(events->user, NULL, &news.error);
    if (news.is_lost)
        events->on_lost(events->user, &news.error);
    jobs_done(news.jobs);
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
    atomic_init(&worker->is_cut, false);
    error_set(&worker->why, ERROR_INPUT, "no model is loaded");
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

/* Whatever goes on on the thread is to end: there is something new. Under the mutex. */
static void worker_turn(struct worker *worker, enum phase phase)
{
    worker->phase = phase;
    atomic_store(&worker->is_cut, true);
    queue_interrupt(&worker->queue);
    uv_cond_signal(&worker->wake);
}

bool worker_load(struct worker *worker, const struct engine_options *options,
                 const struct worker_events *events)
{
    struct model *model = model_create(options);
    if (!model)
        return false;
    model->options.cancel = &worker->is_cut;
    model->options.on_progress = on_engine_progress;
    model->options.user = worker;

    uv_mutex_lock(&worker->mutex);
    worker->events = *events;
    model_destroy(worker->next);
    worker->next = model;
    worker_turn(worker, PHASE_WANTED);
    uv_mutex_unlock(&worker->mutex);
    return true;
}

void worker_unload(struct worker *worker, const struct error *why)
{
    uv_mutex_lock(&worker->mutex);
    worker->why = *why;
    worker_turn(worker, PHASE_NONE);
    uv_mutex_unlock(&worker->mutex);
}

void worker_set_idle(struct worker *worker, int seconds)
{
    uv_mutex_lock(&worker->mutex);
    worker->idle_ns = (uint64_t)seconds * 1000000000;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
}

void worker_submit(struct worker *worker, struct worker_job *job)
{
    worker->counts.jobs++;
    uv_mutex_lock(&worker->mutex);
    struct worker_job *done = queue_add(&worker->queue, job);
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
    jobs_done(done);
}

void worker_promote(struct worker *worker, struct worker_job *job)
{
    uv_mutex_lock(&worker->mutex);
    struct worker_job *done = queue_promote(&worker->queue, job);
    uv_mutex_unlock(&worker->mutex);
    jobs_done(done);
}

void worker_drop(struct worker_job *job)
{
    atomic_store(&job->is_dropped, true);
    atomic_store(&job->is_cancelled, true);
}

const struct worker_counts *worker_counts(const struct worker *worker)
{
    return &worker->counts;
}

void worker_destroy(struct worker *worker)
{
    if (!worker)
        return;

    uv_mutex_lock(&worker->mutex);
    worker->is_stopping = true;
    worker_turn(worker, worker->phase);
    uv_mutex_unlock(&worker->mutex);
    uv_thread_join(&worker->thread);

    /* the thread is gone: what it left needs no lock */
    struct error why = {0};
    error_set(&why, ERROR_CANCELLED, "the server is stopping");
    jobs_done(worker->news.jobs);
    jobs_done(queue_clear(&worker->queue, &why));
    facts_destroy(worker->news.facts);
    facts_destroy(worker->told);
    model_destroy(worker->model);
    model_destroy(worker->next);
    uv_cond_destroy(&worker->wake);
    uv_mutex_destroy(&worker->mutex);
    uv_close((uv_handle_t *)&worker->async, on_closed);
}
