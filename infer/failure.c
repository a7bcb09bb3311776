/* A backend that computes in the machine's own memory can only run out of it, and then the process is short of memory; all
 * else is a device that others may do without. */
#include "infer/failure.h"

bool failure_report(const struct backend *backend, const char *what, struct error *error)
{
    const enum backend_status status = backend_status(backend);
    struct backend_info info;

    backend_describe(backend, &info);
    if (status == BACKEND_OK || (info.is_host && status == BACKEND_OUT_OF_MEMORY))
        return error_set(error, ERROR_MEMORY,
                         "%s: not enough memory; use a smaller --context or model", what);
    return error_set(error, ERROR_DEVICE, "%s: %s: %s", what,
                     info.hardware[0] ? info.hardware : info.device, backend_problem(backend));
}
