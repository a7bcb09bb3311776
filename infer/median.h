/* The middle one of several measurements, which a disturbed one does not move. */
#ifndef INFER_MEDIAN_H
#define INFER_MEDIAN_H

/* The upper one of two in the middle; sorts `values` [count], count >= 1. */
double median(double *values, int count);

#endif
