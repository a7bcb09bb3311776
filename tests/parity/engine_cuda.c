/* A whole engine on the CUDA backend, built for the host: it writes what the CPU writes, takes what was planned, and a device
 * that is too small or is lost says so and leaves a way on. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "infer/engine.h"
#include "infer/placement.h"
#include "kernels/cuda/host/control.h"
#include "kernels/kernels.h"
#include "tests/support/checkpoint.h"

static const char model[] = "infer/default_model";

enum { ROOMY_BYTES = 512 << 20, TIGHT_BYTES = 72 << 20, SMALL_BYTES = 8 << 20 };

static struct engine *open_on(enum engine_device device, struct error *error)
{
    *error = (struct error){0};
    return engine_open(&(struct engine_options){.model = model, .device = device, .exact = true},
                       error);
}

/* Whether the engine wrote something, into `text`; else the error is set. */
static bool write_on(struct engine *engine, char text[256], struct error *error)
{
    const struct engine_request request = {
        .prefix = "int main(", .prefix_bytes = 9, .max_tokens = 6, .top_p = 1.0f};
    struct engine_result result;

    *error = (struct error){0};
    if (!engine_complete(engine, &request, &result, error))
        return false;
    strncpy(text, result.text, 255);
    text[255] = '\0';
    engine_result_finish(&result);
    return true;
}

static void engine_on_cuda_writes_what_the_cpu_writes(void **state)
{
    char expected[256], text[256];
    struct engine_info info;
    struct error error;

    (void)state;
    simt_set_device(ROOMY_BYTES, 0);
    struct engine *cpu = open_on(ENGINE_DEVICE_CPU, &error);
    assert_true(write_on(cpu, expected, &error));
    engine_close(cpu);

    struct engine *gpu = open_on(ENGINE_DEVICE_AUTO, &error);
    assert_non_null(gpu);
    assert_true(write_on(gpu, text, &error));
    assert_string_equal(text, expected);

    /* all blocks were planned; what is left of the workspace was not needed by this model */
    engine_describe(gpu, &info);
    assert_string_equal(info.device, "cuda");
    const struct placement *placement = engine_placement(gpu);
    const int64_t planned = placement->chosen.total;
    print_message("taken %lld of %lld planned\n", (long long)info.device_bytes, (long long)planned);
    assert_in_range(info.device_bytes, planned - cuda_workspace_bytes(), planned);
    engine_close(gpu);
}

static void device_too_small_is_told_with_figures(void **state)
{
    struct engine_info info;
    struct error error;

    (void)state;
    simt_set_device(SMALL_BYTES, 0);
    assert_null(open_on(ENGINE_DEVICE_CUDA, &error));
    assert_int_equal(error.code, ERROR_DEVICE);
    assert_non_null(strstr(error.text, "0.01 GiB are available"));

    struct engine *engine = open_on(ENGINE_DEVICE_AUTO, &error);
    assert_non_null(engine);
    engine_describe(engine, &info);
    assert_string_equal(info.device, "cpu");
    assert_non_null(strstr(info.device_reason, "0.01 GiB are available"));
    engine_close(engine);
}

static void context_is_cut_to_what_the_device_holds(void **state)
{
    struct checkpoint checkpoint;
    struct engine_info info;
    struct error error = {0};
    char directory[64], text[256];

    (void)state;
    scratch_create(directory);
    checkpoint_read(&checkpoint, model);
    json_object_set_new(checkpoint.config, "max_position_embeddings", json_integer(8192));
    checkpoint_write(&checkpoint, directory, 1);
    checkpoint_finish(&checkpoint);

    simt_set_device(TIGHT_BYTES, 0);
    const struct engine_options options = {.model = directory, .context_tokens = 8192};
    struct engine *engine = engine_open(&options, &error);
    assert_string_equal(error.text, "");
    engine_describe(engine, &info);
    assert_string_equal(info.device, "cuda");
    assert_in_range(info.context_tokens, PLACEMENT_LEAST_CONTEXT_TOKENS, 8191);
    assert_false(write_on(engine, text, &error)); /* no tokenizer was copied */
    engine_close(engine);
    scratch_remove(directory);
}

static void device_lost_in_a_request_is_told_and_another_engine_goes_on(void **state)
{
    char text[256];
    struct error error;

    (void)state;
    for (long launch = 1; launch < 60; launch += 19) {
        simt_set_device(ROOMY_BYTES, 0);
        struct engine *engine = open_on(ENGINE_DEVICE_CUDA, &error);
        assert_non_null(engine);
        simt_set_device(ROOMY_BYTES, launch);
        for (int call = 0; call < 2; call++) {
            assert_false(write_on(engine, text, &error));
            assert_int_equal(error.code, ERROR_DEVICE);
            assert_non_null(strstr(error.text, "the GPU failed"));
        }
        engine_close(engine);
    }
    struct engine *engine = open_on(ENGINE_DEVICE_CPU, &error);
    assert_true(write_on(engine, text, &error));
    engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_on_cuda_writes_what_the_cpu_writes),
        cmocka_unit_test(device_too_small_is_told_with_figures),
        cmocka_unit_test(context_is_cut_to_what_the_device_holds),
        cmocka_unit_test(device_lost_in_a_request_is_told_and_another_engine_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
