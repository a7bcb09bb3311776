/* Pieces of other files in an engine's prompts: shown by a model with room for them, and not read again while the user types. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "infer/engine.h"
#include "tests/support/checkpoint.h"

static const char file_text[] = "/* Appends a value; false when it is full. */\n"
                                "bool ring_push(struct ring *ring, int value);\n";
static const struct prompt_file file = {"ring.h", file_text, sizeof file_text - 1};

/* What a request's callback saw. */
struct prompt {
    char *text;
    struct prompt_counts counts;
};

static void on_prompt(void *user, const char *text, size_t bytes,
                      const struct prompt_counts *counts)
{
    struct prompt *prompt = user;

    assert_int_equal(strlen(text), bytes);
    free(prompt->text);
    prompt->text = strdup(text);
    prompt->counts = *counts;
}

/* Completes `prefix`, shown one file, healed as the daemon does it. */
static struct engine_result complete(struct engine *engine, const char *prefix,
                                     struct prompt *prompt)
{
    const struct engine_request request = {
        .fill = true,
        .prefix = prefix,
        .prefix_bytes = strlen(prefix),
        .suffix = "\n}\n",
        .suffix_bytes = 3,
        .shown = {"project", "main.c", &file, 1, 512},
        .heal = true,
        .max_tokens = 4,
        .top_p = 1.0f,
        .on_prompt = on_prompt,
        .user = prompt,
    };
    struct engine_result result;

    assert_true(engine_complete(engine, &request, &result, NULL));
    assert_int_equal(result.prompt_tokens, prompt->counts.files[0] + prompt->counts.repository +
                                               prompt->counts.prefix + prompt->counts.suffix +
                                               prompt->counts.line);
    return result;
}

/* The embedded model, with a window of `positions`. */
static struct engine *open_with(const char *directory, int positions)
{
    struct checkpoint checkpoint;

    checkpoint_read(&checkpoint, "infer/default_model");
    json_object_set_new(checkpoint.config, "max_position_embeddings", json_integer(positions));
    checkpoint_write(&checkpoint, directory, 1);
    checkpoint_finish(&checkpoint);
    json_t *tokenizer = json_load_file("infer/default_model/tokenizer.json", 0, NULL);
    assert_int_equal(json_dump_file(tokenizer, path_in(directory, "tokenizer.json"), 0), 0);
    json_decref(tokenizer);
    return engine_open(&(struct engine_options){.model = directory, .device = ENGINE_DEVICE_CPU},
                       NULL);
}

static void file_is_shown_where_the_window_is_large_enough(void **state)
{
    static const struct {
        int positions;
        const char *prompt;
    } cases[] = {
        {ENGINE_SHOWN_CONTEXT_TOKENS - 1,
         "<|fim_prefix|>int main(void)\n{\n<|fim_suffix|>\n}\n<|fim_middle|>   "},
        {ENGINE_SHOWN_CONTEXT_TOKENS,
         "<|repo_name|>project\n<|file_sep|>ring.h\n/* Appends a value; false when it is full. */\n"
         "bool ring_push(struct ring *ring, int value);\n<|file_sep|>main.c\n"
         "<|fim_prefix|>int main(void)\n{\n<|fim_suffix|>\n}\n<|fim_middle|>   "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char directory[64];
        struct prompt prompt = {0};
        struct engine_info info;
        scratch_create(directory);
        struct engine *engine = open_with(directory, cases[i].positions);
        assert_non_null(engine);
        engine_describe(engine, &info);
        assert_int_equal(info.can_show, i);
        struct engine_result result = complete(engine, "int main(void)\n{\n    ring", &prompt);
        assert_string_equal(prompt.text, cases[i].prompt);
        engine_result_finish(&result);
        engine_close(engine);
        scratch_remove(directory);
        free(prompt.text);
    }
}

static void typing_ten_characters_reads_the_prompt_once(void **state)
{
    static const char typed[] = "int main(void)\n{\n    return ring_push(&ring, 1)";
    const size_t start = strlen("int main(void)\n{\n    return ri");
    struct prompt prompt = {0};
    char directory[64], prefix[sizeof typed];
    int last = 0;

    (void)state;
    scratch_create(directory);
    struct engine *engine = open_with(directory, 4096);
    assert_non_null(engine);
    for (size_t bytes = start; bytes <= start + 10; bytes++) {
        memcpy(prefix, typed, bytes);
        prefix[bytes] = '\0';
        struct engine_result result = complete(engine, prefix, &prompt);
        /* all but the tokens of the word that is being typed */
        assert_true(bytes == start ? result.reused_tokens == 0 : result.reused_tokens >= last - 1);
        assert_true(result.prompt_tokens - result.reused_tokens <= 4 || bytes == start);
        last = result.prompt_tokens;
        engine_result_finish(&result);
    }
    assert_in_range(prompt.counts.files[0], 20, 100);
    engine_close(engine);
    scratch_remove(directory);
    free(prompt.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_is_shown_where_the_window_is_large_enough),
        cmocka_unit_test(typing_ten_characters_reads_the_prompt_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
