/* The search for covers against all covers: the one that is chosen is the most probable of those that any tokens make. */
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/heal.h"

#define MODEL "infer/default_model"

enum { CONTEXT = 64 };

static struct model *model;
static struct session *session;
static struct tokenizer *tokenizer;

static int setup(void **state)
{
    const struct model_options options = {.exact = true};
    struct error error = {0};

    (void)state;
    model = model_load(MODEL, &options, &error);
    tokenizer = tokenizer_open(MODEL "/tokenizer.json", &error);
    session = model ? session_create(model, CONTEXT, &error) : NULL;
    return session && tokenizer ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    session_destroy(model, session);
    tokenizer_close(tokenizer);
    model_destroy(model);
    return 0;
}

static void evaluate(const struct token_list *tokens)
{
    struct error error = {0};

    assert_true(session_sync(model, session, tokens->ids, tokens->count, NULL, NULL, &error));
}

/* Log-probability of the most probable cover of `held` behind the tokens: every beginning is gone into, however improbable. */
static float best_cover(struct token_list *tokens, const char *held, size_t held_bytes)
{
    const int32_t vocab = tokenizer_size(tokenizer);
    float *logits = malloc((size_t)vocab * sizeof *logits), best = -INFINITY;

    evaluate(tokens);
    memcpy(logits, session_logits(model, session, NULL), (size_t)vocab * sizeof *logits);
    const float sum = sampler_log_sum(logits, vocab);
    for (int32_t id = 0; id < vocab; id++) {
        size_t bytes;
        const char *text = tokenizer_token_text(tokenizer, id, &bytes);
        const size_t shared = bytes < held_bytes ? bytes : held_bytes;
        if (bytes == 0 || tokenizer_is_special(tokenizer, id) || memcmp(text, held, shared))
            continue;
        float log_probability = logits[id] - sum;
        if (bytes < held_bytes) {
            assert_true(token_list_append(tokens, &id, 1));
            log_probability += best_cover(tokens, held + bytes, held_bytes - bytes);
            tokens->count--;
        }
        best = log_probability > best ? log_probability : best;
    }
    free(logits);
    return best;
}

/* Log-probability of the tokens from `first` on. */
static float score(const struct token_list *tokens, size_t first)
{
    float sum = 0.0f;

    for (size_t i = first; i < tokens->count; i++) {
        struct token_list before = {.ids = tokens->ids, .count = i};
        evaluate(&before);
        const float *logits = session_logits(model, session, NULL);
        sum += logits[tokens->ids[i]] - sampler_log_sum(logits, tokenizer_size(tokenizer));
    }
    return sum;
}

static void cover_that_is_chosen_is_the_most_probable(void **state)
{
    static const struct {
        const char *prompt, *held;
    } cases[] = {
        {"def area(width, height):\n   ", " retu"},
        {"import", " re"},
        {"for i in", " ra"},
        {"    self", ".ass"},
        {"int main", "(vo"},
        {"x = a", " =="},
        {"s = '", "漢"},
        {"print", "(f\""},
    };
    int multiple = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *held = cases[i].held;
        struct token_list tokens = {0};
        struct sampler sampler;
        struct error error = {0};
        float log_probabilities[HEAL_BYTES_MAX];
        size_t beyond;
        assert_true(tokenizer_encode(tokenizer, cases[i].prompt, strlen(cases[i].prompt), false,
                                     &tokens, &error));
        assert_true(sampler_init(&sampler, tokenizer_size(tokenizer), 0.0f, 1.0f, 1));
        const size_t prompt = tokens.count;
        const float best = best_cover(&tokens, held, strlen(held));

        evaluate(&tokens);
        assert_true(heal_cover(model, session, tokenizer, &sampler, held, strlen(held), NULL,
                               &tokens, log_probabilities, &beyond, &error));
        multiple += tokens.count - prompt > 1;
        const float chosen = score(&tokens, prompt);
        if (fabsf(chosen - best) > 1e-3f)
            fail_msg("\"%s\": %f is chosen, %f the best", held, (double)chosen, (double)best);
        sampler_finish(&sampler);
        token_list_finish(&tokens);
    }
    assert_true(multiple > 0);
}

/* A piece that is longer than what may be taken back stays where it is. */
static void held_bytes_are_few(void **state)
{
    static const char line[] = "x = ============================================";

    (void)state;
    assert_int_equal(heal_held_bytes(tokenizer, "return wid", 10), 4);
    assert_int_equal(heal_held_bytes(tokenizer, line, sizeof line - 1), 0);
    assert_int_equal(heal_held_bytes(tokenizer, "", 0), 0);
    assert_int_equal(heal_held_bytes(tokenizer, "return\n", 7), 0);
    assert_int_equal(heal_held_bytes(tokenizer, "a\n  b", 5), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cover_that_is_chosen_is_the_most_probable),
        cmocka_unit_test(held_bytes_are_few),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
