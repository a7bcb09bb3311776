/* settings: values, their copies, and where languages differ. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/settings.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

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

/* Settings of a language begin as the general ones, are found by name, and are copied with them. */
static void language_differs_from_what_holds_in_general(void **state)
{
    struct settings settings, copy;

    (void)state;
    unsetenv("HXQD_MODEL");
    assert_true(settings_init(&settings));
    assert_true(settings_set_string(&settings.model, "/m"));
    settings.max_tokens = 7;
    settings.enabled = false;
    assert_false(settings_any_enabled(&settings));
    settings_language(&settings, "python")->enabled = true;
    settings_language(&settings, "python")->candidates = 2;
    assert_true(settings_copy(&copy, &settings));
    settings_finish(&settings);

    const struct settings *python = settings_for(&copy, "python");
    assert_int_equal(python->max_tokens, 7);
    assert_int_equal(python->candidates, 2);
    assert_string_equal(python->model, "/m");
    assert_ptr_equal(settings_for(&copy, "c"), &copy);
    assert_ptr_equal(settings_for(&copy, NULL), &copy);
    assert_true(settings_any_enabled(&copy));
    settings_finish(&copy);
}

static void language_after_the_last_is_refused(void **state)
{
    struct settings settings;
    char name[32];

    (void)state;
    assert_true(settings_init(&settings));
    for (int i = 0; i <= SETTINGS_LANGUAGES_MAX; i++) {
        snprintf(name, sizeof name, "language%d", i);
        assert_int_equal(settings_language(&settings, name) != NULL, i < SETTINGS_LANGUAGES_MAX);
    }
    settings_finish(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_of_environment_is_taken),
        cmocka_unit_test(model_default_not_installed_is_an_error),
        cmocka_unit_test(memory_sizes_are_read),
        cmocka_unit_test(device_names_are_known),
        cmocka_unit_test(language_differs_from_what_holds_in_general),
        cmocka_unit_test(language_after_the_last_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
