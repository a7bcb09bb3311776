/* The prompt's form, and how it is cut to a budget. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "infer/fim.h"

static struct tokenizer *tokenizer;
static struct fim_markers markers;

static int setup(void **state)
{
    struct error error = {0};

    (void)state;
    tokenizer = tokenizer_open("infer/default_model/tokenizer.json", &error);
    return tokenizer && fim_markers_find(&markers, tokenizer) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    tokenizer_close(tokenizer);
    return 0;
}

static void encode(const char *prefix, const char *suffix, size_t budget, struct token_list *out)
{
    struct error error = {0};

    const struct fim_text text = {prefix, strlen(prefix), suffix, strlen(suffix)};
    struct prompt_counts counts;
    assert_true(fim_encode(tokenizer, &markers, &text, NULL, budget, out, &counts, &error));
    assert_int_equal(counts.prefix + counts.suffix + counts.line, out->count);
    assert_true(out->count <= budget);
}

/* The prompt as text, markers literal; static storage. */
static const char *prompt_text(const struct token_list *tokens)
{
    static char text[64 * 1024];
    size_t at = 0;

    for (size_t i = 0; i < tokens->count; i++) {
        size_t bytes;
        const char *token = tokenizer_token_text(tokenizer, tokens->ids[i], &bytes);
        assert_true(at + bytes < sizeof text);
        memcpy(text + at, token, bytes);
        at += bytes;
    }
    text[at] = '\0';
    return text;
}

static void prompt_has_the_line_after_the_middle_marker(void **state)
{
    static const struct {
        const char *prefix, *suffix, *prompt;
    } cases[] = {
        {"a = 1\nb = a + ", "\nprint(b)\n",
         "<|fim_prefix|>a = 1\n<|fim_suffix|>\nprint(b)\n<|fim_middle|>b = a + "},
        {"x", "y", "<|fim_prefix|><|fim_suffix|>y<|fim_middle|>x"},
        {"a\n", "b", "<|fim_prefix|>a\n<|fim_suffix|>b<|fim_middle|>"},
        {"", "",
         "<|fim_prefix|><|fim_suffix|>\n<|fim_middle|>"}, /* an empty suffix is one line end */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct token_list tokens = {0};
        encode(cases[i].prefix, cases[i].suffix, 500, &tokens);
        assert_string_equal(prompt_text(&tokens), cases[i].prompt);
        token_list_finish(&tokens);
    }
}

static void marker_text_in_a_buffer_is_not_a_marker(void **state)
{
    struct token_list tokens = {0};
    int found = 0;

    (void)state;
    encode("s = '<|fim_middle|>'\n<|fim_suffix|>", "<|fim_prefix|><|endoftext|>", 500, &tokens);
    for (size_t i = 0; i < tokens.count; i++)
        found += tokenizer_is_special(tokenizer, tokens.ids[i]);
    assert_int_equal(found, 3);
    token_list_finish(&tokens);
}

/* `count` numbered lines; the caller frees them. */
static char *numbered_lines(int count)
{
    char *text = malloc((size_t)count * 32 + 1);
    size_t at = 0;

    text[0] = '\0';
    for (int i = 0; i < count; i++)
        at += (size_t)sprintf(text + at, "line_%d = %d\n", i, i);
    return text;
}

static void long_text_is_cut_at_line_starts_farthest_first(void **state)
{
    struct token_list tokens = {0};
    char *lines = numbered_lines(400);
    char *prefix = malloc(strlen(lines) + 32);

    (void)state;
    sprintf(prefix, "%scursor_line = ", lines);
    encode(prefix, lines, 300, &tokens);
    const char *text = prompt_text(&tokens);
    assert_memory_equal(text, "<|fim_prefix|>line_", 19);
    assert_non_null(strstr(text, "line_399 = 399\n<|fim_suffix|>line_0 = 0\n"));
    assert_non_null(strstr(text, "\n<|fim_middle|>cursor_line = "));
    assert_true(tokens.count > 200);
    token_list_finish(&tokens);
    free(prefix);
    free(lines);
}

/* Typing at the line's end must only append: what the cache holds stays good. */
static void typing_in_a_long_file_rarely_moves_the_cut(void **state)
{
    enum { KEYS = 60 };
    char *lines = numbered_lines(400);
    char *prefix = malloc(strlen(lines) + KEYS + 1);
    struct token_list last = {0};
    int moves = 0;

    (void)state;
    strcpy(prefix, lines);
    for (int key = 0; key < KEYS; key++) {
        struct token_list tokens = {0};
        strcat(prefix, key % 6 == 5 ? " " : "x");
        encode(prefix, lines, 300, &tokens);
        size_t middle = 0;
        while (tokens.ids[middle] != markers.middle)
            middle++;
        if (last.count)
            moves += memcmp(tokens.ids, last.ids, (middle + 1) * sizeof *tokens.ids) != 0;
        token_list_finish(&last);
        last = tokens;
    }
    assert_true(moves <= 1);
    token_list_finish(&last);
    free(prefix);
    free(lines);
}

static void line_that_does_not_fit_loses_its_beginning(void **state)
{
    static const size_t budgets[] = {FIM_MIN_BUDGET, 20, 50, 200};
    char line[2001];

    (void)state;
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = "a+"[i & 1];
    line[sizeof line - 1] = '\0';
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        struct token_list tokens = {0};
        encode(line, "after\n", budgets[i], &tokens);
        const char *text = prompt_text(&tokens);
        const char *kept = strstr(text, "<|fim_middle|>") + strlen("<|fim_middle|>");
        assert_true(budgets[i] < 50 || strlen(kept) > 4);
        assert_string_equal(kept, line + strlen(line) - strlen(kept));
        token_list_finish(&tokens);
    }
}

/* --- other files --------------------------------------------------------------------------------------------------------- */

/* Encodes a cursor in "cursor = " between two lines, with what is shown, and checks that the counts add up. */
static void encode_shown(const struct prompt_shown *shown, const struct fim_markers *known,
                         size_t budget, struct token_list *out, struct prompt_counts *counts)
{
    static const char before[] = "first\ncursor = ", after[] = "\nlast\n";
    const struct fim_text text = {before, strlen(before), after, strlen(after)};
    struct error error = {0};
    int sum;

    assert_true(fim_encode(tokenizer, known, &text, shown, budget, out, counts, &error));
    sum = counts->repository + counts->prefix + counts->suffix + counts->line;
    for (size_t i = 0; i < PROMPT_FILES_MAX; i++)
        sum += counts->files[i];
    assert_int_equal(sum, out->count);
    assert_true(out->count <= budget);
}

static const char file_level[] =
    "<|fim_prefix|>first\n<|fim_suffix|>\nlast\n<|fim_middle|>cursor = ";

/* tests/fixtures/fim/repository.json holds prompts and their ids as Hugging Face transformers gives them for the embedded
 * model's tokenizer, the whole prompt being one text with literal markers. */
static void prompts_equal_those_of_transformers(void **state)
{
    json_t *cases = json_load_file("tests/fixtures/fim/repository.json", 0, NULL);
    size_t index;
    const json_t *value;

    (void)state;
    assert_int_equal(json_array_size(cases), 5);
    json_array_foreach(cases, index, value)
    {
        const char *prefix, *suffix, *text;
        const json_t *listed, *ids;
        struct prompt_file files[4];
        struct prompt_shown shown = {.files = files, .budget_tokens = 1000};
        assert_int_equal(
            json_unpack((json_t *)(uintptr_t)value, "{s:s, s:s, s:s, s:s, s:s, s:o, s:o}",
                        "repository", &shown.repository, "path", &shown.path, "prefix", &prefix,
                        "suffix", &suffix, "text", &text, "files", &listed, "ids", &ids),
            0);
        for (; shown.count < json_array_size(listed); shown.count++) {
            const json_t *file = json_array_get(listed, shown.count);
            const json_t *content = json_object_get(file, "text");
            files[shown.count] =
                (struct prompt_file){json_string_value(json_object_get(file, "path")),
                                     json_string_value(content), json_string_length(content)};
        }

        const struct fim_text around = {prefix, strlen(prefix), suffix, strlen(suffix)};
        struct token_list tokens = {0};
        struct prompt_counts counts;
        struct error error = {0};
        assert_true(
            fim_encode(tokenizer, &markers, &around, &shown, 4000, &tokens, &counts, &error));
        assert_string_equal(prompt_text(&tokens), text);
        assert_int_equal(tokens.count, json_array_size(ids));
        for (size_t i = 0; i < tokens.count; i++)
            assert_int_equal(tokens.ids[i], json_integer_value(json_array_get(ids, i)));
        token_list_finish(&tokens);
    }
    json_decref(cases);
}

static void marker_text_in_names_and_files_is_not_a_marker(void **state)
{
    const struct prompt_file file = {"<|fim_prefix|>.c", "<|file_sep|>\n<|endoftext|>\n", 27};
    const struct prompt_shown shown = {"<|repo_name|>", "<|fim_middle|>", &file, 1, 500};
    struct token_list tokens = {0};
    struct prompt_counts counts;
    int found = 0;

    (void)state;
    encode_shown(&shown, &markers, 1000, &tokens, &counts);
    for (size_t i = 0; i < tokens.count; i++)
        found += tokenizer_is_special(tokenizer, tokens.ids[i]);
    assert_int_equal(found, 6);
    token_list_finish(&tokens);
}

static void files_that_do_not_fit_are_cut_at_line_ends_and_left_out(void **state)
{
    char *lines = numbered_lines(60);
    const size_t bytes = strlen(lines);
    const struct prompt_file files[] = {
        {"a", lines, bytes}, {"b", lines, bytes}, {"c", "line_0\n", 7}};

    (void)state;
    for (size_t budget = 0; budget < 1200; budget += budget < 100 ? 1 : 7) {
        const struct prompt_shown shown = {"r", "p", files, 3, budget};
        struct token_list tokens = {0};
        struct prompt_counts counts;
        encode_shown(&shown, &markers, 3000, &tokens, &counts);
        int taken = counts.repository;
        bool was_cut = false;
        for (size_t i = 0; i < 3; i++) {
            taken += counts.files[i];
            assert_true(!was_cut || counts.files[i] == 0);
            was_cut = counts.files[i] < (i == 2 ? 1 : 300);
        }
        assert_true(taken <= (int)budget);

        /* every file that is there has a line, and ends with one */
        const char *text = prompt_text(&tokens);
        for (const char *at = strstr(text, "<|file_sep|>"); at;) {
            const char *next = strstr(at + 1, "<|file_sep|>");
            assert_true(!next || next[-1] == '\n');
            const char *line = strstr(at, "\nline_0");
            assert_true(!next || (line && line < next));
            at = next;
        }
        if (taken == 0)
            assert_string_equal(text, file_level);
        token_list_finish(&tokens);
    }
    free(lines);
}

static void files_take_half_of_the_budget_at_most(void **state)
{
    char *lines = numbered_lines(400);
    const struct prompt_file file = {"a", lines, strlen(lines)};
    const struct prompt_shown shown = {"r", "p", &file, 1, 4000};
    struct token_list tokens = {0};
    struct prompt_counts counts;

    (void)state;
    encode_shown(&shown, &markers, 600, &tokens, &counts);
    assert_in_range(counts.files[0] + counts.repository, 250, 300);
    token_list_finish(&tokens);
    free(lines);
}

static void model_without_repository_markers_is_shown_nothing(void **state)
{
    const struct prompt_file file = {"a", "line\n", 5};
    const struct prompt_shown shown = {"r", "p", &file, 1, 500};
    struct fim_markers known = markers;
    struct token_list tokens = {0};
    struct prompt_counts counts;

    (void)state;
    known.repository = known.file = -1;
    encode_shown(&shown, &known, 600, &tokens, &counts);
    assert_string_equal(prompt_text(&tokens), file_level);
    token_list_finish(&tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_equal_those_of_transformers),
        cmocka_unit_test(marker_text_in_names_and_files_is_not_a_marker),
        cmocka_unit_test(files_that_do_not_fit_are_cut_at_line_ends_and_left_out),
        cmocka_unit_test(files_take_half_of_the_budget_at_most),
        cmocka_unit_test(model_without_repository_markers_is_shown_nothing),
        cmocka_unit_test(prompt_has_the_line_after_the_middle_marker),
        cmocka_unit_test(marker_text_in_a_buffer_is_not_a_marker),
        cmocka_unit_test(long_text_is_cut_at_line_starts_farthest_first),
        cmocka_unit_test(typing_in_a_long_file_rarely_moves_the_cut),
        cmocka_unit_test(line_that_does_not_fit_loses_its_beginning),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
