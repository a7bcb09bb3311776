/* pace: how long a request waits, out of when it comes and what completions take. */
#include "tests/support/test.h"

#include "lsp/completion/pace.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct pace_case {
    const char *name;
    double writing_ms; /* what each of three completions took; 0: none was written */
    int interval_ms;   /* between five requests */
    int least, most;   /* how long the last one waits */
} cases[] = {
    {"nothing known yet", 0, 80, 0, 0},
    {"fast completions", 40, 80, 0, 0},
    {"fast completions, faster keys", 40, 10, 0, 0},
    {"completions between keys", 100, 120, 0, 0},
    {"slow completions", 400, 80, 80, 130},
    {"slow completions, slow keys", 400, 150, 150, 150},
    {"pauses between requests", 400, 200, 0, 0},
    {"requests at once", 400, 0, 0, 20},
};

static void request_waits_where_that_saves_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pace pace = {0};
        int64_t now_ms = 1000000;
        int delay_ms = 0;

        for (int j = 0; j < 3 && cases[i].writing_ms > 0; j++)
            pace_written(&pace, cases[i].writing_ms);
        for (int j = 0; j < 5; j++, now_ms += cases[i].interval_ms)
            delay_ms = pace_asked(&pace, now_ms);
        if (delay_ms < cases[i].least || delay_ms > cases[i].most)
            fail_msg("%s: %d", cases[i].name, delay_ms);
    }
}

static void first_key_after_a_pause_waits_for_nothing(void **state)
{
    struct pace pace = {0};

    (void)state;
    pace_written(&pace, 400);
    assert_int_equal(pace_asked(&pace, 1000), 0);
    assert_true(pace_asked(&pace, 1080) > 0);
    assert_true(pace_asked(&pace, 1160) > 0);
    assert_int_equal(pace_asked(&pace, 2000), 0);
    assert_true(pace_asked(&pace, 2080) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_waits_where_that_saves_work),
        cmocka_unit_test(first_key_after_a_pause_waits_for_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
