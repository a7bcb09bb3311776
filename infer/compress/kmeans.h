/* The best k values to stand for many numbers on a line: exact one-dimensional k-means.
 *
 * Plain functions on values and weights; nothing is kept between calls. Any thread.
 * Method: arXiv 1701.07204 (Groenlund et al.), the search over a price per cluster.
 */
#ifndef INFER_COMPRESS_KMEANS_H
#define INFER_COMPRESS_KMEANS_H

#include <stddef.h>

/* A number and how often it occurs. */
struct point {
    double value;
    double weight; /* > 0 */
};

/* Finds the `k` centroids [k] with the least sum of weight * (value - nearest centroid)^2 over points [count], which are
 * sorted by value, none twice. Centroids come out in ascending order; there are min(k, count) of them, which is what is
 * returned. 0 when memory is exhausted (or k or count is 0). */
int kmeans_fit(const struct point *points, size_t count, int k, double *centroids);

#endif
