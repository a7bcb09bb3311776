/* When work is to be given up: once another thread raises a flag, or once its time is spent.
 *
 * A plain value, filled in by whoever asks for the work and read while it runs; the flag is the caller's and outlives the call.
 * NULL is accepted everywhere and means never.
 */
#ifndef INFER_HALT_H
#define INFER_HALT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "infer/error.h"

struct halt {
    const atomic_bool *cancel; /* NULL: none */
    double deadline_ms;        /* on the clock of halt_now_ms; 0: none */
};

/* Milliseconds on a clock that is never set. */
double halt_now_ms(void);

bool halt_is_cancelled(const struct halt *halt);

/* Milliseconds until the deadline, negative behind it; infinite where there is none. */
double halt_left_ms(const struct halt *halt);

/* Whether either has come. */
bool halt_is_due(const struct halt *halt);

/* Says which: ERROR_CANCELLED, or ERROR_EXPIRED. Returns false. */
bool halt_error(const struct halt *halt, struct error *error);

#endif
