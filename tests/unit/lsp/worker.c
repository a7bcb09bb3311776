/* worker: whatever happens around it, every job is done exactly once and says what became of it. The engine is the scripted one. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/worker.h"

enum { STEPS = 12, STEP_MS = 1, PATIENCE_MS = 20000 };

struct fixture {
    uv_loop_t loop;
    uv_timer_t timer;
    struct worker *worker;
    int loading, loaded, failed, released, lost;
    struct error error; /* of the last that failed or was lost */
};

struct test_job {
    struct worker_job job;
    int done;
    atomic_int runs;
    char *text; /* written; NULL: none */
};

/* --- events and jobs -------------------------------------------------------------------------------------------------- */

static void on_loading(void *user, double fraction)
{
    assert_true(fraction >= 0.0 && fraction <= 1.0);
    ((struct fixture *)user)->loading++;
}

static void on_loaded(void *user, const struct engine_info *info, const struct error *error)
{
    struct fixture *fixture = user;
    assert_int_equal(info != NULL, error == NULL);
    if (info)
        assert_string_equal(info->architecture, "scripted");
    else
        fixture->error = *error;
    fixture->loaded += info != NULL;
    fixture->failed += error != NULL;
}

static void on_released(void *user)
{
    ((struct fixture *)user)->released++;
}

static void on_lost(void *user, const struct error *error)
{
    struct fixture *fixture = user;
    fixture->error = *error;
    fixture->lost++;
}

static void on_time(uv_timer_t *timer)
{
    (void)timer; /* it only turns the loop */
}

static void job_run(struct worker_job *job, struct engine *engine)
{
    struct test_job *test = (struct test_job *)job;
    const struct engine_request request = {
        .prefix = "", .suffix = "", .max_tokens = 64, .top_p = 1.0f, .cancel = &job->is_cancelled};
    struct engine_result result;
    atomic_fetch_add(&test->runs, 1);
    if (!engine_complete(engine, &request, &result, &job->error))
        return;
    test->text = strdup(result.text);
    engine_result_finish(&result);
}

static void job_done(struct worker_job *job)
{
    struct test_job *test = (struct test_job *)job;
    test->done++;
    assert_int_equal(job->error.code == ERROR_NONE, test->text != NULL);
}

static void submit(struct fixture *fixture, struct test_job *test, enum worker_class class)
{
    *test = (struct test_job){.job.class = class, .job.run = job_run, .job.done = job_done};
    worker_submit(fixture->worker, &test->job);
}

/* --- the loop --------------------------------------------------------------------------------------------------------- */

static void begin(struct fixture *fixture)
{
    struct error error = {0};
    *fixture = (struct fixture){.loaded = 0};
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    uv_timer_init(&fixture->loop, &fixture->timer);
    uv_timer_start(&fixture->timer, on_time, STEP_MS, STEP_MS);
    fixture->worker = worker_create(&fixture->loop, &error);
    assert_non_null(fixture->worker);
}

static void load(struct fixture *fixture, const char *model, enum engine_device device)
{
    const struct worker_events events = {on_loading, on_loaded, on_released, on_lost, fixture};
    const struct engine_options options = {.model = model, .device = device};
    assert_true(worker_load(fixture->worker, &options, &events));
}

/* Turns the loop until *count has come to `wanted`. */
static void await(struct fixture *fixture, const int *count, int wanted)
{
    for (int i = 0; i < PATIENCE_MS / STEP_MS && *count < wanted; i++)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(*count, wanted);
}

/* The same until a job is being run. */
static void await_run(struct fixture *fixture, struct test_job *job)
{
    for (int i = 0; i < PATIENCE_MS / STEP_MS && atomic_load(&job->runs) == 0; i++)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(atomic_load(&job->runs), 1);
}

static void end(struct fixture *fixture)
{
    worker_destroy(fixture->worker);
    uv_close((uv_handle_t *)&fixture->timer, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
}

/* --- tests ------------------------------------------------------------------------------------------------------------ */

static int setup(void **state)
{
    (void)state;
    setenv("HXQD_SCRIPTED_TEXT", "a b c d e", 1);
    setenv("HXQD_SCRIPTED_TOKEN_MS", "1", 1);
    setenv("HXQD_SCRIPTED_LOAD_MS", "0", 1);
    unsetenv("HXQD_SCRIPTED_GPU");
    return 0;
}

/* It is destroyed after so many turns: before, during and after loading and running. */
static void jobs_are_done_once_whenever_the_worker_ends(void **state)
{
    (void)state;
    for (int turns = 0; turns < STEPS; turns++) {
        struct fixture fixture;
        struct test_job jobs[5];
        begin(&fixture);
        load(&fixture, ".", ENGINE_DEVICE_AUTO);
        submit(&fixture, &jobs[0], WORKER_PREFETCH);
        submit(&fixture, &jobs[1], WORKER_WRITING);
        for (int i = 0; i < turns; i++)
            uv_run(&fixture.loop, UV_RUN_ONCE);
        submit(&fixture, &jobs[2], WORKER_HOVER);
        submit(&fixture, &jobs[3], WORKER_COMPLETION);
        submit(&fixture, &jobs[4], WORKER_COMPLETION);
        worker_drop(&jobs[2].job);
        for (int i = 0; i < turns; i++)
            uv_run(&fixture.loop, UV_RUN_ONCE);
        end(&fixture);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(jobs[i].done, 1);
            free(jobs[i].text);
        }
    }
}

static void job_under_way_begins_again_on_another_model(void **state)
{
    struct fixture fixture;
    struct test_job hover, completion;

    (void)state;
    setenv("HXQD_SCRIPTED_TOKEN_MS", "100", 1);
    begin(&fixture);
    load(&fixture, ".", ENGINE_DEVICE_AUTO);
    await(&fixture, &fixture.loaded, 1);
    submit(&fixture, &hover, WORKER_HOVER);
    await_run(&fixture, &hover);
    load(&fixture, "/", ENGINE_DEVICE_AUTO);
    await(&fixture, &hover.done, 1);
    assert_int_equal(fixture.loaded, 2);
    assert_int_equal(atomic_load(&hover.runs), 2);
    assert_string_equal(hover.text, "a b c d e");

    /* a completion's owner asks anew by itself */
    submit(&fixture, &completion, WORKER_COMPLETION);
    await_run(&fixture, &completion);
    load(&fixture, ".", ENGINE_DEVICE_AUTO);
    await(&fixture, &completion.done, 1);
    assert_int_equal(completion.job.error.code, ERROR_CANCELLED);
    end(&fixture);
    free(hover.text);
}

static void jobs_without_a_model_say_why(void **state)
{
    struct fixture fixture;
    struct test_job early, late, off;
    struct error why = {0};

    (void)state;
    begin(&fixture);
    submit(&fixture, &early, WORKER_WRITING);
    await(&fixture, &early.done, 1);
    assert_string_equal(early.job.error.text, "no model is loaded");

    load(&fixture, "/no/such/model", ENGINE_DEVICE_AUTO);
    await(&fixture, &fixture.failed, 1);
    submit(&fixture, &late, WORKER_COMPLETION);
    await(&fixture, &late.done, 1);
    assert_string_equal(late.job.error.text, "/no/such/model: no such checkpoint");

    load(&fixture, ".", ENGINE_DEVICE_AUTO);
    await(&fixture, &fixture.loaded, 1);
    error_set(&why, ERROR_INPUT, "switched off");
    worker_unload(fixture.worker, &why);
    submit(&fixture, &off, WORKER_COMPLETION);
    await(&fixture, &off.done, 1);
    assert_string_equal(off.job.error.text, "switched off");
    assert_int_equal(worker_counts(fixture.worker)->jobs, 3);
    assert_int_equal(worker_counts(fixture.worker)->loads, 1);
    end(&fixture);
}

static void model_overtaken_while_loading_is_not_told(void **state)
{
    struct fixture fixture;
    struct test_job job;

    (void)state;
    setenv("HXQD_SCRIPTED_LOAD_MS", "500", 1);
    begin(&fixture);
    load(&fixture, "/no/such/model", ENGINE_DEVICE_AUTO);
    await(&fixture, &fixture.loading, 1);
    load(&fixture, ".", ENGINE_DEVICE_AUTO);
    submit(&fixture, &job, WORKER_COMPLETION);
    await(&fixture, &job.done, 1);
    assert_string_equal(job.text, "a b c d e");
    assert_int_equal(fixture.loaded, 1);
    assert_int_equal(fixture.failed, 0);
    end(&fixture);
    free(job.text);
}

static void jobs_behind_a_lost_device_wait_for_another(void **state)
{
    struct fixture fixture;
    struct test_job lost, behind;

    (void)state;
    setenv("HXQD_SCRIPTED_GPU", "0", 1);
    begin(&fixture);
    load(&fixture, ".", ENGINE_DEVICE_AUTO);
    await(&fixture, &fixture.loaded, 1);
    submit(&fixture, &lost, WORKER_HOVER);
    submit(&fixture, &behind, WORKER_WRITING);
    await(&fixture, &fixture.lost, 1);
    await(&fixture, &lost.done, 1);
    assert_int_equal(lost.job.error.code, ERROR_DEVICE);
    assert_string_equal(lost.job.error.text, fixture.error.text);
    assert_int_equal(behind.done, 0);

    load(&fixture, ".", ENGINE_DEVICE_CPU);
    await(&fixture, &behind.done, 1);
    assert_string_equal(behind.text, "a b c d e");
    end(&fixture);
    free(behind.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(jobs_are_done_once_whenever_the_worker_ends, setup),
        cmocka_unit_test_setup(job_under_way_begins_again_on_another_model, setup),
        cmocka_unit_test_setup(jobs_without_a_model_say_why, setup),
        cmocka_unit_test_setup(model_overtaken_while_loading_is_not_told, setup),
        cmocka_unit_test_setup(jobs_behind_a_lost_device_wait_for_another, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
