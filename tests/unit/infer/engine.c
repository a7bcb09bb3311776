/* Requests end for the right reason, stream whole code points, and leave the engine usable whatever happened. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer/engine.h"
#include "tests/support/checkpoint.h"

static struct engine *engine;

static int setup(void **state)
{
    struct error error = {0};

    (void)state;
    engine = engine_open(&(struct engine_options){.model = "infer/default_model"}, &error);
    return engine ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    engine_close(engine);
    return 0;
}

/* What a callback saw. */
struct watch {
    int calls, stop_after;
    size_t last_bytes;
    atomic_bool *cancel;
};

static bool watch_text(void *user, const char *text, size_t bytes)
{
    struct watch *watch = user;

    assert_true(bytes > watch->last_bytes);
    assert_int_equal(text[bytes], '\0');
    assert_true(((unsigned char)text[watch->last_bytes] & 0xc0) != 0x80);
    watch->last_bytes = bytes;
    watch->calls++;
    if (watch->cancel && watch->calls == watch->stop_after)
        atomic_store(watch->cancel, true);
    return watch->cancel || watch->calls != watch->stop_after;
}

static struct engine_request fill_request(const char *prefix, const char *suffix)
{
    return (struct engine_request){
        .fill = true,
        .prefix = prefix,
        .prefix_bytes = strlen(prefix),
        .suffix = suffix,
        .suffix_bytes = strlen(suffix),
        .max_tokens = 24,
        .top_p = 1.0f,
    };
}

static const char prefix[] = "def area(width, height):\n    return wid",
                  suffix[] = "\n\nprint(area(2, 3))\n";

static void request_stops_for_the_right_reason(void **state)
{
    struct engine_result result;

    (void)state;
    struct engine_request request = fill_request(prefix, suffix);

    /* some seed lets the model end by itself; no marker shows in the text */
    enum engine_stop stop = ENGINE_STOP_MAX_TOKENS;
    request.temperature = 1.0f;
    for (request.seed = 0; request.seed < 100 && stop != ENGINE_STOP_END; request.seed++) {
        assert_true(engine_complete(engine, &request, &result, NULL));
        assert_int_equal(strlen(result.text), result.bytes);
        assert_null(strstr(result.text, "<|"));
        assert_true(result.total_ms >= result.first_token_ms && result.first_token_ms > 0.0);
        stop = result.stop;
        engine_result_finish(&result);
    }
    assert_int_equal(stop, ENGINE_STOP_END);

    request.temperature = 0.0f;
    request.max_tokens = 2;
    assert_true(engine_complete(engine, &request, &result, NULL));
    assert_int_equal(result.stop, ENGINE_STOP_MAX_TOKENS);
    assert_int_equal(result.completion_tokens, 2);
    engine_result_finish(&result);

    struct watch watch = {.stop_after = 1};
    request.max_tokens = 24;
    request.on_text = watch_text;
    request.user = &watch;
    assert_true(engine_complete(engine, &request, &result, NULL));
    assert_int_equal(result.stop, ENGINE_STOP_CALLER);
    assert_int_equal(watch.calls, 1);
    engine_result_finish(&result);
}

/* A millisecond is too little for hundreds of tokens on any machine. A short prompt is read all the same. */
static void request_stops_when_its_time_is_spent(void **state)
{
    struct engine_result result;
    struct engine_request request = {
        .prefix = "static const int squares[] = {0, 1, 4,",
        .max_tokens = 400,
        .top_p = 1.0f,
        .budget_ms = 1,
    };

    (void)state;
    request.prefix_bytes = strlen(request.prefix);
    assert_true(engine_complete(engine, &request, &result, NULL));
    assert_int_equal(result.stop, ENGINE_STOP_TIME);
    assert_string_equal(engine_stop_name(result.stop), "time");
    assert_in_range(result.completion_tokens, 1, 399);
    engine_result_finish(&result);
}

/* Nor can a long prompt be read in one. Whoever asks again goes on from there, and gets what others get. */
static void request_whose_prompt_takes_too_long_is_answered_when_asked_again(void **state)
{
    enum { LINES = 200, LINE_BYTES = 32 };
    char prompt[LINES * LINE_BYTES + 1] = "";
    struct engine_result result, whole;
    int known = -1, calls = 0;

    (void)state;
    for (int i = 0; i < LINES; i++)
        snprintf(prompt + strlen(prompt), LINE_BYTES, "q%d = %d\n", i, i * i);
    struct engine_request request = {
        .prefix = prompt,
        .prefix_bytes = strlen(prompt),
        .max_tokens = 1,
        .top_p = 1.0f,
        .budget_ms = 1,
    };
    do {
        assert_true(engine_complete(engine, &request, &result, NULL));
        const bool is_read = result.completion_tokens > 0;
        assert_int_equal(result.stop, is_read ? ENGINE_STOP_MAX_TOKENS : ENGINE_STOP_TIME);
        assert_true(is_read || (result.bytes == 0 && result.reused_tokens > known));
        known = result.reused_tokens;
        calls++;
        if (!is_read)
            engine_result_finish(&result);
    } while (result.completion_tokens == 0);
    assert_true(calls > 1);

    request.budget_ms = 0;
    assert_true(engine_complete(engine, &request, &whole, NULL));
    assert_string_equal(result.text, whole.text);
    engine_result_finish(&result);
    engine_result_finish(&whole);
}

/* Any special token ends a text, also where the config names none. */
static void special_token_ends_text_that_the_config_does_not_end(void **state)
{
    struct error error = {0};
    struct checkpoint checkpoint;
    struct engine_result result;
    char directory[64], *tokenizer = realpath("infer/default_model/tokenizer.json", NULL);
    enum engine_stop stop = ENGINE_STOP_MAX_TOKENS;

    (void)state;
    scratch_create(directory);
    checkpoint_read(&checkpoint, "infer/default_model");
    json_object_set_new(checkpoint.config, "eos_token_id", json_null());
    checkpoint_write(&checkpoint, directory, 1);
    checkpoint_finish(&checkpoint);
    assert_int_equal(symlink(tokenizer, path_in(directory, "tokenizer.json")), 0);
    free(tokenizer);

    struct engine *endless = engine_open(&(struct engine_options){.model = directory}, &error);
    assert_non_null(endless);
    struct engine_request request = fill_request(prefix, suffix);
    request.temperature = 1.0f;
    for (request.seed = 0; request.seed < 100 && stop != ENGINE_STOP_END; request.seed++) {
        assert_true(engine_complete(endless, &request, &result, &error));
        assert_null(strstr(result.text, "<|"));
        stop = result.stop;
        engine_result_finish(&result);
    }
    assert_int_equal(stop, ENGINE_STOP_END);
    engine_close(endless);
    scratch_remove(directory);
}

static void prompt_that_was_seen_is_reused(void **state)
{
    struct engine_result first, again;

    (void)state;
    struct engine_request request = fill_request(prefix, suffix);
    assert_true(engine_complete(engine, &request, &first, NULL));
    assert_true(engine_complete(engine, &request, &again, NULL));
    assert_int_equal(again.reused_tokens, again.prompt_tokens - 1);
    assert_string_equal(again.text, first.text);
    engine_result_finish(&again);

    /* one more character at the line's end: everything up to the line stays */
    char typed[sizeof prefix + 1];
    strcpy(typed, prefix);
    strcat(typed, "t");
    request = fill_request(typed, suffix);
    assert_true(engine_complete(engine, &request, &again, NULL));
    assert_true(again.reused_tokens >= first.prompt_tokens - 3);
    engine_result_finish(&again);
    engine_result_finish(&first);
}

static void request_that_is_cancelled_fails_and_the_next_one_works(void **state)
{
    struct error error = {0};
    struct engine_result result;
    atomic_bool cancel = false;
    struct watch watch = {.stop_after = 2, .cancel = &cancel};

    (void)state;
    struct engine_request request = fill_request(prefix, suffix);
    request.cancel = &cancel;
    request.on_text = watch_text;
    request.user = &watch;
    assert_false(engine_complete(engine, &request, &result, &error));
    assert_int_equal(error.code, ERROR_CANCELLED);
    assert_int_equal(watch.calls, 2);

    request = fill_request(prefix, suffix);
    assert_true(engine_complete(engine, &request, &result, NULL));
    assert_true(result.bytes >= watch.last_bytes && result.completion_tokens > watch.calls);
    engine_result_finish(&result);
}

static void sampled_text_depends_on_the_seed_only(void **state)
{
    struct engine_result results[3];

    (void)state;
    struct engine_request request = fill_request("# ", "\n");
    request.temperature = 1.5f;
    for (int i = 0; i < 3; i++) {
        request.seed = i == 2 ? 99 : 7;
        assert_true(engine_complete(engine, &request, &results[i], NULL));
    }
    assert_string_equal(results[0].text, results[1].text);
    assert_string_not_equal(results[0].text, results[2].text);
    for (int i = 0; i < 3; i++)
        engine_result_finish(&results[i]);
}

/* What the tokens of a result write, the part before the cursor included; the caller frees it. */
static char *tokens_text(const struct engine_result *result)
{
    const int count = result->completion_tokens - (result->stop == ENGINE_STOP_END);
    size_t bytes;
    char *text;

    assert_true(engine_detokenize(engine, result->tokens, (size_t)count, &text, &bytes, NULL));
    return text;
}

/* Wherever a word is cut, the tokens write what was cut off first, and the text goes on from there. */
static void healed_text_begins_with_what_was_held_back(void **state)
{
    static const char *const words[] = {"return width * height",
                                        "self.assertEqual(width",
                                        "\t\tconst rectangle",
                                        "    # größer als",
                                        "x = [1, 20",
                                        "if (width <= ",
                                        "漢字 = '😀"};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (size_t cut = 1; cut <= strlen(words[i]); cut++) {
            char typed[128] = "def area(width, height):\n";
            if (((unsigned char)words[i][cut] & 0xc0) == 0x80)
                continue;
            strncat(typed, words[i], cut);
            struct engine_request request = fill_request(typed, suffix);
            request.heal = true;
            request.temperature = cut % 2 ? 1.0f : 0.0f;
            request.seed = cut;
            struct engine_result result;
            assert_true(engine_complete(engine, &request, &result, NULL));

            /* the held bytes are the end of what was typed */
            char *written = tokens_text(&result);
            const size_t held = strlen(written) - result.bytes;
            if (strlen(written) < result.bytes || held == 0 || held > cut)
                fail_msg("\"%s\": \"%s\" is written, \"%s\" given out", typed, written,
                         result.text);
            assert_memory_equal(written, typed + strlen(typed) - held, held);
            assert_string_equal(written + held, result.text);
            free(written);
            engine_result_finish(&result);
        }
    }
}

static void half_a_word_is_continued_only_when_healed(void **state)
{
    struct engine_request request = fill_request("def area(width, height):\n    retu", suffix);
    struct engine_result result;

    (void)state;
    request.max_tokens = 4;
    assert_true(engine_complete(engine, &request, &result, NULL));
    assert_int_not_equal(strncmp(result.text, "rn ", 3), 0);
    engine_result_finish(&result);

    request.heal = true;
    assert_true(engine_complete(engine, &request, &result, NULL));
    assert_int_equal(strncmp(result.text, "rn ", 3), 0);
    engine_result_finish(&result);
}

/* Letters of a word leave the prompt as it is: all of it but the last token, whose logits are needed, is there already. */
static void healed_prompt_is_reused_while_a_word_is_typed(void **state)
{
    static const char word[] = "    return width";
    struct engine_result result;

    (void)state;
    for (size_t typed = strlen("    r"); typed <= strlen(word); typed++) {
        char text[64] = "def area(width, height):\n";
        memcpy(text + strlen(text), word, typed);
        struct engine_request request = fill_request(text, suffix);
        request.heal = true;
        assert_true(engine_complete(engine, &request, &result, NULL));
        const bool begins_word = word[typed - 1] == ' ';
        if (typed > strlen("    r"))
            assert_true(result.reused_tokens >= result.prompt_tokens - (begins_word ? 2 : 1));
        engine_result_finish(&result);
    }
}

/* Probabilities of tokens and the places of their texts. */
static void tokens_are_given_with_probability_and_place(void **state)
{
    struct engine_request request = fill_request(prefix, suffix);
    struct engine_result result;

    (void)state;
    for (int healed = 0; healed < 2; healed++) {
        request.heal = healed;
        assert_true(engine_complete(engine, &request, &result, NULL));
        size_t end = 0;
        for (int i = 0; i < result.completion_tokens; i++) {
            assert_true(result.log_probabilities[i] <= 0.0f);
            assert_true(result.log_probabilities[i] > -20.0f);
            assert_true(result.ends[i] >= end);
            end = result.ends[i];
        }
        assert_int_equal(end, result.bytes);
        engine_result_finish(&result);
    }
}

static void text_is_continued_until_the_context_is_full(void **state)
{
    struct error error = {0};
    struct engine_result result;
    struct watch watch = {.stop_after = -1};
    struct engine *small = engine_open(
        &(struct engine_options){.model = "infer/default_model", .context_tokens = 32}, &error);

    (void)state;
    assert_non_null(small);
    const char *text =
        "int main(void) { for (int i = 0; i < 10; i++) { for (int j = 0; j < 10; j++) "
        "{ printf(\"%d %d\", i, j); } } }\nint other(void) {\n    int ";
    const struct engine_request request = {.prefix = text,
                                           .prefix_bytes = strlen(text),
                                           .max_tokens = 1000,
                                           .top_p = 1.0f,
                                           .temperature = 2.0f,
                                           .seed = 3,
                                           .on_text = watch_text,
                                           .user = &watch};
    assert_true(engine_complete(small, &request, &result, &error));
    assert_int_equal(result.prompt_tokens, 16);
    assert_int_equal(result.stop, ENGINE_STOP_CONTEXT);
    assert_int_equal(result.prompt_tokens + result.completion_tokens, 32);
    engine_result_finish(&result);
    engine_close(small);
}

static void special_text_is_special_only_when_asked(void **state)
{
    static const char text[] = "<|fim_prefix|>x";
    int32_t *ids;
    size_t count, bytes;
    char *back;

    (void)state;
    assert_true(engine_tokenize(engine, text, strlen(text), true, &ids, &count, NULL));
    assert_int_equal(count, 2);
    free(ids);
    assert_true(engine_tokenize(engine, text, strlen(text), false, &ids, &count, NULL));
    assert_true(count > 2);
    assert_true(engine_detokenize(engine, ids, count, &back, &bytes, NULL));
    assert_string_equal(back, text);
    free(back);
    free(ids);
}

static void request_that_makes_no_sense_is_an_error(void **state)
{
    struct error error = {0};
    struct engine_result result;
    char *text;
    size_t bytes;
    const int32_t unknown[] = {5, 8192};

    (void)state;
    struct engine_request request = fill_request(prefix, suffix);
    request.max_tokens = 0;
    assert_false(engine_complete(engine, &request, &result, &error));
    assert_int_equal(error.code, ERROR_INPUT);
    error = (struct error){0};
    request = (struct engine_request){.prefix = "", .max_tokens = 5, .top_p = 1.0f};
    assert_false(engine_complete(engine, &request, &result, &error));
    assert_string_equal(error.text, "the prompt is empty");
    error = (struct error){0};
    assert_false(engine_detokenize(engine, unknown, 2, &text, &bytes, &error));
    assert_non_null(strstr(error.text, "8192"));
}

static void engine_without_tokenizer_says_so(void **state)
{
    struct error error = {0};
    struct engine_result result;
    struct engine *golden =
        engine_open(&(struct engine_options){.model = "tests/golden/qwen2-tied"}, &error);

    (void)state;
    assert_non_null(golden);
    struct engine_request request = fill_request("a", "b");
    assert_false(engine_complete(golden, &request, &result, &error));
    assert_non_null(strstr(error.text, "tests/golden/qwen2-tied: tokenizer.json is missing"));
    engine_close(golden);
}

static void files_may_go_once_they_are_loaded(void **state)
{
    static const char *const commands[] = {
        "cp infer/default_model/*.json infer/default_model/*.safetensors %s",
        "truncate -s 0 %s/*",
        "rm %s/*",
    };
    struct engine_request request = fill_request(prefix, suffix);
    struct engine_result result;
    struct engine *other = NULL;
    char directory[64], command[256], expected[256];

    (void)state;
    assert_true(engine_complete(engine, &request, &result, NULL));
    snprintf(expected, sizeof expected, "%s", result.text);
    engine_result_finish(&result);
    scratch_create(directory);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(command, sizeof command, commands[i], directory);
        assert_int_equal(system(command), 0);
        if (!other)
            other = engine_open(&(struct engine_options){.model = directory}, NULL);
        assert_non_null(other);
        assert_true(engine_complete(other, &request, &result, NULL));
        assert_string_equal(result.text, expected);
        engine_result_finish(&result);
    }
    engine_close(other);
    scratch_remove(directory);
}

static void option_that_cannot_be_had_is_an_error(void **state)
{
    struct error error = {0};

    (void)state;
    assert_null(engine_open(
        &(struct engine_options){.model = "infer/default_model", .device = ENGINE_DEVICE_CUDA},
        &error));
    assert_int_equal(error.code, ERROR_DEVICE);
    error = (struct error){0};
    assert_null(engine_open(
        &(struct engine_options){.model = "infer/default_model", .context_tokens = 769}, &error));
    assert_int_equal(error.code, ERROR_LIMIT);

    error = (struct error){0};
    atomic_bool cancel = true;
    assert_null(engine_open(
        &(struct engine_options){.model = "infer/default_model", .cancel = &cancel}, &error));
    assert_int_equal(error.code, ERROR_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_stops_for_the_right_reason),
        cmocka_unit_test(request_stops_when_its_time_is_spent),
        cmocka_unit_test(request_whose_prompt_takes_too_long_is_answered_when_asked_again),
        cmocka_unit_test(special_token_ends_text_that_the_config_does_not_end),
        cmocka_unit_test(prompt_that_was_seen_is_reused),
        cmocka_unit_test(request_that_is_cancelled_fails_and_the_next_one_works),
        cmocka_unit_test(sampled_text_depends_on_the_seed_only),
        cmocka_unit_test(healed_text_begins_with_what_was_held_back),
        cmocka_unit_test(half_a_word_is_continued_only_when_healed),
        cmocka_unit_test(healed_prompt_is_reused_while_a_word_is_typed),
        cmocka_unit_test(tokens_are_given_with_probability_and_place),
        cmocka_unit_test(text_is_continued_until_the_context_is_full),
        cmocka_unit_test(special_text_is_special_only_when_asked),
        cmocka_unit_test(request_that_makes_no_sense_is_an_error),
        cmocka_unit_test(engine_without_tokenizer_says_so),
        cmocka_unit_test(files_may_go_once_they_are_loaded),
        cmocka_unit_test(option_that_cannot_be_had_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
