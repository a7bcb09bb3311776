/* Drafts change how many passes a completion takes and nothing else: ids, text, stops and what comes after are those of an
 * engine without them, whether the text proposes them or a second model. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "infer/draft_model.h"
#include "infer/engine.h"
#include "infer/fill_bench.h"

enum { LINE_BYTES = 64 * 1024, PROBLEMS = 12, CONTEXT = 192, MAX_TOKENS = 20 };

static struct engine *plain, *drafting;

static const char *const itself = "infer/default_model"; /* the model as its own draft model */
static const char *draft_model;

static struct engine *open_engine(int draft_tokens)
{
    struct error error = {0};

    return engine_open(&(struct engine_options){.model = "infer/default_model",
                                                .context_tokens = CONTEXT,
                                                .draft_tokens = draft_tokens,
                                                .draft_model = draft_model},
                       &error);
}

static int setup(void **state)
{
    draft_model = *state;
    plain = open_engine(-1);
    drafting = open_engine(0);
    return plain && drafting ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    engine_close(plain);
    engine_close(drafting);
    return 0;
}

static void complete(struct engine *engine, const struct engine_request *request,
                     struct engine_result *result)
{
    struct error error = {0};

    assert_true(engine_complete(engine, request, result, &error));
}

static void assert_same(const struct engine_result *result, const struct engine_result *expected)
{
    assert_string_equal(result->text, expected->text);
    assert_int_equal(result->stop, expected->stop);
    assert_int_equal(result->completion_tokens, expected->completion_tokens);
    assert_memory_equal(result->tokens, expected->tokens,
                        (size_t)expected->completion_tokens * sizeof *expected->tokens);
}

/* Completes with both engines and gives the drafting one's result. */
static struct engine_result assert_equal_runs(const struct engine_request *request)
{
    struct engine_result expected, result;

    complete(plain, request, &expected);
    complete(drafting, request, &result);
    assert_same(&result, &expected);
    assert_int_equal(expected.drafted_tokens, 0);
    assert_in_range(result.accepted_tokens, 0, result.drafted_tokens);
    assert_true(result.accepted_tokens < result.completion_tokens);
    engine_result_finish(&expected);
    return result;
}

static void completions_of_the_eval_set_equal_those_without_drafts(void **state)
{
    FILE *file = fopen("tests/fixtures/eval/fim_single_line.jsonl", "r");
    char *line = malloc(LINE_BYTES);
    int drafted = 0, accepted = 0;

    (void)state;
    assert_non_null(file);
    assert_non_null(line);
    for (int i = 0; i < PROBLEMS && fgets(line, LINE_BYTES, file); i++) {
        json_t *problem = json_loads(line, 0, NULL);
        const json_t *prefix = json_object_get(problem, "prefix");
        const json_t *suffix = json_object_get(problem, "suffix");
        const struct engine_request request = {
            .fill = true,
            .prefix = json_string_value(prefix),
            .prefix_bytes = json_string_length(prefix),
            .suffix = json_string_value(suffix),
            .suffix_bytes = json_string_length(suffix),
            .max_tokens = MAX_TOKENS,
            .temperature = i % 3 == 2 ? 0.5f : 0.0f, /* drawn ones stay the same as well */
            .top_p = 0.95f,
            .seed = (uint64_t)i,
        };
        struct engine_result result = assert_equal_runs(&request);
        drafted += result.drafted_tokens;
        accepted += result.accepted_tokens;
        engine_result_finish(&result);
        json_decref(problem);
    }
    print_message("%d tokens drafted, %d accepted\n", drafted, accepted);
    assert_true(accepted > 0);
    free(line);
    fclose(file);
}

/* Text that goes on as it began. */
static const char repetitive[] =
    "static const int squares[] = {\n    0 * 0,\n    1 * 1,\n    0 * 0,\n    1 * 1,\n    0 * 0,\n  "
    "  "
    "1 * 1,\n    0 * 0,\n    1 * 1,\n    0 * 0,\n    1 * 1,\n    0 * 0,\n";

static struct engine_request repetitive_request(void)
{
    return (struct engine_request){
        .prefix = repetitive,
        .prefix_bytes = sizeof repetitive - 1,
        .max_tokens = MAX_TOKENS,
        .top_p = 1.0f,
    };
}

static void repetitive_text_takes_few_passes(void **state)
{
    const struct engine_request request = repetitive_request();
    struct engine_result result = assert_equal_runs(&request);

    (void)state;
    assert_int_equal(result.stop, ENGINE_STOP_MAX_TOKENS);
    assert_true(result.accepted_tokens > MAX_TOKENS / 2);
    engine_result_finish(&result);

    /* fewer tokens than are drafted at a time; a context that fills up */
    for (int max_tokens = 1; max_tokens <= 5; max_tokens++) {
        struct engine_request few = request;
        few.max_tokens = max_tokens;
        result = assert_equal_runs(&few);
        assert_int_equal(result.completion_tokens, max_tokens);
        assert_true(result.drafted_tokens < max_tokens);
        engine_result_finish(&result);
    }
    struct engine_request endless = request;
    endless.max_tokens = 1000;
    result = assert_equal_runs(&endless);
    assert_int_equal(result.stop, ENGINE_STOP_CONTEXT);
    engine_result_finish(&result);
}

/* A callback that stops or cancels at its n-th call. */
struct watch {
    int calls, last_call;
    atomic_bool *cancel;
};

static bool watch_text(void *user, const char *text, size_t bytes)
{
    struct watch *watch = user;

    assert_int_equal(strlen(text), bytes);
    if (++watch->calls < watch->last_call)
        return true;
    if (watch->cancel)
        atomic_store(watch->cancel, true);
    return watch->cancel;
}

static void caller_stops_in_the_middle_of_an_accepted_run(void **state)
{
    struct engine_request request = repetitive_request();
    int accepted = 0;

    (void)state;
    request.on_text = watch_text;
    for (int last_call = 1; last_call <= 10; last_call++) {
        struct watch watch = {.last_call = last_call};
        struct engine_result expected, result;
        request.user = &watch;
        complete(plain, &request, &expected);
        watch = (struct watch){.last_call = last_call};
        complete(drafting, &request, &result);
        assert_same(&result, &expected);
        assert_int_equal(result.stop, ENGINE_STOP_CALLER);
        assert_int_equal(watch.calls, last_call);
        accepted += result.accepted_tokens > 0;
        engine_result_finish(&expected);
        engine_result_finish(&result);
    }
    assert_true(accepted > 0);
}

static void verification_that_is_cancelled_leaves_the_engine_usable(void **state)
{
    const struct engine_request request = repetitive_request();

    (void)state;
    for (int last_call = 1; last_call <= 10; last_call += 3) {
        struct error error = {0};
        struct engine_result result;
        atomic_bool cancel = false;
        struct watch watch = {.last_call = last_call, .cancel = &cancel};
        struct engine_request cancelled = request;
        cancelled.cancel = &cancel;
        cancelled.on_text = watch_text;
        cancelled.user = &watch;
        assert_false(engine_complete(drafting, &cancelled, &result, &error));
        assert_int_equal(error.code, ERROR_CANCELLED);

        assert_int_equal(watch.calls, last_call);

        result = assert_equal_runs(&request);
        engine_result_finish(&result);
    }
}

static int setup_draft_model(void **state)
{
    *state = (void *)(uintptr_t)itself;
    return setup(state);
}

static void model_that_drafts_for_itself_is_always_right(void **state)
{
    const char text[] = "int add(int a, int b)\n{\n    return ";
    const struct engine_request request = {
        .prefix = text, .prefix_bytes = sizeof text - 1, .max_tokens = MAX_TOKENS, .top_p = 1.0f};
    struct engine_result result = assert_equal_runs(&request);

    (void)state;
    assert_true(result.accepted_tokens * 2 > result.completion_tokens);
    engine_result_finish(&result);
}

static void draft_model_of_another_vocabulary_is_refused(void **state)
{
    struct error error = {0};

    (void)state;
    assert_null(engine_open(&(struct engine_options){.model = "infer/default_model",
                                                     .draft_model = "tests/golden/qwen2-tied"},
                            &error));
    assert_non_null(strstr(error.text, "tests/golden/qwen2-tied: a vocabulary of"));
}

static void proposals_of_a_draft_model_follow_one_another(void **state)
{
    enum { VOCABULARY = 8192, ROOM = 32, LIMIT = 4 };
    int32_t tokens[ROOM] = {100, 200, 300, 400}, together[LIMIT];
    struct error error = {0};
    int count = 4, proposed;
    struct draft_model *drafter =
        draft_model_open(itself, &(struct model_options){0}, VOCABULARY, ROOM, &error);

    (void)state;
    assert_non_null(drafter);
    assert_true(
        draft_model_propose(drafter, tokens, count, LIMIT, NULL, together, &proposed, &error));
    assert_int_equal(proposed, LIMIT);
    for (int i = 0; i < LIMIT; i++, count++) {
        assert_true(draft_model_propose(drafter, tokens, count, 1, NULL, &tokens[count], &proposed,
                                        &error));
        assert_int_equal(proposed, 1);
        assert_int_equal(tokens[count], together[i]);
    }

    /* nothing where the context is full, or for a token that it does not know */
    assert_true(draft_model_propose(drafter, tokens, ROOM - LIMIT + 1, LIMIT, NULL, together,
                                    &proposed, &error));
    assert_int_equal(proposed, 0);
    tokens[2] = VOCABULARY;
    assert_true(
        draft_model_propose(drafter, tokens, count, LIMIT, NULL, together, &proposed, &error));
    assert_int_equal(proposed, 0);
    draft_model_close(drafter);
}

static void write_problems(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void problems_are_solved_alike_both_ways(void **state)
{
    const struct engine_options options = {.model = itself, .draft_model = itself};
    char path[] = "/tmp/hxqd-problems-XXXXXX";
    struct fill_bench result;
    struct error error = {0};

    (void)state;
    close(mkstemp(path));
    write_problems(path, "{\"prefix\": \"int a = 0;\\nint b = \", \"suffix\": \";\\n\"}\n"
                         "{\"prefix\": \"def f(x):\\n    return \", \"suffix\": \"\\n\"}\n");
    assert_true(fill_bench_run(&result, &options, path, 3, &error));
    assert_int_equal(result.problems, 2);
    assert_int_equal(result.same, 2);
    assert_in_range(result.accepted, 1, result.drafted);
    assert_true(result.tokens >= 2);

    write_problems(path, "{\"prefix\": \"int a;\", \"suffix\": \"\"}\n{\"prefix\": 1}\n");
    assert_false(fill_bench_run(&result, &options, path, 1, &error));
    assert_non_null(strstr(error.text, ": line 2: "));
    error = (struct error){0};
    write_problems(path, "");
    assert_false(fill_bench_run(&result, &options, path, 1, &error));
    assert_non_null(strstr(error.text, "holds no problems"));
    error = (struct error){0};
    assert_false(fill_bench_run(&result, &options, "tests/none.jsonl", 1, &error));
    assert_non_null(strstr(error.text, "tests/none.jsonl: cannot be read"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completions_of_the_eval_set_equal_those_without_drafts),
        cmocka_unit_test(repetitive_text_takes_few_passes),
        cmocka_unit_test(caller_stops_in_the_middle_of_an_accepted_run),
        cmocka_unit_test(verification_that_is_cancelled_leaves_the_engine_usable),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(model_that_drafts_for_itself_is_always_right),
        cmocka_unit_test(draft_model_of_another_vocabulary_is_refused),
        cmocka_unit_test(proposals_of_a_draft_model_follow_one_another),
        cmocka_unit_test(problems_are_solved_alike_both_ways),
    };
    return cmocka_run_group_tests_name("from the text", tests, setup, teardown) +
           cmocka_run_group_tests_name("from a draft model", tests, setup_draft_model, teardown) +
           cmocka_run_group_tests_name("others", others, setup_draft_model, teardown);
}
