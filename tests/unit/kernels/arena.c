/* Memory for weights: pieces lie apart, begin where registers like it and hold zeros; what cannot be had is refused. */
#include "tests/support/test.h"

#include <string.h>
#include <unistd.h>

#include "kernels/cpu/arena.h"

enum { PIECES = 40 };

static void pieces_are_zeros_that_nobody_else_writes(void **state)
{
    /* most of one chunk, more than one, and many small ones */
    const size_t sizes[] = {1, 64, 1000, (size_t)60 << 20, (size_t)80 << 20, 3};
    const size_t kinds = sizeof sizes / sizeof *sizes;
    unsigned char *pieces[PIECES];
    struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        const size_t size = sizes[i < kinds ? i : i % 3];
        pieces[i] = arena_take(&arena, size);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 64, 0);
        assert_int_equal(pieces[i][0], 0);
        assert_int_equal(pieces[i][size - 1], 0);
        memset(pieces[i], (int)i + 1, size < 4096 ? size : 4096);
        pieces[i][size - 1] = (unsigned char)(i + 1);
    }
    for (size_t i = 0; i < PIECES; i++) {
        const size_t size = sizes[i < kinds ? i : i % 3];
        assert_int_equal(pieces[i][0], i + 1);
        assert_int_equal(pieces[i][size - 1], i + 1);
    }
    arena_finish(&arena);
    assert_null(arena.chunks);
}

static void what_the_machine_has_not_is_refused(void **state)
{
    const size_t machine = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    struct arena arena = {0};

    (void)state;
    assert_null(arena_take(&arena, SIZE_MAX));
    /* the system would promise all of its memory, and kill whoever uses it */
    assert_null(arena_take(&arena, machine - machine / 64));
    assert_non_null(arena_take(&arena, 64));
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeros_that_nobody_else_writes),
        cmocka_unit_test(what_the_machine_has_not_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
