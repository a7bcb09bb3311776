/* What all backends share: their status and how it reads to a user. */
#include "kernels/kernels.h"

enum backend_status backend_status(const struct backend *backend)
{
    return backend->status;
}

const char *backend_status_text(enum backend_status status)
{
    switch (status) {
    case BACKEND_OK:
        return "no failure";
    case BACKEND_OUT_OF_MEMORY:
        return "not enough memory on the computing device; use a smaller --context or model";
    case BACKEND_DEVICE_LOST:
        return "the computing device stopped answering; restart hxqd or use --device cpu";
    }
    return "unknown failure";
}

const char *backend_problem(const struct backend *backend)
{
    return backend->problem[0] ? backend->problem : backend_status_text(backend->status);
}

void backend_describe(const struct backend *backend, struct backend_info *info)
{
    *info = (struct backend_info){0};
    backend->ops->describe(backend, info);
}
