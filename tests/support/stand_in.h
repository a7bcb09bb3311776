/* A GPU that is none: it stands behind the door to CUDA, computes on the CPU, and has memory of its own that can run out and a
 * life that can end. For what the rooms above do about devices; it knows nothing of kernels.
 *
 * Link it before the kernels, whose own door is then never opened. One device, set up before a backend is made: by the call
 * below, or in a program that knows nothing of it by $HXQD_STAND_IN_BYTES (of memory) and $HXQD_STAND_IN_OPS (until it is
 * lost).
 */
#ifndef TESTS_SUPPORT_STAND_IN_H
#define TESTS_SUPPORT_STAND_IN_H

#include <stdbool.h>
#include <stdint.h>

struct stand_in {
    bool is_present;
    int64_t free_bytes;     /* what it promises */
    int64_t real_bytes;     /* what there is, when others were faster; 0: as promised */
    int fails_after_bodies; /* matrices and buffers that can be made; below 0: all */
    int lost_after_ops;     /* operations until it is lost; below 0: never */
};

/* The device from now on. */
void stand_in_set(const struct stand_in *device);

/* Memory that is taken of it; 0 once everything has been given back. */
int64_t stand_in_used(void);

/* Operations since it was set. */
int stand_in_ops(void);

#endif
