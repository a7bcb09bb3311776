/* The CUDA backend on a device of a chosen size that can be lost: what it takes of memory, and what it says when it fails. The
 * device is the host's, see kernels/cuda/host. */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/host/control.h"
#include "kernels/kernels.h"

enum { DEVICE_BYTES = 64 << 20 };

static struct backend *open_on(size_t device_bytes, int64_t limit_bytes, long lost_at_launch)
{
    char problem[BACKEND_PROBLEM_BYTES] = "";

    simt_set_device(device_bytes, lost_at_launch);
    return cuda_backend_create(true, limit_bytes, problem);
}

static int64_t bytes_of(struct backend *backend)
{
    struct backend_info info;

    backend_describe(backend, &info);
    return info.memory_bytes;
}

static struct matrix *small_matrix(struct backend *backend, int codes)
{
    static float numbers[7 * 37];
    static const uint8_t indices[7 * 37];
    static const int64_t positions[] = {5, 9};
    static const float values[] = {1.0f, 2.0f};
    const struct matrix_source compressed = {.rows = 7,
                                             .cols = 37,
                                             .data = indices,
                                             .codebook = values,
                                             .codebook_size = codes,
                                             .sidecar_positions = positions,
                                             .sidecar_values = values,
                                             .sidecar_count = 2};
    const struct matrix_source dense = {.rows = 7, .cols = 37, .dtype = DTYPE_F32, .data = numbers};

    numbers[1] = codes ? 0.0f : 0.1f; /* says more than bfloat16 */
    return backend->ops->matrix_create(backend, codes ? &compressed : &dense);
}

static void memory_taken_is_what_plans_say(void **state)
{
    struct backend *backend = open_on(DEVICE_BYTES, 0, 0);

    (void)state;
    assert_non_null(backend);
    int64_t expected = cuda_workspace_bytes();
    assert_int_equal(bytes_of(backend), expected);
    struct buffer *buffer = backend->ops->buffer_create(backend, 1001);
    expected += cuda_buffer_bytes(1001);
    assert_int_equal(bytes_of(backend), expected);
    struct matrix *compressed = small_matrix(backend, 2), *dense = small_matrix(backend, 0);
    expected += cuda_matrix_bytes(7, 37, DTYPE_F32, 2, 2);
    expected += cuda_matrix_bytes(7, 37, DTYPE_F32, 0, 0);
    assert_int_equal(bytes_of(backend), expected);

    backend->ops->matrix_destroy(dense);
    backend->ops->matrix_destroy(compressed);
    backend->ops->buffer_destroy(buffer);
    assert_int_equal(bytes_of(backend), cuda_workspace_bytes());
    backend->ops->destroy(backend);
}

static void memory_of_a_device_that_is_full_is_a_status_with_figures(void **state)
{
    static const struct {
        size_t device_bytes;
        int64_t limit_bytes;
    } cases[] = {{DEVICE_BYTES, 0}, {(size_t)1 << 30, DEVICE_BYTES}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct backend *backend = open_on(cases[i].device_bytes, cases[i].limit_bytes, 0);
        assert_non_null(backend);
        struct buffer *first = backend->ops->buffer_create(backend, (30 << 20) / sizeof(float));
        assert_non_null(first);
        assert_null(backend->ops->buffer_create(backend, (30 << 20) / sizeof(float)));
        assert_int_equal(backend_status(backend), BACKEND_OUT_OF_MEMORY);
        assert_non_null(strstr(backend_problem(backend), "GiB are taken of"));
        assert_null(backend->ops->buffer_create(backend, 1)); /* it stays */
        backend->ops->buffer_destroy(first);
        backend->ops->destroy(backend);
    }
}

static void backend_without_room_for_its_workspace_is_refused(void **state)
{
    char problem[BACKEND_PROBLEM_BYTES] = "";

    (void)state;
    simt_set_device(1 << 20, 0);
    assert_null(cuda_backend_create(true, 0, problem));
    assert_non_null(strstr(problem, "out of memory"));
}

static void device_that_is_not_there_is_a_reason(void **state)
{
    struct cuda_device device;
    char problem[BACKEND_PROBLEM_BYTES] = "";

    (void)state;
    simt_set_device(0, 0);
    assert_false(cuda_device_find(&device, problem));
    assert_string_equal(problem, "no GPU is shown by the NVIDIA driver");
    assert_null(cuda_backend_create(true, 0, problem));
}

/* More in all than the device has, never more at a time. */
static void memory_given_back_is_there_again(void **state)
{
    struct backend *backend = open_on(DEVICE_BYTES, 0, 0);

    (void)state;
    assert_non_null(backend);
    for (int i = 0; i < 5; i++) {
        struct buffer *buffer = backend->ops->buffer_create(backend, (30 << 20) / sizeof(float));
        assert_non_null(buffer);
        backend->ops->buffer_destroy(buffer);
    }
    backend->ops->destroy(backend);
}

/* Whatever was queued, reading ends and tells. */
static void device_that_is_lost_stays_lost_with_a_reason(void **state)
{
    float values[16] = {0};

    (void)state;
    struct backend *backend = open_on(DEVICE_BYTES, 0, 2);
    assert_non_null(backend);
    struct buffer *x = backend->ops->buffer_create(backend, 16);
    assert_non_null(x);
    for (int i = 0; i < 4; i++)
        backend->ops->silu_mul(backend, slice_at(x, 0), slice_at(x, 0), 16);
    backend->ops->read(backend, slice_at(x, 0), values, 16);
    assert_int_equal(backend_status(backend), BACKEND_DEVICE_LOST);
    assert_non_null(strstr(backend_problem(backend), "--device cpu"));
    assert_null(backend->ops->buffer_create(backend, 16));
    backend->ops->buffer_destroy(x);
    backend->ops->destroy(backend);

    /* another one is as good as new */
    backend = open_on(DEVICE_BYTES, 0, 0);
    assert_non_null(backend);
    assert_int_equal(backend_status(backend), BACKEND_OK);
    assert_true(backend->ops->read_bandwidth(backend) > 0.0);
    backend->ops->destroy(backend);
}

/* More than a staging half, so that uploads and readings go in several pieces. */
static void long_transfers_arrive_whole(void **state)
{
    enum { COUNT = 2500001 };
    float *values = malloc(COUNT * sizeof *values), *back = calloc(COUNT, sizeof *back);
    struct backend *backend = open_on(DEVICE_BYTES, 0, 0);

    (void)state;
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)i;
    struct buffer *buffer = backend->ops->buffer_create(backend, COUNT);
    backend->ops->read(backend, slice_at(buffer, 0), back, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_true(back[i] == 0.0f); /* buffers begin as zeros */
    backend->ops->write(backend, slice_at(buffer, 0), values, COUNT);
    backend->ops->read(backend, slice_at(buffer, 0), back, COUNT);
    assert_memory_equal(values, back, COUNT * sizeof *values);
    backend->ops->buffer_destroy(buffer);
    backend->ops->destroy(backend);
    free(values);
    free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_taken_is_what_plans_say),
        cmocka_unit_test(memory_of_a_device_that_is_full_is_a_status_with_figures),
        cmocka_unit_test(memory_given_back_is_there_again),
        cmocka_unit_test(backend_without_room_for_its_workspace_is_refused),
        cmocka_unit_test(device_that_is_not_there_is_a_reason),
        cmocka_unit_test(device_that_is_lost_stays_lost_with_a_reason),
        cmocka_unit_test(long_transfers_arrive_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
