/* A session reuses what it can and its results never show it: warm and cold give the same bits. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "infer/forward.h"
#include "infer/session.h"

enum { VOCAB = 1032, LONG = 3 * FORWARD_TILE + 5, CONTEXT = LONG + 100 };

static struct model *model;

static int setup(void **state)
{
    struct error error = {0};

    (void)state;
    model = model_load("tests/golden/qwen2-tied", &(struct model_options){.threads = 2}, &error);
    return model ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    model_destroy(model);
    return 0;
}

static struct session *create(void)
{
    struct error error = {0};
    struct session *session = session_create(model, CONTEXT, &error);

    assert_non_null(session);
    return session;
}

/* Deterministic tokens; sequences of one seed share their beginning. */
static void fill_tokens(int32_t *tokens, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        tokens[i] = (int32_t)((seed >> 8) % VOCAB);
    }
}

static void assert_same_as_cold(struct session *warm, const int32_t *tokens, size_t count)
{
    struct session *cold = create();

    assert_true(session_sync(model, cold, tokens, count, NULL, NULL, NULL));
    assert_memory_equal(session_logits(model, warm, NULL), session_logits(model, cold, NULL),
                        VOCAB * sizeof(float));
    session_destroy(model, cold);
}

static void sync_reuses_the_common_prefix_and_shows_nothing_of_it(void **state)
{
    /* token lists as edits of one another: how many tokens, from which position on they differ, how many are reused */
    static const struct {
        size_t count, differs_from, reused;
    } steps[] = {
        {LONG, LONG, 0},        /* cold */
        {LONG + 1, LONG, LONG}, /* one typed */
        {LONG + 20, LONG + 1, LONG + 1},
        {LONG + 20, LONG + 20, LONG + 20}, /* the same again: nothing to do */
        {LONG, LONG, LONG - 1},            /* shortened: the last one's logits are gone */
        {LONG, 100, 100},                  /* changed in the middle */
        {50, 50, 49},
        {1, 0, 0},
    };
    int32_t tokens[CONTEXT];
    struct session *session = create();

    (void)state;
    fill_tokens(tokens, CONTEXT, 1);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        size_t reused = 9999;
        fill_tokens(tokens + steps[i].differs_from, CONTEXT - steps[i].differs_from,
                    (uint32_t)i + 7);
        assert_true(session_sync(model, session, tokens, steps[i].count, NULL, &reused, NULL));
        assert_int_equal(reused, steps[i].reused);
        assert_same_as_cold(session, tokens, steps[i].count);
    }
    session_destroy(model, session);
}

static void verify_gives_the_logits_of_every_guess(void **state)
{
    /* how many tokens are known, how many guessed after them, of these how many are right, and how many are reused */
    static const struct {
        size_t known, drafted, right, reused;
    } steps[] = {
        {FORWARD_TILE - 2, 4, 4, 0},                /* cold, over the end of a tile */
        {FORWARD_TILE - 2, 4, 4, FORWARD_TILE + 2}, /* again: all is still here */
        {FORWARD_TILE, 2, 2, FORWARD_TILE + 2},     /* a part of it */
        {FORWARD_TILE + 1, 8, 1, FORWARD_TILE},     /* here too, without room behind them */
        {FORWARD_TILE + 3, 8, 0, FORWARD_TILE + 2}, /* as many as can be, all wrong */
        {FORWARD_TILE + 4, 8, 1, FORWARD_TILE + 3}, /* one right */
        {FORWARD_TILE + 6, 0, 0, FORWARD_TILE + 5},
        {FORWARD_TILE - 2, 4, 4, FORWARD_TILE - 3}, /* here, but their logits are gone */
        {1, 8, 0, 0},
        {20, 0, 0, 1},
        {24, 0, 0, 20},
        {22, 0, 0, 21}, /* passed by, but its logits never were asked for */
    };
    int32_t tokens[CONTEXT], guessed[CONTEXT], id;
    struct session *session = create();

    (void)state;
    fill_tokens(tokens, CONTEXT, 11);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const size_t known = steps[i].known, count = known + steps[i].drafted;
        size_t reused = 9999;
        memcpy(guessed, tokens, sizeof guessed);
        for (size_t at = known + steps[i].right; at < count; at++)
            guessed[at] = (tokens[at] + 1) % VOCAB;
        assert_true(session_verify(model, session, guessed, count, (int)steps[i].drafted, NULL,
                                   &reused, NULL));
        assert_int_equal(reused, steps[i].reused);
        for (size_t at = known; at <= count; at++) {
            struct session *cold = create();
            assert_true(session_sync(model, cold, guessed, at, NULL, NULL, NULL));
            assert_memory_equal(session_logits_after(model, session, at, NULL),
                                session_logits(model, cold, NULL), VOCAB * sizeof(float));
            session_destroy(model, cold);
        }
        assert_null(session_logits_after(model, session, count + 1, NULL));
        assert_false(session_likeliest(model, session, count + 1, VOCAB, &id, NULL, NULL));
    }
    assert_null(session_logits_after(model, session, 0, NULL));
    session_destroy(model, session);
}

static bool stop_at_once(void *user, const float *logits)
{
    (void)user;
    (void)logits;
    return false;
}

static void verify_evaluates_what_has_been_read_without_logits(void **state)
{
    int32_t tokens[CONTEXT];
    struct session *session = create();
    size_t reused;

    (void)state;
    fill_tokens(tokens, CONTEXT, 13);

    /* a tile is evaluated, and logits of its first rows only */
    assert_false(session_each(model, session, tokens, LONG, NULL, stop_at_once, NULL, NULL));
    assert_true(
        session_verify(model, session, tokens, FORWARD_LOGITS_MAX + 5, 5, NULL, &reused, NULL));
    assert_int_equal(reused, FORWARD_LOGITS_MAX - 1);
    assert_same_as_cold(session, tokens, FORWARD_LOGITS_MAX + 5);
    session_destroy(model, session);
}

static void sync_token_by_token_equals_one_pass(void **state)
{
    int32_t tokens[90];
    struct session *session = create();

    (void)state;
    fill_tokens(tokens, 90, 3);
    for (size_t count = 1; count <= 90; count++)
        assert_true(session_sync(model, session, tokens, count, NULL, NULL, NULL));
    assert_same_as_cold(session, tokens, 90);
    session_destroy(model, session);
}

static void sync_that_was_cancelled_leaves_a_clean_prefix(void **state)
{
    int32_t tokens[LONG];
    struct session *session = create();
    struct error error = {0};
    const atomic_bool cancel = true;
    const struct halt halt = {.cancel = &cancel};
    size_t reused;

    (void)state;
    fill_tokens(tokens, LONG, 5);
    assert_true(session_sync(model, session, tokens, 80, NULL, NULL, NULL));
    assert_false(session_sync(model, session, tokens, LONG, &halt, NULL, &error));
    assert_int_equal(error.code, ERROR_CANCELLED);
    assert_true(session_sync(model, session, tokens, LONG, NULL, &reused, NULL));
    assert_int_equal(reused, 80);
    assert_same_as_cold(session, tokens, LONG);
    session_destroy(model, session);
}

/* The model's own operations, of which attention, once in every layer, is counted. */
static struct {
    const struct ops *ops;
    int layers, halt_at; /* layers begun; at which of them it is to stop */
    bool expires;        /* by the clock, not by the flag */
    atomic_bool cancel;
    struct halt halt;
} counted;

/* Behind the clock whenever it is looked at; and never reached by a test. */
static const double past_ms = 1e-3, future_ms = 1e15;

static void count_attention(struct backend *backend, struct slice q, struct slice keys,
                            struct slice values, struct attention_shape shape, int first, int n,
                            struct slice out)
{
    if (++counted.layers == counted.halt_at && counted.expires)
        counted.halt.deadline_ms = past_ms;
    else if (counted.layers == counted.halt_at)
        atomic_store(&counted.cancel, true);
    counted.ops->attention(backend, q, keys, values, shape, first, n, out);
}

static void sync_that_is_halted_begins_no_further_layer(void **state)
{
    const int layers = model->config.layers;
    /* the first and the last layer of a prompt's tiles, of a token that is decoded; time ends no call's first tile */
    const struct {
        size_t known;
        int halt_at;
        bool expires;
    } cases[] = {
        {0, 1, false},          {0, layers, false},        {0, layers + 1, false},
        {0, 3 * layers, false}, {LONG - 1, 1, false},      {0, layers + 1, true},
        {0, 2 * layers, true},  {0, 2 * layers + 1, true},
    };
    int32_t tokens[LONG];
    struct ops ops = *model->backend->ops;

    (void)state;
    fill_tokens(tokens, LONG, 5);
    counted.ops = model->backend->ops;
    ops.attention = count_attention;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct session *session = create();
        struct error error = {0};
        size_t reused;

        if (cases[i].known > 0)
            assert_true(session_sync(model, session, tokens, cases[i].known, NULL, NULL, NULL));
        counted.layers = 0;
        counted.halt_at = cases[i].halt_at;
        counted.expires = cases[i].expires;
        counted.halt = (struct halt){&counted.cancel, counted.expires ? future_ms : 0};
        atomic_store(&counted.cancel, false);
        model->backend->ops = &ops;
        assert_false(session_sync(model, session, tokens, LONG, &counted.halt, NULL, &error));
        model->backend->ops = counted.ops;
        assert_int_equal(error.code, cases[i].expires ? ERROR_EXPIRED : ERROR_CANCELLED);
        assert_int_equal(counted.layers, cases[i].halt_at);

        /* the first tile of whoever is in a hurry is small */
        assert_true(session_sync(model, session, tokens, LONG, NULL, &reused, NULL));
        assert_true(!cases[i].expires || cases[i].halt_at >= 2 * layers || reused < FORWARD_TILE);
        session_destroy(model, session);
    }
}

/* Time that is spent before anything began: each call comes farther, and the result is that of one call. */
static void sync_without_time_comes_to_an_end_call_by_call(void **state)
{
    const struct halt late = {.deadline_ms = past_ms};
    int32_t tokens[LONG];
    struct session *session = create();
    size_t reused = 0, before = 0;
    int calls = 1;

    (void)state;
    fill_tokens(tokens, LONG, 5);
    for (struct error error = {0};
         !session_sync(model, session, tokens, LONG, &late, &reused, &error); calls++) {
        assert_int_equal(error.code, ERROR_EXPIRED);
        assert_true(calls == 1 ? reused == 0 : reused > before);
        assert_true(reused - before < FORWARD_TILE);
        before = reused;
        error = (struct error){0};
    }
    assert_true(calls > 1);
    assert_same_as_cold(session, tokens, LONG);
    session_destroy(model, session);
}

static void sync_refuses_what_it_cannot_hold(void **state)
{
    int32_t tokens[CONTEXT + 1] = {0};
    struct session *session = create();
    struct error error = {0};

    (void)state;
    assert_false(session_sync(model, session, tokens, CONTEXT + 1, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_LIMIT);
    error = (struct error){0};
    tokens[3] = VOCAB;
    assert_false(session_sync(model, session, tokens, 4, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_INPUT);
    error = (struct error){0};
    tokens[3] = -1;
    assert_false(session_sync(model, session, tokens, 4, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_INPUT);
    assert_false(session_sync(model, session, tokens, 0, NULL, NULL, NULL));
    session_destroy(model, session);
}

static void logits_do_not_depend_on_the_number_of_threads(void **state)
{
    int32_t tokens[70];
    struct error error = {0};
    struct session *session = create();
    struct model *other =
        model_load("tests/golden/qwen2-tied", &(struct model_options){.threads = 5}, &error);
    struct session *other_session = session_create(other, CONTEXT, &error);

    (void)state;
    fill_tokens(tokens, 70, 9);
    assert_true(session_sync(model, session, tokens, 70, NULL, NULL, NULL));
    assert_true(session_sync(other, other_session, tokens, 70, NULL, NULL, NULL));
    assert_memory_equal(session_logits(model, session, NULL),
                        session_logits(other, other_session, NULL), VOCAB * sizeof(float));
    session_destroy(other, other_session);
    model_destroy(other);
    session_destroy(model, session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_reuses_the_common_prefix_and_shows_nothing_of_it),
        cmocka_unit_test(verify_gives_the_logits_of_every_guess),
        cmocka_unit_test(verify_evaluates_what_has_been_read_without_logits),
        cmocka_unit_test(sync_token_by_token_equals_one_pass),
        cmocka_unit_test(sync_that_was_cancelled_leaves_a_clean_prefix),
        cmocka_unit_test(sync_that_is_halted_begins_no_further_layer),
        cmocka_unit_test(sync_without_time_comes_to_an_end_call_by_call),
        cmocka_unit_test(sync_refuses_what_it_cannot_hold),
        cmocka_unit_test(logits_do_not_depend_on_the_number_of_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
