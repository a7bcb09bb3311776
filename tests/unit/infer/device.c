/* An engine on a GPU that is none: it takes what its placement says, lets go of the file, and whatever fails there is told
 * and leaves a way on. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer/engine.h"
#include "infer/placement.h"
#include "kernels/kernels.h"
#include "tests/support/checkpoint.h"
#include "tests/support/stand_in.h"

static const char model[] = "infer/default_model";
static const struct stand_in sound = {
    .is_present = true, .free_bytes = 1 << 30, .fails_after_bodies = -1, .lost_after_ops = -1};

static struct engine *open_on(enum engine_device device, struct error *error)
{
    const struct engine_options options = {.model = model, .device = device, .exact = true};

    *error = (struct error){0};
    return engine_open(&options, error);
}

/* What an engine writes after "int main(", "!" and the error where it cannot; the caller frees it. */
static char *write_on(struct engine *engine, struct error *error)
{
    struct engine_result result;
    const struct engine_request request = {
        .prefix = "int main(", .prefix_bytes = 9, .max_tokens = 12, .top_p = 1.0f};
    char *text;

    *error = (struct error){0};
    if (!engine_complete(engine, &request, &result, error)) {
        assert_true(asprintf(&text, "!%s", error->text) > 0);
        return text;
    }
    text = strdup(result.text);
    engine_result_finish(&result);
    return text;
}

/* Whether the process still has a mapping of the weights: a file that it no longer needs may be replaced. */
static bool maps_weights(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    bool found = false;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        found = found || strstr(line, "default_model/model.safetensors");
    fclose(maps);
    return found;
}

static void engine_on_a_device_writes_the_same(void **state)
{
    struct engine_info info;
    struct error error;

    (void)state;
    stand_in_set(&sound);
    struct engine *cpu = open_on(ENGINE_DEVICE_CPU, &error);
    assert_int_equal(stand_in_used(), 0);
    assert_false(maps_weights());
    char *expected = write_on(cpu, &error);
    engine_close(cpu);

    struct engine *gpu = open_on(ENGINE_DEVICE_AUTO, &error);
    assert_non_null(gpu);
    assert_false(maps_weights());
    engine_describe(gpu, &info);
    assert_string_equal(info.device, "cuda");
    assert_string_equal(info.hardware, "Stand-in 1");
    assert_non_null(strstr(info.device_reason, "Stand-in 1: needs 0."));
    char *text = write_on(gpu, &error);
    assert_string_equal(text, expected);

    /* all that was taken had been planned, but for what the backend would have needed itself */
    const struct placement *placement = engine_placement(gpu);
    assert_int_equal(info.device_bytes, stand_in_used());
    assert_int_equal(placement->chosen.total, stand_in_used() + cuda_workspace_bytes());
    engine_close(gpu);
    assert_int_equal(stand_in_used(), 0);
    free(text);
    free(expected);
}

/* Wherever memory runs out while the model goes up, the options decide what comes of it. */
static void memory_running_out_while_loading_gives_way_to_the_cpu(void **state)
{
    static const struct {
        enum engine_device device;
        bool no_fallback, opens;
    } cases[] = {
        {ENGINE_DEVICE_AUTO, false, true},
        {ENGINE_DEVICE_AUTO, true, false},
        {ENGINE_DEVICE_CUDA, false, false},
    };
    struct error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bodies = 0; bodies < 80; bodies += 7) {
            const struct engine_options options = {
                .model = model, .device = cases[i].device, .no_fallback = cases[i].no_fallback};
            struct stand_in device = sound;
            struct engine_info info;

            device.fails_after_bodies = bodies;
            stand_in_set(&device);
            error = (struct error){0};
            struct engine *engine = engine_open(&options, &error);
            assert_int_equal(engine != NULL, cases[i].opens);
            assert_int_equal(stand_in_used(), 0);
            if (engine) {
                engine_describe(engine, &info);
                assert_string_equal(info.device, "cpu");
                assert_non_null(strstr(info.device_reason, "Stand-in 1: out of memory"));
                assert_int_equal(error.code, ERROR_NONE);
            } else {
                assert_int_equal(error.code, ERROR_DEVICE);
                assert_non_null(strstr(error.text, "Stand-in 1: out of memory"));
            }
            engine_close(engine);
        }
}

/* The memory that was promised has gone to others meanwhile: as good as running out. */
static void promise_not_kept_gives_way_to_the_cpu(void **state)
{
    struct stand_in device = sound;
    struct engine_info info;
    struct error error;

    (void)state;
    device.real_bytes = 8 << 20;
    stand_in_set(&device);
    struct engine *engine = open_on(ENGINE_DEVICE_AUTO, &error);
    assert_non_null(engine);
    engine_describe(engine, &info);
    assert_string_equal(info.device, "cpu");
    engine_close(engine);
}

/* Lost at any operation of a request, the device is named, stays lost, and an engine on the CPU goes on. */
static void device_lost_in_a_request_is_told_and_another_engine_goes_on(void **state)
{
    struct error error;
    int whole;

    (void)state;
    stand_in_set(&sound);
    struct engine *engine = open_on(ENGINE_DEVICE_CUDA, &error);
    const int loaded = stand_in_ops();
    char *expected = write_on(engine, &error);
    whole = stand_in_ops() - loaded;
    engine_close(engine);

    for (int after = 0; after < whole; after += 97) {
        struct stand_in device = sound;

        stand_in_set(&sound);
        engine = open_on(ENGINE_DEVICE_CUDA, &error);
        device.lost_after_ops = after;
        stand_in_set(&device);
        for (int call = 0; call < 2; call++) {
            char *text = write_on(engine, &error);
            assert_int_equal(error.code, ERROR_DEVICE);
            assert_non_null(strstr(text, "Stand-in 1: it fell off the bus"));
            free(text);
        }
        engine_close(engine);
        assert_int_equal(stand_in_used(), 0);
    }

    engine = open_on(ENGINE_DEVICE_CPU, &error);
    char *text = write_on(engine, &error);
    assert_string_equal(text, expected);
    engine_close(engine);
    free(text);
    free(expected);
}

/* Lost while the weights go up, before anything was asked of it. */
static void device_lost_while_loading_is_an_error_of_the_device(void **state)
{
    struct stand_in device = sound;
    struct error error;

    (void)state;
    device.lost_after_ops = 5;
    stand_in_set(&device);
    assert_null(open_on(ENGINE_DEVICE_CUDA, &error));
    assert_int_equal(error.code, ERROR_DEVICE);
    assert_non_null(strstr(error.text, "it fell off the bus"));
    assert_int_equal(stand_in_used(), 0);
}

/* A window of 8192 tokens on a device with room for a part of it: the context is what the placement says, and holds. */
static void context_is_cut_to_what_the_device_holds(void **state)
{
    struct stand_in device = sound;
    struct checkpoint checkpoint;
    struct engine_info info;
    struct error error = {0};
    char directory[64];

    (void)state;
    scratch_create(directory);
    checkpoint_read(&checkpoint, model);
    json_object_set_new(checkpoint.config, "max_position_embeddings", json_integer(8192));
    checkpoint_write(&checkpoint, directory, 1);
    checkpoint_finish(&checkpoint);

    device.free_bytes = 64 << 20;
    stand_in_set(&device);
    const struct engine_options options = {.model = directory, .context_tokens = 8192};
    struct engine *engine = engine_open(&options, &error);
    assert_non_null(engine);
    engine_describe(engine, &info);
    assert_string_equal(info.device, "cuda");
    assert_in_range(info.context_tokens, PLACEMENT_LEAST_CONTEXT_TOKENS, 8191);
    assert_int_equal(info.context_tokens, engine_placement(engine)->context_tokens);
    assert_true(stand_in_used() <= device.free_bytes);
    assert_non_null(strstr(info.device_reason, "a context of 8192 tokens needs"));
    engine_close(engine);
    scratch_remove(directory);
}

/* Progress of the upload: rises to 1, and a caller who has seen enough cancels, which is no failure of the device. */
struct progress {
    double last;
    int calls, cancel_after;
    atomic_bool cancel;
};

static void on_progress(void *user, double fraction)
{
    struct progress *progress = user;

    assert_true(fraction >= progress->last && fraction <= 1.0);
    progress->last = fraction;
    if (++progress->calls == progress->cancel_after)
        atomic_store(&progress->cancel, true);
}

static void upload_tells_its_progress_and_can_be_cancelled(void **state)
{
    (void)state;
    for (int cancel_after = 0; cancel_after < 4; cancel_after++) {
        struct progress progress = {.cancel_after = cancel_after};
        struct error error = {0};
        const struct engine_options options = {.model = model,
                                               .cancel = &progress.cancel,
                                               .on_progress = on_progress,
                                               .user = &progress};

        stand_in_set(&sound);
        struct engine *engine = engine_open(&options, &error);
        if (cancel_after == 0) {
            assert_non_null(engine);
            assert_true(progress.last == 1.0 && progress.calls > 3);
        } else {
            assert_null(engine);
            assert_int_equal(error.code, ERROR_CANCELLED);
        }
        engine_close(engine);
        assert_int_equal(stand_in_used(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_on_a_device_writes_the_same),
        cmocka_unit_test(memory_running_out_while_loading_gives_way_to_the_cpu),
        cmocka_unit_test(promise_not_kept_gives_way_to_the_cpu),
        cmocka_unit_test(device_lost_in_a_request_is_told_and_another_engine_goes_on),
        cmocka_unit_test(device_lost_while_loading_is_an_error_of_the_device),
        cmocka_unit_test(context_is_cut_to_what_the_device_holds),
        cmocka_unit_test(upload_tells_its_progress_and_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
