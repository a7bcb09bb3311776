/* Clusters of sorted numbers are intervals, so a clustering is a path over cut places 0..count, and its cost the sum of its
 * intervals' costs. Asking a price for every interval turns "exactly k" into "as few as pay off": the cheapest priced path
 * is found in O(n log n), because interval costs are concave Monge and the best predecessor only moves forward. The price
 * that buys k clusters is searched. Where none does (equal gains), two cheapest paths of one price, one too short and one
 * too long, are spliced into one of k intervals, which is just as cheap. */
#include "infer/compress/kmeans.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SEARCH_MAX = 200 };
static const double price_resolution = 1e-13; /* below it two prices are one */

/* A stretch of places whose best predecessor is `from`; the next stretch begins where this one ends. */
struct stretch {
    int from, first;
};

struct clustering {
    int count; /* points */
    double centre;
    double *weights, *sums,
        *squares;  /* [count + 1] prefix sums of w, w * v, w * v^2, v relative to the centre */
    double *costs; /* [count + 1] cheapest priced path to each place */
    int *clusters; /* [count + 1] its intervals */
    struct stretch *queue; /* [count + 1] */
    int *path;             /* [count + 1] predecessors on the path being built */
    int *longer,
        *shorter; /* [count + 1] cuts of a path of more than k intervals, and of fewer (or k) */
};

static void clustering_finish(struct clustering *c)
{
    free(c->weights);
    free(c->sums);
    free(c->squares);
    free(c->costs);
    free(c->clusters);
    free(c->queue);
    free(c->path);
    free(c->longer);
    free(c->shorter);
}

/* Index of the weighted median. */
static int median(const struct point *points, int count)
{
    double total = 0.0, below = 0.0;
    int i = 0;

    for (int j = 0; j < count; j++)
        total += points[j].weight;
    while (i < count - 1 && (below += points[i].weight) < total / 2)
        i++;
    return i;
}

/* Sums grow from the median outwards, so that huge outliers do not blur the many small numbers. */
static void sum_up(struct clustering *c, const struct point *points)
{
    const int middle = median(points, c->count);

    c->centre = points[middle].value;
    c->weights[middle] = c->sums[middle] = c->squares[middle] = 0.0;
    for (int i = middle; i < c->count; i++) {
        const double v = points[i].value - c->centre, w = points[i].weight;
        c->weights[i + 1] = c->weights[i] + w;
        c->sums[i + 1] = c->sums[i] + w * v;
        c->squares[i + 1] = c->squares[i] + w * v * v;
    }
    for (int i = middle - 1; i >= 0; i--) {
        const double v = points[i].value - c->centre, w = points[i].weight;
        c->weights[i] = c->weights[i + 1] - w;
        c->sums[i] = c->sums[i + 1] - w * v;
        c->squares[i] = c->squares[i + 1] - w * v * v;
    }
}

static bool clustering_init(struct clustering *c, const struct point *points, int count)
{
    const size_t places = (size_t)count + 1;

    *c = (struct clustering){
        .count = count,
        .weights = malloc(places * sizeof(double)),
        .sums = malloc(places * sizeof(double)),
        .squares = malloc(places * sizeof(double)),
        .costs = malloc(places * sizeof(double)),
        .clusters = malloc(places * sizeof(int)),
        .queue = malloc(places * sizeof(struct stretch)),
        .path = malloc(places * sizeof(int)),
        .longer = malloc(places * sizeof(int)),
        .shorter = malloc(places * sizeof(int)),
    };
    if (!c->weights || !c->sums || !c->squares || !c->costs || !c->clusters || !c->queue ||
        !c->path || !c->longer || !c->shorter)
        return false;
    sum_up(c, points);
    return true;
}

/* Squared error of one cluster of the points [from, to). */
static inline double interval_cost(const struct clustering *c, int from, int to)
{
    const double sum = c->sums[to] - c->sums[from];
    const double cost =
        c->squares[to] - c->squares[from] - sum * sum / (c->weights[to] - c->weights[from]);

    return to - from > 1 && cost > 0.0 ? cost : 0.0;
}

static inline double cost_through(const struct clustering *c, int from, int to)
{
    return c->costs[from] + interval_cost(c, from, to);
}

/* First place from `first` on to which `late` leads more cheaply than `early`; count + 1 where there is none. Once cheaper,
 * it stays so. Steps double until they overshoot: the answer is near as a rule. */
static int takeover(const struct clustering *c, int early, int late, int first)
{
    int low = first, high = first, step = 1;

    while (high <= c->count && cost_through(c, late, high) >= cost_through(c, early, high)) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    if (high > c->count) {
        high = c->count + 1;
        if (low > c->count || cost_through(c, late, c->count) >= cost_through(c, early, c->count))
            return c->count + 1;
    }
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (cost_through(c, late, middle) < cost_through(c, early, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Fills `path` with the cheapest path at this price per interval; returns its intervals. */
static int cheapest_path(struct clustering *c, double price)
{
    struct stretch *const queue = c->queue;
    int head = 0, tail = 1; /* queue[head, tail) */

    queue[0] = (struct stretch){0, 1};
    c->costs[0] = 0.0;
    c->clusters[0] = 0;
    for (int to = 1; to <= c->count; to++) {
        while (tail - head > 1 && queue[head + 1].first <= to)
            head++;
        const int from = queue[head].from;
        c->costs[to] = cost_through(c, from, to) + price;
        c->clusters[to] = c->clusters[from] + 1;
        c->path[to] = from;

        /* `to` as a predecessor: whole stretches that it takes over go, the last one left yields somewhere or nowhere */
        while (tail - head > 1 && cost_through(c, to, queue[tail - 1].first) <
                                      cost_through(c, queue[tail - 1].from, queue[tail - 1].first))
            tail--;
        const int first = queue[tail - 1].first > to ? queue[tail - 1].first : to + 1;
        const int place = takeover(c, queue[tail - 1].from, to, first);
        if (place <= c->count)
            queue[tail++] = (struct stretch){to, place};
    }
    return c->clusters[c->count];
}

/* Writes the places where the path just built cuts: cuts [intervals + 1], from 0 to count. */
static void read_cuts(const struct clustering *c, int intervals, int *cuts)
{
    int place = c->count;

    for (int i = intervals; i >= 0; i--) {
        cuts[i] = place;
        place = i > 0 ? c->path[place] : 0;
    }
}

/* Makes `shorter` [few + 1 cuts] a path of k intervals: it is followed up to an interval that holds one of the longer
 * path's, so chosen that what remains of the longer path makes k. (Aggarwal, Schieber, Tokuyama 1994) */
static void splice(struct clustering *c, int few, int many, int k)
{
    const int ahead = many - k;
    int i = 0;

    while (i < few - 1 && c->shorter[i + 1] < c->longer[i + 1 + ahead])
        i++;
    /* shorter[0..i], longer[i + 1 + ahead..many] */
    memmove(c->shorter + i + 1, c->longer + i + 1 + ahead,
            (size_t)(many - i - ahead) * sizeof *c->shorter);
}

/* The next price to try, inside (low, high). Costs fall with the square of the number of clusters, so prices with its cube. */
static double next_price(double low, double high, double price, int intervals, int k, int round)
{
    const double guess = price * pow((double)intervals / k, 3.0);

    if (guess > low && guess < high && round % 4 != 3)
        return guess;
    return low > 0.0 ? sqrt(low) * sqrt(high) : high / 1024;
}

/* Searches the price of k clusters, 1 <= k < count; their cuts end up in `shorter`. */
static void search(struct clustering *c, int k)
{
    const double total = interval_cost(c, 0, c->count);
    double low = 0.0, high = 2.0 * total, price = total / k / k / k;
    int many = c->count, few = 1;

    for (int i = 0; i <= c->count; i++)
        c->longer[i] = i;
    c->shorter[0] = 0;
    c->shorter[1] = c->count;
    for (int round = 0; round < SEARCH_MAX && few != k && high - low > price_resolution * high;
         round++) {
        const int intervals = cheapest_path(c, price);
        if (intervals > k) {
            low = price;
            many = intervals;
            read_cuts(c, intervals, c->longer);
        } else {
            high = price;
            few = intervals;
            read_cuts(c, intervals, c->shorter);
        }
        price = next_price(low, high, price, intervals, k, round);
    }
    if (few != k)
        splice(c, few, many, k);
}

int kmeans_fit(const struct point *points, size_t count, int k, double *centroids)
{
    struct clustering c;

    if (count <= (size_t)k) {
        for (size_t i = 0; i < count; i++)
            centroids[i] = points[i].value;
        return (int)count;
    }
    if (k < 1 || count >= INT_MAX)
        return 0;

    const bool ready = clustering_init(&c, points, (int)count);
    if (ready) {
        search(&c, k);
        for (int i = 0; i < k; i++) {
            const int from = c.shorter[i], to = c.shorter[i + 1];
            centroids[i] =
                c.centre + (c.sums[to] - c.sums[from]) / (c.weights[to] - c.weights[from]);
        }
    }
    clustering_finish(&c);
    return ready ? k : 0;
}
