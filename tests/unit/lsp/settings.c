/* settings: what each source may set, and what is said about the rest. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/settings.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct option_case {
    const char *options; /* JSON */
    const char *problem; /* part of the sentence; NULL where there is none */
    const char *outcome; /* of show() */
};

#define DEFAULTS                                                                                   \
    "model - device 0 threads 0 context 0 tokens 128 candidates 3 exact 0 chance 0.05 budget 1500"

static const struct option_case option_cases[] = {
    {"{}", NULL, DEFAULTS},
    {"null", NULL, DEFAULTS},
    {"[]", "must be an object", DEFAULTS},
    {"{\"model\":\"/m\",\"device\":\"cpu\",\"threads\":4,\"context\":2048,\"maxTokens\":64,"
     "\"candidates\":5,\"exact\":true}",
     NULL,
     "model /m device 1 threads 4 context 2048 tokens 64 candidates 5 exact 1 chance 0.05 budget "
     "1500"},
    {"{\"threads\":0,\"maxTokens\":1,\"candidates\":8}", NULL,
     "model - device 0 threads 0 context 0 tokens 1 candidates 8 exact 0 chance 0.05 budget 1500"},
    {"{\"model\":null,\"threads\":null}", NULL, DEFAULTS},
    {"{\"model\":\"\"}", "\"model\"", DEFAULTS},
    {"{\"model\":1}", "\"model\"", DEFAULTS},
    {"{\"device\":\"gpu\"}", "auto, cpu or cuda", DEFAULTS},
    {"{\"threads\":-1}", "\"threads\" must be a whole number from 0", DEFAULTS},
    {"{\"threads\":4.0}", "\"threads\"", DEFAULTS},
    {"{\"threads\":\"4\"}", "\"threads\"", DEFAULTS},
    {"{\"context\":9007199254740993}", "\"context\"", DEFAULTS},
    {"{\"maxTokens\":0}", "\"maxTokens\" must be a whole number from 1", DEFAULTS},
    {"{\"candidates\":9}", "from 1 to 8", DEFAULTS},
    {"{\"exact\":1}", "\"exact\"", DEFAULTS},
    {"{\"context.crossFile\":0}", "\"context.crossFile\" must be true or false", DEFAULTS},
    {"{\"context.budgetTokens\":-1}", "\"context.budgetTokens\" must be a whole", DEFAULTS},
    {"{\"context.ignore\":\"*.c\"}", "\"context.ignore\" must be a list", DEFAULTS},
    {"{\"context.ignore\":[\"a\\nb\"]}", "\"context.ignore\" must be a list", DEFAULTS},
    {"{\"minProbability\":1,\"timeBudget\":0}", NULL,
     "model - device 0 threads 0 context 0 tokens 128 candidates 3 exact 0 chance 1.00 budget 0"},
    {"{\"minProbability\":0.25}", NULL,
     "model - device 0 threads 0 context 0 tokens 128 candidates 3 exact 0 chance 0.25 budget "
     "1500"},
    {"{\"minProbability\":1.5}", "\"minProbability\" must be a number from 0 to 1", DEFAULTS},
    {"{\"minProbability\":\"1\"}", "\"minProbability\"", DEFAULTS},
    {"{\"timeBudget\":-1}", "\"timeBudget\" must be a whole number from 0", DEFAULTS},
    {"{\"colour\":\"red\"}", "unknown option \"colour\"", DEFAULTS},
    {"{\"äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää\":1}",
     "unknown option \"...\"", DEFAULTS},
};

static void show(const struct settings *settings, char *text, size_t capacity)
{
    snprintf(text, capacity,
             "model %s device %d threads %d context %d tokens %d candidates %d exact %d "
             "chance %.2f budget %d",
             settings->model ? settings->model : "-", (int)settings->device, settings->threads,
             settings->context_tokens, settings->max_tokens, settings->candidates, settings->exact,
             (double)settings->min_probability, settings->budget_ms);
}

/* Keeps the one sentence of a case. */
static void on_problem(void *user, const char *sentence)
{
    snprintf(user, 256, "%s", sentence);
}

static void option_of_client_is_applied_or_reported(void **state)
{
    (void)state;
    unsetenv("HXQD_MODEL");
    for (size_t i = 0; i < COUNT(option_cases); i++) {
        const struct option_case *c = &option_cases[i];
        struct settings settings;
        char problem[256] = "";
        char outcome[256];
        json_t *options = json_loads(c->options, JSON_DECODE_ANY, NULL);
        assert_non_null(options);
        assert_true(settings_init(&settings));
        settings_apply_json(&settings, options, on_problem, problem);
        show(&settings, outcome, sizeof outcome);
        bool is_reported = c->problem ? strstr(problem, c->problem) != NULL : !*problem;
        if (!is_reported || strcmp(outcome, c->outcome) != 0)
            fail_msg("%s: %s; %s", c->options, outcome, problem);
        settings_finish(&settings);
        json_decref(options);
    }
}

static void model_of_environment_is_taken(void **state)
{
    (void)state;
    struct settings settings;
    struct error error = {0};
    setenv("HXQD_MODEL", "/some/model", 1);
    assert_true(settings_init(&settings));
    unsetenv("HXQD_MODEL");
    char *path = settings_model_path(&settings, &error);
    assert_string_equal(path, "/some/model");
    free(path);
    settings_finish(&settings);
}

static void model_default_not_installed_is_an_error(void **state)
{
    (void)state;
    struct settings settings;
    struct error error = {0};
    unsetenv("HXQD_MODEL");
    assert_true(settings_init(&settings));

    /* tests lie in a folder of their own, where no model is */
    assert_null(settings_model_path(&settings, &error));
    assert_non_null(strstr(error.text, "--model"));
    settings_finish(&settings);
}

/* An option of the GPU, with the problem that it meets or the values it leaves. */
static void gpu_option_is_applied_or_reported(void **state)
{
    static const struct {
        const char *options, *problem;
        int64_t memory_bytes;
        bool fallback;
    } gpu_cases[] = {
        {"{}", "", 0, true},
        {"{\"gpuMemory\":\"3.5G\",\"gpuFallback\":false}", "", INT64_C(3758096384), false},
        {"{\"gpuMemory\":4}", "\"gpuMemory\" must be a size", 0, true},
        {"{\"gpuMemory\":\"much\"}", "\"gpuMemory\" must be a size", 0, true},
        {"{\"gpuFallback\":\"no\"}", "\"gpuFallback\" must be true or false", 0, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(gpu_cases); i++) {
        struct settings settings;
        char problem[256] = "";
        json_t *options = json_loads(gpu_cases[i].options, 0, NULL);
        assert_true(settings_init(&settings));
        settings_apply_json(&settings, options, on_problem, problem);
        assert_true(*gpu_cases[i].problem ? strstr(problem, gpu_cases[i].problem) != NULL
                                          : !*problem);
        assert_int_equal(settings.gpu_memory_bytes, gpu_cases[i].memory_bytes);
        assert_int_equal(settings.gpu_fallback, gpu_cases[i].fallback);
        settings_finish(&settings);
        json_decref(options);
    }
}

static void memory_sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes; /* 0: refused */
    } sizes[] = {
        {"4G", INT64_C(4) << 30},
        {"3.5g", INT64_C(7) << 29},
        {"512M", 512 << 20},
        {"2048K", 2 << 20},
        {"1048576", 1 << 20},
        {"1048575", 0},
        {"4GB", 0},
        {"4 G", 0},
        {"G", 0},
        {"", 0},
        {"-4G", 0},
        {"nan", 0},
        {"inf", 0},
        {"99999999999G", 0},
        {"4T", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        int64_t bytes = 0;
        assert_int_equal(settings_parse_memory(sizes[i].text, &bytes), sizes[i].bytes > 0);
        assert_int_equal(bytes, sizes[i].bytes);
    }
}

static void device_names_are_known(void **state)
{
    (void)state;
    enum engine_device device;
    assert_true(settings_parse_device("cuda", &device));
    assert_int_equal(device, ENGINE_DEVICE_CUDA);
    assert_false(settings_parse_device("CUDA", &device));
    assert_false(settings_parse_device("", &device));
}

static void option_of_context_is_applied(void **state)
{
    json_t *options = json_loads("{\"context.crossFile\":false,\"context.budgetTokens\":300,"
                                 "\"context.ignore\":[\"*.gen.c\",\"/out/\"],"
                                 "\"context.secretFiles\":true}",
                                 0, NULL);
    struct settings settings;

    (void)state;
    assert_true(settings_init(&settings));
    assert_true(settings.cross_file && !settings.secret_files);
    settings_apply_json(&settings, options, on_problem, (char[256]){0});
    assert_false(settings.cross_file);
    assert_true(settings.secret_files);
    assert_int_equal(settings.shown_tokens, 300);
    assert_string_equal(settings.ignore, "*.gen.c\n/out/\n");
    settings_finish(&settings);
    json_decref(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_of_client_is_applied_or_reported),
        cmocka_unit_test(model_of_environment_is_taken),
        cmocka_unit_test(model_default_not_installed_is_an_error),
        cmocka_unit_test(gpu_option_is_applied_or_reported),
        cmocka_unit_test(memory_sizes_are_read),
        cmocka_unit_test(device_names_are_known),
        cmocka_unit_test(option_of_context_is_applied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
