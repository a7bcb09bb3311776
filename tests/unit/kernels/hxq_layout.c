/* The sidecar in rows, and rows expanded with it. */
#include "tests/support/test.h"

#include "kernels/hxq_layout.h"

static void sidecar_in_any_order_is_sorted_into_rows(void **state)
{
    const int64_t positions[] = {11, 0, 7, 5, 4};
    const float values[] = {11.0f, 0.5f, 7.0f, 5.0f, 4.0f};
    const uint8_t indices[12] = {[11] = 1};
    const float codebook[256] = {2.0f, 10.0f};
    const struct matrix_source source = {.rows = 3,
                                         .cols = 4,
                                         .data = indices,
                                         .codebook = codebook,
                                         .sidecar_positions = positions,
                                         .sidecar_values = values,
                                         .sidecar_count = 5};
    const int64_t starts[] = {0, 1, 4, 5};
    const int32_t columns[] = {0, 0, 1, 3, 3};
    const float sorted[] = {0.5f, 4.0f, 5.0f, 7.0f, 11.0f};
    const float deltas[] = {-1.5f, 2.0f, 3.0f, 5.0f, 1.0f};
    struct sidecar_rows sidecar;

    (void)state;
    assert_true(sidecar_rows_init(&sidecar, &source));
    assert_memory_equal(sidecar.starts, starts, sizeof starts);
    assert_memory_equal(sidecar.columns, columns, sizeof columns);
    assert_memory_equal(sidecar.values, sorted, sizeof sorted);
    assert_memory_equal(sidecar.deltas, deltas, sizeof deltas);
    sidecar_rows_finish(&sidecar);
}

static void sidecar_with_a_position_twice_keeps_the_last(void **state)
{
    const int64_t positions[] = {3, 2, 3, 2, 3};
    const float values[] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
    const uint8_t indices[4] = {0};
    const float codebook[256] = {0};
    const struct matrix_source source = {.rows = 2,
                                         .cols = 2,
                                         .data = indices,
                                         .codebook = codebook,
                                         .sidecar_positions = positions,
                                         .sidecar_values = values,
                                         .sidecar_count = 5};
    struct sidecar_rows sidecar;

    (void)state;
    assert_true(sidecar_rows_init(&sidecar, &source));
    assert_int_equal(sidecar.starts[1], 0);
    assert_int_equal(sidecar.starts[2], 2);
    assert_true(sidecar.values[0] == 4.0f && sidecar.values[1] == 5.0f);
    sidecar_rows_finish(&sidecar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sidecar_in_any_order_is_sorted_into_rows),
        cmocka_unit_test(sidecar_with_a_position_twice_keeps_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
