/* Interrupting is asking: a flag is raised, the engine sees it within a layer, and what becomes of the job is decided when it
 * has ended, because by then it may have finished, failed, or not be wanted any more. */
#include "lsp/queue.h"

bool queue_has(const struct queue *queue)
{
    return queue->completion || queue->others;
}

/* Puts a job in its place among the others, before or behind those of its class. */
static void others_insert(struct queue *queue, struct worker_job *job, bool is_first)
{
    struct worker_job **place = &queue->others;

    while (*place && ((*place)->class < job->class || (!is_first && (*place)->class == job->class)))
        place = &(*place)->next;
    job->next = *place;
    *place = job;
}

/* Adds a job that is done with to a list's end. */
static void list_append(struct worker_job **list, struct worker_job *job)
{
    while (*list)
        list = &(*list)->next;
    job->next = NULL;
    *list = job;
}

static void give_way(struct worker_job **list, struct worker_job *job)
{
    error_set(&job->error, ERROR_CANCELLED, "not wanted any more");
    list_append(list, job);
}

/* Takes out what was dropped while it waited; returns how many stay. */
static int others_sweep(struct queue *queue, struct worker_job **done)
{
    struct worker_job **place = &queue->others;
    int count = 0;

    while (*place) {
        struct worker_job *job = *place;
        if (atomic_load(&job->is_dropped)) {
            *place = job->next;
            give_way(done, job);
        } else {
            place = &job->next;
            count++;
        }
    }
    return count;
}

/* Whether a job that was interrupted begins again. */
static bool begins_again(const struct worker_job *job)
{
    return job->class == WORKER_HOVER || job->class == WORKER_WRITING;
}

void queue_interrupt(struct queue *queue)
{
    if (!queue->running)
        return;
    queue->running->is_interrupted = begins_again(queue->running);
    atomic_store(&queue->running->is_cancelled, true);
}

static void completion_put(struct queue *queue, struct worker_job *job, struct worker_job **done)
{
    if (queue->completion)
        give_way(done, queue->completion);
    queue->completion = job;
}

struct worker_job *queue_add(struct queue *queue, struct worker_job *job)
{
    struct worker_job *done = NULL;
    const int count = others_sweep(queue, &done);

    job->next = NULL;
    if (job->class == WORKER_COMPLETION) {
        completion_put(queue, job, &done);
    } else if (count < WORKER_JOBS_MAX) {
        others_insert(queue, job, false);
    } else {
        error_set(&job->error, ERROR_LIMIT,
                  "the model is busy with other requests; try again later");
        list_append(&done, job);
        return done;
    }
    if (queue->running && queue->running->class > job->class)
        queue_interrupt(queue);
    return done;
}

struct worker_job *queue_take(struct queue *queue)
{
    struct worker_job **place = queue->completion ? &queue->completion : &queue->others;
    struct worker_job *job = *place;

    if (job) {
        *place = job->next;
        job->next = NULL;
    }
    queue->running = job;
    return job;
}

bool queue_end(struct queue *queue)
{
    struct worker_job *job = queue->running;

    queue->running = NULL;
    if (!job->is_interrupted || job->error.code != ERROR_CANCELLED || atomic_load(&job->is_dropped))
        return false;
    job->is_interrupted = false;
    job->error = (struct error){0};
    atomic_store(&job->is_cancelled, false);

    /* dropped just now: its flag must not stay down */
    if (atomic_load(&job->is_dropped))
        atomic_store(&job->is_cancelled, true);
    others_insert(queue, job, true);
    return true;
}

struct worker_job *queue_promote(struct queue *queue, struct worker_job *job)
{
    struct worker_job *done = NULL;
    struct worker_job **place = &queue->others;

    if (queue->running == job) {
        job->class = WORKER_COMPLETION;
        return NULL;
    }
    while (*place && *place != job)
        place = &(*place)->next;
    if (*place) {
        *place = job->next;
        job->class = WORKER_COMPLETION;
        done = queue_add(queue, job);
    }
    return done;
}

struct worker_job *queue_clear(struct queue *queue, const struct error *why)
{
    struct worker_job *done = queue->completion;

    if (done)
        done->next = queue->others;
    else
        done = queue->others;
    queue->completion = queue->others = NULL;
    for (struct worker_job *job = done; job; job = job->next)
        job->error = *why;
    return done;
}
