/* preferences: sources as files, which of them changed, and what is told of them. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lsp/preferences.h"
#include "tests/support/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int setup(void **state)
{
    unsetenv("HXQD_MODEL");
    return scratch_setup(state);
}

/* The last sentence told, and how many. */
struct told {
    char sentence[1024];
    int count;
};

static void on_problem(void *user, const char *sentence)
{
    struct told *told = user;
    snprintf(told->sentence, sizeof told->sentence, "%s", sentence);
    told->count++;
}

static struct preferences *create(void)
{
    struct settings base;
    assert_true(settings_init(&base));
    struct preferences *preferences = preferences_create(&base);
    settings_finish(&base);
    assert_non_null(preferences);
    return preferences;
}

static void file_that_cannot_be_read_is_a_problem(void **state)
{
    static const struct {
        const char *text;
        const char *problem; /* part of it; NULL: none */
    } cases[] = {
        {"{\"maxTokens\": 3}", NULL},
        {"{}", NULL},
        {"", "config.json:1: "},
        {"{\n\"maxTokens\" 3}", "config.json:2: "},
        {"{\"maxTokens\": 3, \"maxTokens\": 4}", "duplicate"},
        {"{\"maxTokens\": 3} {}", "config.json:1: "},
        {"{\"model\": \"\xff\"}", "config.json:1: "},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct preferences *preferences = create();
        struct told told = {0};
        const struct options_listener listener = {on_problem, &told};
        scratch_write("config.json", cases[i].text);
        bool is_changed = preferences_read(preferences, PREFERENCES_USER,
                                           path_in(scratch_root, "config.json"), &listener);
        if (is_changed != !cases[i].problem || told.count != (cases[i].problem ? 1 : 0) ||
            (cases[i].problem && !strstr(told.sentence, cases[i].problem)))
            fail_msg("%s: %d, %s", cases[i].text, is_changed, told.sentence);
        preferences_destroy(preferences);
    }
}

static void file_of_another_kind_is_a_problem(void **state)
{
    struct preferences *preferences = create();
    struct told told = {0};
    const struct options_listener listener = {on_problem, &told};

    (void)state;
    assert_false(
        preferences_read(preferences, PREFERENCES_USER, path_in(scratch_root, "none"), &listener));
    assert_int_equal(told.count, 0);
    assert_int_equal(mkfifo(path_in(scratch_root, "pipe"), 0600), 0);
    assert_false(
        preferences_read(preferences, PREFERENCES_USER, path_in(scratch_root, "pipe"), &listener));
    assert_non_null(strstr(told.sentence, "/pipe: is no regular file"));
    assert_false(preferences_read(preferences, PREFERENCES_USER, scratch_root, &listener));
    assert_int_equal(told.count, 2);

    /* full of spaces and more than anybody sets */
    FILE *file = fopen(path_in(scratch_root, "large"), "w");
    assert_non_null(file);
    assert_int_equal(fprintf(file, "%*s{}", 1024 * 1024, ""), 1024 * 1024 + 2);
    fclose(file);
    assert_false(
        preferences_read(preferences, PREFERENCES_USER, path_in(scratch_root, "large"), &listener));
    assert_non_null(strstr(told.sentence, "/large: is too large"));
    preferences_destroy(preferences);
}

static void set_options(struct preferences *preferences, enum preferences_source source,
                        const char *text, bool is_changed)
{
    json_t *options = text ? json_loads(text, 0, NULL) : NULL;
    assert_int_equal(preferences_set(preferences, source, options), is_changed);
    json_decref(options);
}

static void source_taken_back_uncovers_the_one_before(void **state)
{
    static const struct {
        enum preferences_source source;
        const char *options;
        bool is_changed;
        int max_tokens, python_tokens;
    } steps[] = {
        {PREFERENCES_OPTIONS, "{\"maxTokens\":3}", true, 3, 3},
        {PREFERENCES_OPTIONS, "{\"maxTokens\":3}", false, 3, 3},
        {PREFERENCES_WORKSPACE, "{\"maxTokens\":2,\"languages\":{\"python\":{\"maxTokens\":9}}}",
         true, 3, 9},
        {PREFERENCES_CONFIGURATION, "{\"maxTokens\":4}", true, 4, 9},
        {PREFERENCES_USER, "{\"maxTokens\":1}", true, 4, 9},
        {PREFERENCES_CONFIGURATION, NULL, true, 3, 9},
        {PREFERENCES_CONFIGURATION, NULL, false, 3, 9},
        {PREFERENCES_OPTIONS, "null", true, 2, 9},
        {PREFERENCES_WORKSPACE, NULL, true, 1, 1},
        {PREFERENCES_USER, NULL, true, 128, 128},
    };
    struct preferences *preferences = create();
    struct settings settings;
    struct told told = {0};
    const struct options_listener listener = {on_problem, &told};

    (void)state;
    assert_true(settings_init(&settings));
    for (size_t i = 0; i < COUNT(steps); i++) {
        set_options(preferences, steps[i].source, steps[i].options, steps[i].is_changed);
        assert_true(preferences_resolve(preferences, &settings, &listener));
        if (settings.max_tokens != steps[i].max_tokens ||
            settings_for(&settings, "python")->max_tokens != steps[i].python_tokens)
            fail_msg("step %zu: %d, %d", i, settings.max_tokens,
                     settings_for(&settings, "python")->max_tokens);
    }
    assert_int_equal(told.count, 0);
    settings_finish(&settings);
    preferences_destroy(preferences);
}

static void problem_is_told_once(void **state)
{
    struct preferences *preferences = create();
    struct settings settings;
    struct told told = {0};
    const struct options_listener listener = {on_problem, &told};

    (void)state;
    assert_true(settings_init(&settings));
    set_options(preferences, PREFERENCES_OPTIONS, "{\"colour\":1}", true);
    assert_true(preferences_resolve(preferences, &settings, &listener));
    assert_true(preferences_resolve(preferences, &settings, &listener));
    assert_int_equal(told.count, 1);
    assert_string_equal(told.sentence, "initializationOptions: unknown option \"colour\"");
    set_options(preferences, PREFERENCES_CONFIGURATION, "{\"colour\":1}", true);
    assert_true(preferences_resolve(preferences, &settings, &listener));
    assert_int_equal(told.count, 2);
    settings_finish(&settings);
    preferences_destroy(preferences);
}

static void users_file_lies_where_xdg_says(void **state)
{
    static const struct {
        const char *configuration, *home, *path;
    } cases[] = {
        {"/c", "/h", "/c/hxqd/config.json"},
        {"", "/h", "/h/.config/hxqd/config.json"},
        {"c", "/h", "/h/.config/hxqd/config.json"},
        {"", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        setenv("XDG_CONFIG_HOME", cases[i].configuration, 1);
        setenv("HOME", cases[i].home, 1);
        char *path = preferences_user_path();
        if (cases[i].path)
            assert_string_equal(path, cases[i].path);
        else
            assert_null(path);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_that_cannot_be_read_is_a_problem),
        cmocka_unit_test(file_of_another_kind_is_a_problem),
        cmocka_unit_test(source_taken_back_uncovers_the_one_before),
        cmocka_unit_test(problem_is_told_once),
        cmocka_unit_test(users_file_lies_where_xdg_says),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
