/* Greedy single-line completions of the embedded model against a reference implementation's, problem by problem.
 *
 * tests/fixtures/eval/fim_single_line.jsonl holds prefix, suffix and the reference's ids up to a stop token or the first token
 * with a line end. They belong to the embedded model's weights: a new model brings a new file. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "infer/engine.h"

enum {
    LINE_BYTES = 64 * 1024,
    MAX_TOKENS = 40, /* as in the reference */
    PROBLEMS = 160,
};

/* How many problems to do: all, or the program's first argument (sanitized builds are slow). */
static int problem_limit = PROBLEMS;

static bool until_line_end(void *user, const char *text, size_t bytes)
{
    (void)user;
    return !memchr(text, '\n', bytes);
}

/* Whether the completion's ids are the reference's; a stop token is not listed there. */
static bool equals_reference(const struct engine_result *result, const json_t *reference)
{
    size_t count = (size_t)result->completion_tokens;

    if (result->stop == ENGINE_STOP_END)
        count--;
    if (count != json_array_size(reference))
        return false;
    for (size_t i = 0; i < count; i++)
        if (result->tokens[i] != json_integer_value(json_array_get(reference, i)))
            return false;
    return true;
}

static void completions_of_the_eval_set_equal_the_reference(void **state)
{
    struct error error = {0};
    struct engine *engine = engine_open(
        &(struct engine_options){.model = "infer/default_model", .exact = true}, &error);
    FILE *file = fopen("tests/fixtures/eval/fim_single_line.jsonl", "r");
    char *line = malloc(LINE_BYTES);
    int problems = 0, equal = 0, exact = 0;

    (void)state;
    assert_string_equal(error.text, "");
    assert_non_null(file);
    while (problems < problem_limit && fgets(line, LINE_BYTES, file)) {
        json_t *problem = json_loads(line, 0, NULL);
        assert_non_null(problem);
        const json_t *prefix = json_object_get(problem, "prefix");
        const json_t *suffix = json_object_get(problem, "suffix");
        struct engine_result result;
        const struct engine_request request = {
            .fill = true,
            .prefix = json_string_value(prefix),
            .prefix_bytes = json_string_length(prefix),
            .suffix = json_string_value(suffix),
            .suffix_bytes = json_string_length(suffix),
            .max_tokens = MAX_TOKENS,
            .top_p = 1.0f,
            .on_text = until_line_end,
        };
        assert_true(engine_complete(engine, &request, &result, &error));

        problems++;
        const bool same = equals_reference(&result, json_object_get(problem, "reference_ids"));
        equal += same;
        if (!same)
            print_message("problem %lld: %s | reference %s\n",
                          (long long)json_integer_value(json_object_get(problem, "id")),
                          result.text,
                          json_string_value(json_object_get(problem, "reference_text")));
        exact += strncmp(result.text, json_string_value(json_object_get(problem, "middle")),
                         strcspn(result.text, "\n")) == 0 &&
                 strcspn(result.text, "\n") ==
                     strlen(json_string_value(json_object_get(problem, "middle")));
        engine_result_finish(&result);
        json_decref(problem);
    }
    print_message("%d of %d equal to the reference, %d exact matches\n", equal, problems, exact);
    assert_int_equal(problems, problem_limit);
    assert_int_equal(equal, problems);

    free(line);
    fclose(file);
    engine_close(engine);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        problem_limit = atoi(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completions_of_the_eval_set_equal_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
