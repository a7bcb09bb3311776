/* What a failing backend says to a user. One function, nothing kept. */
#ifndef INFER_FAILURE_H
#define INFER_FAILURE_H

#include <stdbool.h>

#include "infer/error.h"
#include "kernels/kernels.h"

/* Reports that a backend failed while it was asked for `what`: ERROR_DEVICE in the device's own words where it has memory of
 * its own or stopped answering, else ERROR_MEMORY. Always false. */
bool failure_report(const struct backend *backend, const char *what, struct error *error);

#endif
