/* Every item of a loop is worked on once, whatever the numbers of members and items. */
#include "tests/support/test.h"

#include <string.h>

#include "kernels/cpu/threads.h"

enum { ITEMS_MAX = 1000, ROUNDS = 200 };

static void count_items(void *argument, int member, int64_t first, int64_t last)
{
    int *counts = argument;

    (void)member;
    for (int64_t i = first; i < last; i++)
        counts[i]++;
}

static void items_are_worked_on_once_by_any_team(void **state)
{
    static const int members[] = {1, 2, 3, 8};
    static const int64_t items[] = {0, 1, 2, 7, 8, 9, ITEMS_MAX};

    (void)state;
    for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
        struct threads *team = threads_create(members[m]);
        assert_non_null(team);
        assert_int_equal(threads_count(team), members[m]);
        for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
            int counts[ITEMS_MAX + 1] = {0};
            threads_run(team, count_items, counts, items[i], 1);
            for (int64_t item = 0; item <= ITEMS_MAX; item++)
                assert_int_equal(counts[item], item < items[i]);
        }
        threads_destroy(team);
    }
}

static void rounds_in_quick_succession_lose_nothing(void **state)
{
    int counts[64] = {0};
    struct threads *team = threads_create(4);

    (void)state;
    for (int round = 0; round < ROUNDS; round++)
        threads_run(team, count_items, counts, 64, 1);
    for (int i = 0; i < 64; i++)
        assert_int_equal(counts[i], ROUNDS);
    threads_destroy(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_worked_on_once_by_any_team),
        cmocka_unit_test(rounds_in_quick_succession_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
