/* How sure the model was of a line, and what that says of the line. */
#include "tests/support/test.h"

#include <math.h>

#include "lsp/completion/chance.h"

enum { TOKENS = 3 };

static const float tolerance = 1e-6f;

struct chance_case {
    const char *name;
    size_t bytes;
    int tokens;
    float confidence;
};

/* Tokens of 4, 4 and 2 bytes with the probabilities 1/2, 1/8 and 1. */
static const struct chance_case cases[] = {
    {"nothing was written", 4, 0, 0.0f}, {"no byte still counts the first token", 0, TOKENS, 0.5f},
    {"one token", 4, TOKENS, 0.5f},      {"a token that begins within", 5, TOKENS, 0.25f},
    {"all", 10, TOKENS, 0.39685026f},    {"more than there is", 100, TOKENS, 0.39685026f},
};

static void confidence_is_the_mean_of_the_tokens_that_begin_within(void **state)
{
    float log_probabilities[TOKENS] = {logf(0.5f), logf(0.125f), 0.0f};
    size_t ends[TOKENS] = {4, 8, 10};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct engine_result result = {
            .log_probabilities = log_probabilities,
            .ends = ends,
            .completion_tokens = cases[i].tokens,
        };
        const float confidence = chance_confidence(&result, cases[i].bytes);
        if (fabsf(confidence - cases[i].confidence) > tolerance)
            fail_msg("%s: %f", cases[i].name, (double)confidence);
    }
}

static void chance_grows_with_confidence_and_falls_with_length(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes < 80; bytes++) {
        assert_true(chance_right(0.9f, bytes) > chance_right(0.9f, bytes + 1));
        assert_true(chance_right(0.9f, bytes) > chance_right(0.5f, bytes));
        assert_true(chance_right(1.0f, bytes) < 1.0f);
    }
    assert_true(chance_right(0.0f, 1) >= 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confidence_is_the_mean_of_the_tokens_that_begin_within),
        cmocka_unit_test(chance_grows_with_confidence_and_falls_with_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
