/* Each record carries a digest of itself; reading stops at the first that does not match and continues writing there. */
#include "infer/compress/fits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "infer/compress/output.h"
#include "infer/file.h"

enum { FITS_MAX_BYTES = 1 << 30 };

struct fits {
    char *path;
    int file;
    size_t tensors;
    struct encoding *encodings; /* [tensors] codes 0: not there yet */
    pthread_mutex_t mutex;      /* guards writing */
    int64_t end;                /* of the last whole record */
};

/* A record's beginning; outliers and digest follow. Host byte order: the file does not travel. */
struct record {
    uint64_t tensor;
    uint32_t codes, outlier_count;
    int64_t sidecar_count;
    double squared_error, squared_norm;
    float codebook[ENCODING_CODES];
};

static void digest_record(const struct record *record, const struct outlier *outliers,
                          uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, sizeof *record, (const uint8_t *)record);
    sha256_update(&context, record->outlier_count * sizeof *outliers, (const uint8_t *)outliers);
    sha256_digest(&context, SHA256_DIGEST_SIZE, digest);
}

/* Reads the record at `bytes`; its length, or 0 where it is not whole. */
static size_t read_record(struct fits *fits, const char *bytes, size_t left)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct record record;

    if (left < sizeof record)
        return 0;
    memcpy(&record, bytes, sizeof record);
    const size_t outlier_bytes = record.outlier_count * sizeof(struct outlier);
    if (record.tensor >= fits->tensors || record.codes < 1 || record.codes > ENCODING_CODES ||
        record.outlier_count > ENCODING_SIDECAR_MAX ||
        left < sizeof record + outlier_bytes + sizeof digest)
        return 0;
    struct outlier *outliers = malloc(outlier_bytes + 1);
    if (!outliers)
        return 0;
    memcpy(outliers, bytes + sizeof record, outlier_bytes);
    digest_record(&record, outliers, digest);
    if (memcmp(digest, bytes + sizeof record + outlier_bytes, sizeof digest) != 0) {
        free(outliers);
        return 0;
    }

    struct encoding *encoding = &fits->encodings[record.tensor];
    encoding_finish(encoding);
    *encoding = (struct encoding){
        .codes = (int)record.codes,
        .sidecar_count = record.sidecar_count,
        .outlier_count = (int)record.outlier_count,
        .outliers = outliers,
        .squared_error = record.squared_error,
        .squared_norm = record.squared_norm,
    };
    memcpy(encoding->codebook, record.codebook, sizeof record.codebook);
    return sizeof record + outlier_bytes + sizeof digest;
}

/* Takes in what an earlier run left under the same key, and cuts off what is not whole. */
static bool read_records(struct fits *fits, const uint8_t key[FITS_KEY_BYTES], struct error *error)
{
    size_t bytes, length;
    char *content = file_load(fits->path, FITS_MAX_BYTES, &bytes, error);

    if (!content)
        return false;
    fits->end = FITS_KEY_BYTES;
    if (bytes >= FITS_KEY_BYTES && memcmp(content, key, FITS_KEY_BYTES) == 0)
        while ((length = read_record(fits, content + fits->end, bytes - (size_t)fits->end)) > 0)
            fits->end += (int64_t)length;
    free(content);
    if (ftruncate(fits->file, fits->end) != 0)
        return error_set(error, ERROR_SYSTEM, "%s: cannot shorten: %s", fits->path,
                         strerror(errno));
    return output_write(fits->file, fits->path, key, FITS_KEY_BYTES, 0, error);
}

struct fits *fits_open(const char *path, const uint8_t key[FITS_KEY_BYTES], size_t tensors,
                       struct error *error)
{
    struct fits *fits = calloc(1, sizeof *fits);

    if (!fits) {
        error_set(error, ERROR_MEMORY, "%s: not enough memory", path);
        return NULL;
    }
    pthread_mutex_init(&fits->mutex, NULL);
    fits->file = -1;
    fits->tensors = tensors;
    fits->path = strdup(path);
    fits->encodings = calloc(tensors + 1, sizeof *fits->encodings);
    if (!fits->path || !fits->encodings) {
        error_set(error, ERROR_MEMORY, "%s: not enough memory", path);
        goto failed;
    }
    fits->file = output_open(path, error);
    if (fits->file < 0)
        goto failed;
    if (flock(fits->file, LOCK_EX | LOCK_NB) != 0) {
        error_set(error, ERROR_SYSTEM, "%s: another process is at work on it", path);
        goto failed;
    }
    if (!read_records(fits, key, error))
        goto failed;
    return fits;

failed:
    fits_close(fits);
    return NULL;
}

void fits_close(struct fits *fits)
{
    if (!fits)
        return;
    for (size_t i = 0; fits->encodings && i < fits->tensors; i++)
        encoding_finish(&fits->encodings[i]);
    if (fits->file >= 0)
        close(fits->file);
    pthread_mutex_destroy(&fits->mutex);
    free(fits->encodings);
    free(fits->path);
    free(fits);
}

const struct encoding *fits_find(const struct fits *fits, size_t tensor)
{
    return fits->encodings[tensor].codes > 0 ? &fits->encodings[tensor] : NULL;
}

bool fits_add(struct fits *fits, size_t tensor, struct encoding *encoding, struct error *error)
{
    struct record record;
    uint8_t digest[SHA256_DIGEST_SIZE];
    const size_t outlier_bytes = (size_t)encoding->outlier_count * sizeof(struct outlier);

    memset(&record, 0, sizeof record);
    record.tensor = tensor;
    record.codes = (uint32_t)encoding->codes;
    record.outlier_count = (uint32_t)encoding->outlier_count;
    record.sidecar_count = encoding->sidecar_count;
    record.squared_error = encoding->squared_error;
    record.squared_norm = encoding->squared_norm;
    memcpy(record.codebook, encoding->codebook, sizeof record.codebook);
    digest_record(&record, encoding->outliers, digest);

    pthread_mutex_lock(&fits->mutex);
    const int64_t at = fits->end;
    const bool written = output_write(fits->file, fits->path, &record, sizeof record, at, error) &&
                         output_write(fits->file, fits->path, encoding->outliers, outlier_bytes,
                                      at + (int64_t)sizeof record, error) &&
                         output_write(fits->file, fits->path, digest, sizeof digest,
                                      at + (int64_t)(sizeof record + outlier_bytes), error);
    if (written)
        fits->end += (int64_t)(sizeof record + outlier_bytes + sizeof digest);
    encoding_finish(&fits->encodings[tensor]);
    fits->encodings[tensor] = *encoding;
    *encoding = (struct encoding){0};
    pthread_mutex_unlock(&fits->mutex);
    return written;
}
