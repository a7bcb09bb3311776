/* Windows and strides against a plain sum: each token's probability from a window of its own choosing. */
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/perplexity.h"

static const char model[] = "infer/default_model";
static const char text[] =
    "static int add(int left, int right)\n{\n    return left + right;\n}\n\n"
    "int main(void)\n{\n    printf(\"%d\\n\", add(1, 2));\n    return 0;\n}\n";

static struct engine *open_model(int context)
{
    struct error error = {0};
    struct engine *engine = engine_open(
        &(struct engine_options){.model = model, .context_tokens = context, .exact = true}, &error);

    if (!engine)
        fail_msg("%s", error.text);
    return engine;
}

/* Gives the probability of `wanted` after the last row. */
struct last_row {
    size_t rows_left;
    int vocab;
    int32_t wanted;
    double nats;
};

static bool keep_last(void *user, const float *logits)
{
    struct last_row *last = user;
    double sum = 0.0;

    if (--last->rows_left > 0)
        return true;
    for (int i = 0; i < last->vocab; i++)
        sum += exp((double)logits[i]);
    last->nats = log(sum) - (double)logits[last->wanted];
    return true;
}

/* Mean of -log p, where the window of token t begins at the first multiple of the stride from which it is in reach. */
static double plain_nats(struct engine *engine, const int32_t *tokens, size_t count, size_t window,
                         size_t stride, size_t *scored)
{
    struct engine_info info;
    double sum = 0.0;

    engine_describe(engine, &info);
    for (size_t t = 1; t < count; t++) {
        size_t first = 0;
        while (t >= first + window)
            first += stride;
        struct last_row last = {t - first, info.vocab_size, tokens[t], 0.0};
        if (t ==
            first) /* stride and window equal: a window's first token is predicted by nothing */
            continue;
        assert_true(engine_logits(engine, tokens + first, t - first, NULL, keep_last, &last, NULL));
        sum += last.nats;
        ++*scored;
    }
    return sum;
}

static void perplexity_of_windows_equals_plain_sum(void **state)
{
    static const struct {
        int window, stride;
    } cases[] = {{200, 200}, {200, 1}, {16, 8},  {16, 15}, {16, 1},  {30, 7},  {16, 16},
                 {15, 15},   {14, 14}, {13, 13}, {12, 12}, {11, 11}, {10, 10}, {2, 2}};
    struct engine *engine = open_model(256);
    int32_t *tokens;
    size_t count;

    (void)state;
    assert_true(engine_tokenize(engine, text, strlen(text), false, &tokens, &count, NULL));
    assert_in_range(count, 32, 200);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct perplexity result;
        struct error error = {0};
        const struct perplexity_options options = {.window = cases[i].window,
                                                   .stride = cases[i].stride};
        assert_true(perplexity_measure(engine, text, strlen(text), &options, &result, &error));
        size_t scored = 0;
        const double nats = plain_nats(engine, tokens, count, (size_t)cases[i].window,
                                       (size_t)cases[i].stride, &scored);
        assert_int_equal(result.tokens, count);
        assert_int_equal(result.scored, scored);
        assert_true(fabs(result.nats_per_token * (double)result.scored - nats) < 1e-5 * nats);
        assert_true(fabs(result.value - exp(result.nats_per_token)) < 1e-9 * result.value);
    }
    free(tokens);
    engine_close(engine);
}

static void perplexity_that_cannot_be_measured_says_why(void **state)
{
    static const struct {
        const char *text;
        int window, stride;
        const char *complaint;
    } cases[] = {
        {"", 0, 0, "the text has 0 tokens"},     {"x", 0, 0, "the text has 1 tokens"},
        {text, 65, 0, "a window of 65 tokens"},  {text, 1, 0, "a window of 1 tokens"},
        {text, 16, 17, "a stride of 17 tokens"}, {text, 16, -1, "a stride of -1 tokens"},
    };
    struct engine *engine = open_model(64);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct perplexity result;
        struct error error = {0};
        const struct perplexity_options options = {.window = cases[i].window,
                                                   .stride = cases[i].stride};
        assert_false(perplexity_measure(engine, cases[i].text, strlen(cases[i].text), &options,
                                        &result, &error));
        if (!strstr(error.text, cases[i].complaint))
            fail_msg("expected \"%s\", got \"%s\"", cases[i].complaint, error.text);
    }
    engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perplexity_of_windows_equals_plain_sum),
        cmocka_unit_test(perplexity_that_cannot_be_measured_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
