/* An engine on the CUDA backend, its device the host's: it takes what its placement says, and when the device is full or lost the
 * request fails with a text and the CPU goes on. */
#include "tests/support/test.h"

#include <string.h>

#include "infer/engine.h"
#include "kernels/cuda/host/control.h"

static const char model[] = "tests/golden/qwen2-tied";

static struct engine *open_on(enum engine_device device, struct error *error)
{
    *error = (struct error){0};
    return engine_open(
        &(struct engine_options){
            .model = model, .device = device, .exact = true, .context_tokens = 64},
        error);
}

static bool ignore_row(void *user, const float *logits)
{
    (void)user;
    (void)logits;
    return true;
}

static bool compute(struct engine *engine, struct error *error)
{
    static const int32_t tokens[] = {1, 2, 3, 4, 5};

    *error = (struct error){0};
    return engine_logits(engine, tokens, 5, NULL, ignore_row, NULL, error);
}

static void engine_on_a_device_computes_there(void **state)
{
    struct engine_info info;
    struct error error;

    (void)state;
    simt_set_device((size_t)1 << 30, 0);
    struct engine *engine = open_on(ENGINE_DEVICE_AUTO, &error);
    assert_non_null(engine);
    engine_describe(engine, &info);
    assert_string_equal(info.device, "cuda");
    assert_string_equal(info.hardware, "emulated GPU");
    assert_true(compute(engine, &error));
    engine_close(engine);
}

static void engine_on_a_device_without_room_is_refused_or_on_the_cpu(void **state)
{
    struct engine_info info;
    struct error error;

    (void)state;
    simt_set_device(24 << 20, 0);
    assert_null(open_on(ENGINE_DEVICE_CUDA, &error));
    assert_non_null(strstr(error.text, "GiB are available"));
    struct engine *engine = open_on(ENGINE_DEVICE_AUTO, &error);
    assert_non_null(engine);
    engine_describe(engine, &info);
    assert_string_equal(info.device, "cpu");
    assert_true(compute(engine, &error));
    engine_close(engine);
}

static void request_on_a_device_that_is_lost_fails_with_a_text(void **state)
{
    struct error error;

    (void)state;
    simt_set_device((size_t)1 << 30, 0);
    struct engine *engine = open_on(ENGINE_DEVICE_CUDA, &error);
    assert_non_null(engine);
    assert_true(compute(engine, &error));
    simt_set_device((size_t)1 << 30, 5);
    assert_false(compute(engine, &error));
    assert_non_null(strstr(error.text, "the GPU failed"));
    assert_false(compute(engine, &error));
    engine_close(engine);

    /* where it went is no matter to the CPU */
    engine = open_on(ENGINE_DEVICE_CPU, &error);
    assert_non_null(engine);
    assert_true(compute(engine, &error));
    engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_on_a_device_computes_there),
        cmocka_unit_test(engine_on_a_device_without_room_is_refused_or_on_the_cpu),
        cmocka_unit_test(request_on_a_device_that_is_lost_fails_with_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
