/* The flag goes first: who cancels does not want to hear of the time. */
#include "infer/halt.h"

#include <math.h>
#include <time.h>

double halt_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

bool halt_is_cancelled(const struct halt *halt)
{
    return halt && halt->cancel && atomic_load(halt->cancel);
}

double halt_left_ms(const struct halt *halt)
{
    const bool has_deadline = halt && halt->deadline_ms > 0;

    return has_deadline ? halt->deadline_ms - halt_now_ms() : (double)INFINITY;
}

bool halt_is_due(const struct halt *halt)
{
    return halt_is_cancelled(halt) || halt_left_ms(halt) <= 0;
}

bool halt_error(const struct halt *halt, struct error *error)
{
    if (halt_is_cancelled(halt))
        return error_set(error, ERROR_CANCELLED, "cancelled");
    return error_set(error, ERROR_EXPIRED, "the time is spent");
}
