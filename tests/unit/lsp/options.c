/* options: what each source may set, what is said about the rest, and that all of it is documented. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/options.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct options_source editor = {.name = "editor"};
static const struct options_source workspace = {.name = ".hxqd.json", .is_workspace = true};
static const struct options_source file = {.name = "config.json", .gives_way = true};

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
    {"[]", "editor: options must be an object", DEFAULTS},
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
    {"{\"context\":{\"tokens\":64,\"budgetTokens\":8}}", NULL,
     "model - device 0 threads 0 context 64 tokens 128 candidates 3 exact 0 chance 0.05 budget "
     "1500"},
    {"{\"context\":{\"colour\":1}}", "unknown option \"context.colour\"", DEFAULTS},
    {"{\"context\":{\"tokens\":{}}}", "\"context\" must be a whole number", DEFAULTS},
    {"{\"trace\":{\"server\":\"off\"},\"editor.x\":1}", NULL, DEFAULTS},
    {"{\"languages\":{\"c\":{\"maxTokens\":1}}}", NULL, DEFAULTS},
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
        options_apply(&settings, options, &editor, &(struct options_listener){on_problem, problem});
        show(&settings, outcome, sizeof outcome);
        bool is_reported = c->problem ? strstr(problem, c->problem) != NULL : !*problem;
        if (!is_reported || strcmp(outcome, c->outcome) != 0)
            fail_msg("%s: %s; %s", c->options, outcome, problem);
        settings_finish(&settings);
        json_decref(options);
    }
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
        options_apply(&settings, options, &editor, &(struct options_listener){on_problem, problem});
        assert_true(*gpu_cases[i].problem ? strstr(problem, gpu_cases[i].problem) != NULL
                                          : !*problem);
        assert_int_equal(settings.gpu_memory_bytes, gpu_cases[i].memory_bytes);
        assert_int_equal(settings.gpu_fallback, gpu_cases[i].fallback);
        settings_finish(&settings);
        json_decref(options);
    }
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
    options_apply(&settings, options, &editor,
                  &(struct options_listener){on_problem, (char[256]){0}});
    assert_false(settings.cross_file);
    assert_true(settings.secret_files);
    assert_int_equal(settings.shown_tokens, 300);
    assert_string_equal(settings.ignore, "*.gen.c\n/out/\n");
    settings_finish(&settings);
    json_decref(options);
}

/* What a workspace may not decide. */
static void option_of_workspace_cannot_load_or_let_out(void **state)
{
    static const char *const refused[] = {
        "{\"model\":\"/m\"}",
        "{\"draftModel\":\"/m\"}",
        "{\"context.secretFiles\":true}",
        "{\"context\":{\"secretFiles\":true}}",
    };

    (void)state;
    unsetenv("HXQD_MODEL");
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct settings settings;
        char problem[256] = "";
        json_t *options = json_loads(refused[i], 0, NULL);
        assert_true(settings_init(&settings));
        options_apply(&settings, options, &workspace,
                      &(struct options_listener){on_problem, problem});
        assert_non_null(strstr(problem, ".hxqd.json: a workspace may not set"));
        assert_null(settings.model);
        assert_null(settings.draft_model);
        assert_false(settings.secret_files);
        settings_finish(&settings);
        json_decref(options);
    }
}

static void option_of_the_command_line_wins_over_the_users_file(void **state)
{
    struct settings settings;
    char problem[256] = "";
    json_t *options = json_loads("{\"maxTokens\":9,\"threads\":9}", 0, NULL);
    const struct options_listener listener = {on_problem, problem};

    (void)state;
    assert_true(settings_init(&settings));
    settings.max_tokens = 5;
    options_give(&settings, &settings.max_tokens);
    options_apply(&settings, options, &file, &listener);
    assert_int_equal(settings.max_tokens, 5);
    assert_int_equal(settings.threads, 9);
    options_apply(&settings, options, &editor, &listener);
    assert_int_equal(settings.max_tokens, 9);
    assert_string_equal(problem, "");
    settings_finish(&settings);
    json_decref(options);
}

static void patterns_of_all_sources_add_up(void **state)
{
    struct settings settings;
    json_t *options = json_loads("{\"context.ignore\":[\"*.c\"]}", 0, NULL);
    json_t *more = json_loads("{\"context.ignore\":[\"/out/\",\"x\"]}", 0, NULL);
    const struct options_listener listener = {on_problem, (char[256]){0}};

    (void)state;
    assert_true(settings_init(&settings));
    options_apply(&settings, options, &file, &listener);
    options_apply(&settings, more, &workspace, &listener);
    assert_string_equal(settings.ignore, "*.c\n/out/\nx\n");
    settings_finish(&settings);
    json_decref(options);
    json_decref(more);
}

/* What an object with languages makes of "python", or the problem that it has. */
static void option_of_language_is_applied_or_reported(void **state)
{
    static const struct {
        const char *options, *problem;
        bool enabled;
        int max_tokens;
    } cases[] = {
        {"{\"languages\":{\"python\":{\"enabled\":false,\"maxTokens\":64}}}", "", false, 64},
        {"{\"languages\":{\"c\":{\"enabled\":false}}}", "", true, 128},
        {"{\"languages\":{\"python\":{\"threads\":2}}}",
         "editor: python: option \"threads\" cannot differ by language", true, 128},
        {"{\"languages\":{\"python\":{\"maxTokens\":0}}}",
         "editor: python: option \"maxTokens\" must be a whole number from 1", true, 128},
        {"{\"languages\":{\"python\":{\"colour\":0}}}", "editor: python: unknown option", true,
         128},
        {"{\"languages\":{\"python\":{\"languages\":{}}}}", "", true, 128},
        {"{\"languages\":{\"python\":false}}", "\"python\" must be an object", true, 128},
        {"{\"languages\":[\"python\"]}", "\"languages\" must be an object", true, 128},
        {"{\"languages\":null}", "", true, 128},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings;
        char problem[256] = "";
        json_t *options = json_loads(cases[i].options, 0, NULL);
        assert_true(settings_init(&settings));
        options_apply_languages(&settings, options, &editor,
                                &(struct options_listener){on_problem, problem});
        const struct settings *python = settings_for(&settings, "python");
        if (python->enabled != cases[i].enabled || python->max_tokens != cases[i].max_tokens ||
            (*cases[i].problem ? !strstr(problem, cases[i].problem) : *problem))
            fail_msg("%s: %d %d; %s", cases[i].options, python->enabled, python->max_tokens,
                     problem);
        settings_finish(&settings);
        json_decref(options);
    }
}

/* A file as a whole; the caller frees it. */
static char *file_read(const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = calloc(1, 64 * 1024);
    assert_non_null(in);
    assert_non_null(text);
    assert_true(fread(text, 1, 64 * 1024 - 1, in) > 0);
    fclose(in);
    return text;
}

/* SETTINGS.md holds the table exactly as the code has it; what it should be is printed where it does not. */
static void documentation_holds_the_table(void **state)
{
    struct settings settings;
    char *table = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&table, &bytes);

    (void)state;
    unsetenv("HXQD_MODEL");
    assert_true(settings_init(&settings));
    options_document(&settings, out);
    fclose(out);
    char *text = file_read("lsp/SETTINGS.md");
    if (!strstr(text, table))
        fail_msg("lsp/SETTINGS.md lacks this table:\n%s", table);
    free(text);
    free(table);
    settings_finish(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_of_client_is_applied_or_reported),
        cmocka_unit_test(gpu_option_is_applied_or_reported),
        cmocka_unit_test(option_of_context_is_applied),
        cmocka_unit_test(option_of_workspace_cannot_load_or_let_out),
        cmocka_unit_test(option_of_the_command_line_wins_over_the_users_file),
        cmocka_unit_test(patterns_of_all_sources_add_up),
        cmocka_unit_test(option_of_language_is_applied_or_reported),
        cmocka_unit_test(documentation_holds_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
