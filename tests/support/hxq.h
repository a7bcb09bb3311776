/* A decoder of HXQ modules, independent of the engine's: it reads what the encoder wrote. Asserts all that loaders rely on. */
#ifndef TESTS_SUPPORT_HXQ_H
#define TESTS_SUPPORT_HXQ_H

#include "tests/support/checkpoint.h"

/* Tensor "module" + "suffix", or NULL. */
struct edited_tensor *hxq_part(struct checkpoint *checkpoint, const char *module,
                               const char *suffix);

/* The module's numbers [count], to be freed; and how many of them are outliers. */
float *hxq_decode(struct checkpoint *checkpoint, const char *module, size_t *count,
                  size_t *outliers);

#endif
