/* Greedy and sampled tokens: ties, padding rows, nucleus, seeds, frequencies. */
#include "tests/support/test.h"

#include <math.h>

#include "infer/sample.h"

static void greedy_takes_the_largest_logit_of_real_rows(void **state)
{
    static const struct {
        float logits[5];
        int vocab;
        int32_t expected;
    } cases[] = {
        {{1, 5, 2, 0, 3}, 5, 1},
        {{1, 5, 5, 5, 3}, 5, 1}, /* ties: lowest id */
        {{1, 2, 3, 9, 9}, 3, 2}, /* rows 3 and 4 only pad the matrix */
        {{-7, -9, -8, 0, 0}, 3, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sampler sampler;
        assert_true(sampler_init(&sampler, cases[i].vocab, 0.0f, 1.0f, 1));
        assert_int_equal(sampler_next(&sampler, cases[i].logits), cases[i].expected);
        sampler_finish(&sampler);
    }
}

/* Draws and counts. */
static void draw(float temperature, float top_p, const float *logits, int vocab, int draws,
                 int *counts)
{
    struct sampler sampler;

    assert_true(sampler_init(&sampler, vocab, temperature, top_p, 42));
    for (int i = 0; i < draws; i++)
        counts[sampler_next(&sampler, logits)]++;
    sampler_finish(&sampler);
}

static void sampling_follows_the_softmax(void **state)
{
    enum { VOCAB = 4, DRAWS = 40000 };
    const float logits[VOCAB + 1] = {0.0f, 1.0f, 2.0f, -1.0f, 50.0f};
    const float temperature = 0.7f;
    int counts[VOCAB + 1] = {0};
    double sum = 0.0;

    (void)state;
    draw(temperature, 1.0f, logits, VOCAB, DRAWS, counts);
    for (int i = 0; i < VOCAB; i++)
        sum += exp((double)logits[i] / (double)temperature);
    for (int i = 0; i < VOCAB; i++) {
        const double p = exp((double)logits[i] / (double)temperature) / sum;
        assert_true(fabs(counts[i] / (double)DRAWS - p) < 0.01);
    }
    assert_int_equal(counts[VOCAB], 0);
}

static void nucleus_leaves_the_tail_out(void **state)
{
    /* probabilities 0.5, 0.3, 0.15, 0.05 */
    const float logits[] = {logf(0.15f), logf(0.5f), logf(0.05f), logf(0.3f)};
    static const struct {
        float top_p;
        bool drawn[4];
    } cases[] = {
        {0.0f, {false, true, false, false}}, {0.4f, {false, true, false, false}},
        {0.7f, {false, true, false, true}},  {0.9f, {true, true, false, true}},
        {1.0f, {true, true, true, true}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int counts[4] = {0};
        draw(1.0f, cases[i].top_p, logits, 4, 2000, counts);
        for (int id = 0; id < 4; id++)
            assert_int_equal(counts[id] > 0, cases[i].drawn[id]);
    }
}

static void seeds_decide_the_tokens(void **state)
{
    const float logits[] = {0, 0, 0, 0, 0, 0, 0, 0};
    struct sampler a, b, c;
    int differences = 0;

    (void)state;
    assert_true(sampler_init(&a, 8, 1.0f, 1.0f, 5) && sampler_init(&b, 8, 1.0f, 1.0f, 5) &&
                sampler_init(&c, 8, 1.0f, 1.0f, 6));
    for (int i = 0; i < 100; i++) {
        const int32_t token = sampler_next(&a, logits);
        assert_int_equal(token, sampler_next(&b, logits));
        differences += token != sampler_next(&c, logits);
    }
    assert_true(differences > 50);
    sampler_finish(&a);
    sampler_finish(&b);
    sampler_finish(&c);
}

static void log_sum_makes_logits_log_probabilities(void **state)
{
    const float logits[] = {logf(0.15f) + 80.0f, logf(0.5f) + 80.0f, logf(0.05f) + 80.0f,
                            logf(0.3f) + 80.0f};
    const float far[] = {-1e4f, 200.0f, -1e4f};

    (void)state;
    assert_true(fabsf(sampler_log_sum(logits, 4) - 80.0f) < 1e-4f);
    assert_true(fabsf(sampler_log_sum(far, 3) - 200.0f) < 1e-4f);
    assert_true(fabsf(sampler_log_sum(logits, 1) - logits[0]) < 1e-4f);
}

/* Fewer scores than the vocabulary has. */
static void scores_are_drawn_like_logits(void **state)
{
    const float scores[] = {logf(0.7f), logf(0.3f), 50.0f};
    struct sampler sampler;
    int first = 0;

    (void)state;
    assert_true(sampler_init(&sampler, 3, 1.0f, 1.0f, 3));
    for (int i = 0; i < 2000; i++)
        first += sampler_draw(&sampler, scores, 2) == 0;
    assert_in_range(first, 1320, 1480);
    sampler_finish(&sampler);
    assert_true(sampler_init(&sampler, 3, 0.0f, 1.0f, 3));
    assert_int_equal(sampler_draw(&sampler, scores, 2), 0);
    sampler_finish(&sampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_takes_the_largest_logit_of_real_rows),
        cmocka_unit_test(sampling_follows_the_softmax),
        cmocka_unit_test(nucleus_leaves_the_tail_out),
        cmocka_unit_test(seeds_decide_the_tokens),
        cmocka_unit_test(log_sum_makes_logits_log_probabilities),
        cmocka_unit_test(scores_are_drawn_like_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
