/* Optimal clusterings against the textbook dynamic program over all cuts. */
#include "tests/support/test.h"

#include <math.h>
#include <stdlib.h>

#include "infer/compress/kmeans.h"

enum { POINTS_MAX = 48 };

static double distance_cost(const struct point *points, size_t from, size_t to)
{
    double weight = 0.0, mean = 0.0, cost = 0.0;

    for (size_t i = from; i < to; i++) {
        weight += points[i].weight;
        mean += points[i].weight * points[i].value;
    }
    mean /= weight;
    for (size_t i = from; i < to; i++)
        cost += points[i].weight * (points[i].value - mean) * (points[i].value - mean);
    return cost;
}

/* Least cost of `count` points in k clusters, by trying every last cluster. */
static double least_cost(const struct point *points, size_t count, int k)
{
    static double best[POINTS_MAX + 1][POINTS_MAX + 1];

    for (int clusters = 0; clusters <= k; clusters++)
        for (size_t to = 0; to <= count; to++) {
            best[clusters][to] = to == 0 && clusters == 0 ? 0.0 : INFINITY;
            for (size_t from = 0; clusters > 0 && from < to; from++)
                best[clusters][to] = fmin(best[clusters][to], best[clusters - 1][from] +
                                                                  distance_cost(points, from, to));
        }
    return best[k][count];
}

/* What nearest centroids leave. */
static double nearest_cost(const struct point *points, size_t count, const double *centroids, int k)
{
    double cost = 0.0;

    for (size_t i = 0; i < count; i++) {
        double nearest = INFINITY;
        for (int c = 0; c < k; c++)
            nearest = fmin(nearest, fabs(points[i].value - centroids[c]));
        cost += points[i].weight * nearest * nearest;
    }
    return cost;
}

static double even(size_t i)
{
    return (double)i;
}

static double mirrored(size_t i)
{
    return ((double)i - 20.0) * fabs((double)i - 20.0);
}

static double growing(size_t i)
{
    return exp((double)i / 3.0);
}

static double with_outlier(size_t i)
{
    return i == 39 ? 1e12 : (double)(i * i % 1000) * 1e-3 + (double)i;
}

static double negative(size_t i)
{
    return -1000.0 + sqrt((double)i);
}

static double same_weight(size_t i)
{
    (void)i;
    return 1.0;
}

static double ragged_weight(size_t i)
{
    return (double)(i * 7919 % 13 + 1);
}

static double peaked_weight(size_t i)
{
    return i == 17 ? 1e6 : 1.0;
}

static void kmeans_of_few_points_costs_least(void **state)
{
    static double (*const values[])(size_t) = {even, mirrored, growing, with_outlier, negative};
    static double (*const weights[])(size_t) = {same_weight, ragged_weight, peaked_weight};
    enum { COUNT = 40 };
    struct point points[COUNT];
    double centroids[COUNT];

    (void)state;
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
        for (size_t w = 0; w < sizeof weights / sizeof *weights; w++)
            for (int k = 1; k < COUNT; k++) {
                for (size_t i = 0; i < COUNT; i++)
                    points[i] = (struct point){values[v](i), weights[w](i)};
                assert_int_equal(kmeans_fit(points, COUNT, k, centroids), k);
                const double least = least_cost(points, COUNT, k);
                const double cost = nearest_cost(points, COUNT, centroids, k);
                if (!(cost <= least * (1.0 + 1e-6) + 1e-9))
                    fail_msg("values %zu, weights %zu, k %d: %.12g, but %.12g is possible", v, w, k,
                             cost, least);
                for (int c = 1; c < k; c++)
                    assert_true(centroids[c - 1] < centroids[c]);
            }
}

static void kmeans_of_no_more_points_than_clusters_gives_the_points(void **state)
{
    static const struct point points[] = {{-2.5, 3.0}, {0.0, 1.0}, {7.0, 100.0}};
    double centroids[8];

    (void)state;
    for (int k = 3; k <= 8; k++) {
        assert_int_equal(kmeans_fit(points, 3, k, centroids), 3);
        for (int i = 0; i < 3; i++)
            assert_true(centroids[i] == points[i].value);
    }
    assert_int_equal(kmeans_fit(points, 1, 5, centroids), 1);
    assert_int_equal(kmeans_fit(points, 0, 5, centroids), 0);
}

static void kmeans_of_many_points_improves_on_even_steps(void **state)
{
    enum { COUNT = 20000, K = 256 };
    struct point *points = malloc(COUNT * sizeof *points);
    double centroids[K], steps[K];

    (void)state;
    assert_non_null(points);
    for (int i = 0; i < COUNT; i++) {
        const double x = (i - COUNT / 2) / 2000.0;
        points[i] = (struct point){x, exp(-x * x / 2) * 1e5 + 1e-3};
    }
    for (int i = 0; i < K; i++)
        steps[i] = -5.0 + 10.0 * (i + 0.5) / K;
    assert_int_equal(kmeans_fit(points, COUNT, K, centroids), K);
    const double cost = nearest_cost(points, COUNT, centroids, K);
    assert_true(cost < 0.8 * nearest_cost(points, COUNT, steps, K));

    /* every centroid is the mean of what is nearest to it: moving any costs more */
    for (int i = 0; i < K; i += 15) {
        const double kept = centroids[i];
        centroids[i] += 1e-3;
        assert_true(nearest_cost(points, COUNT, centroids, K) > cost);
        centroids[i] = kept - 1e-3;
        assert_true(nearest_cost(points, COUNT, centroids, K) > cost);
        centroids[i] = kept;
    }
    free(points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kmeans_of_few_points_costs_least),
        cmocka_unit_test(kmeans_of_no_more_points_than_clusters_gives_the_points),
        cmocka_unit_test(kmeans_of_many_points_improves_on_even_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
