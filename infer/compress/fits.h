/* The fitted encodings of a checkpoint's tensors, kept in a file as they come, so that an interrupted run can go on.
 *
 * The file is locked while open: two runs never share one. It begins with a key; records of another key (another source,
 * other options) are forgotten, as is all from the first record on that was not written whole. Adding is for several
 * threads; the rest is for the owner's.
 */
#ifndef INFER_COMPRESS_FITS_H
#define INFER_COMPRESS_FITS_H

#include "infer/compress/encoding.h"

struct fits;

enum { FITS_KEY_BYTES = 32 };

/* NULL with an error, also where another process has the file open. */
struct fits *fits_open(const char *path, const uint8_t key[FITS_KEY_BYTES], size_t tensors,
                       struct error *error);
void fits_close(struct fits *fits);

/* The encoding of a tensor, or NULL; valid until the fits are closed. */
const struct encoding *fits_find(const struct fits *fits, size_t tensor);

/* Records an encoding and takes it over, also on failure. */
bool fits_add(struct fits *fits, size_t tensor, struct encoding *encoding, struct error *error);

#endif
