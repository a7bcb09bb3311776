/* Two passes over the source, spread by tensor. The first checks every number and fits codebooks, each recorded as soon as
 * it is there; then all sizes are known, the file is laid out and given its room on the disk; the second pass writes every
 * tensor into its place. The second is bound by memory and disk and simply runs again after an interruption.
 *
 * The weights carry a name of their own until they are whole, and config.json, without which nothing loads, comes last. */
#include "infer/compress.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "infer/compress/fits.h"
#include "infer/compress/folder.h"
#include "infer/compress/layout.h"
#include "infer/compress/output.h"
#include "infer/compress/plan.h"
#include "infer/file.h"
#include "kernels/parallel.h"

enum { SIDECAR_SHARE = 500 /* one number in so many may be an outlier */ };
static const char fits_name[] = "fits";
static const char key_text[] =
    "hxqd fits 1"; /* changes whenever the same input would give other encodings */

/* One tensor of the source and what it becomes. Numbers are those of the layout's tensors, -1 where there is none. */
struct job {
    const struct tensor *tensor;
    const char *module; /* NULL: stays exact */
    int exact, positions, codebook, values, indices;
};

struct compression {
    const struct compress_options *options;
    struct folder folder;
    char *weights; /* path of the file being written */
    int file;
    struct plan plan;
    struct job *jobs; /* [count] */
    size_t count;
    struct fits *fits;
    struct layout layout;
    struct compress_summary summary;

    pthread_mutex_t mutex; /* guards all below */
    struct error *error;
    double done, total; /* bytes of source read, over both passes */
    atomic_bool failed; /* so that the other threads stop */
};

/* --- what is to be done ----------------------------------------------------------------------------------------------- */

/* Makes a job of every tensor, in order of name. */
static bool list_jobs(struct compression *work, struct error *error)
{
    work->count = work->plan.count;
    work->jobs = calloc(work->count + 1, sizeof *work->jobs);
    if (!work->jobs)
        return error_set(error, ERROR_MEMORY, "not enough memory");
    for (size_t i = 0; i < work->count; i++) {
        struct job *job = &work->jobs[i];
        job->tensor = safetensors_at(work->plan.files, i);
        job->module = work->plan.modules[i];
        work->summary.compressed_count += job->module != NULL;
        work->summary.exact_count += !job->module;
        work->total += 2.0 * (double)job->tensor->bytes;
    }
    return true;
}

/* A digest of all that the fits depend on: options, names, shapes, and each file's size and time of change. */
static bool make_key(const struct compression *work, uint8_t key[FITS_KEY_BYTES],
                     struct error *error)
{
    struct sha256_ctx context;
    struct stat status;

    sha256_init(&context);
    sha256_update(&context, sizeof key_text, (const uint8_t *)key_text);
    sha256_update(&context, sizeof work->options->sidecar,
                  (const uint8_t *)&work->options->sidecar);
    for (size_t i = 0; i < work->count; i++) {
        const struct tensor *tensor = work->jobs[i].tensor;
        if (stat(tensor->file, &status) != 0)
            return error_set(error, ERROR_SYSTEM, "%s: cannot inspect: %s", tensor->file,
                             strerror(errno));
        const int64_t facts[] = {tensor->type,   tensor->rank,          tensor->count,
                                 status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
        sha256_update(&context, strlen(tensor->name) + 1, (const uint8_t *)tensor->name);
        sha256_update(&context, sizeof facts, (const uint8_t *)facts);
        sha256_update(&context, sizeof tensor->shape, (const uint8_t *)tensor->shape);
    }
    sha256_digest(&context, FITS_KEY_BYTES, key);
    return true;
}

/* --- threads ---------------------------------------------------------------------------------------------------------- */

/* Counts a tensor as done and tells the caller. */
static void advance(struct compression *work, const struct tensor *tensor)
{
    pthread_mutex_lock(&work->mutex);
    work->done += (double)tensor->bytes;
    if (work->options->on_progress)
        work->options->on_progress(work->options->user, work->done / work->total);
    pthread_mutex_unlock(&work->mutex);
}

/* Keeps a thread's failure, the first one, for the caller. */
static void fail(struct compression *work, const struct error *error)
{
    pthread_mutex_lock(&work->mutex);
    error_set(work->error, error->code, "%s", error->text);
    pthread_mutex_unlock(&work->mutex);
    atomic_store(&work->failed, true);
}

/* Runs a pass over all jobs. */
static bool run_pass(struct compression *work, void (*pass)(void *work, int64_t job),
                     struct error *error)
{
    work->error = error;
    if (!parallel_for(work->options->threads, (int64_t)work->count, pass, work))
        return error_set(error, ERROR_SYSTEM, "no threads can be had");
    return !atomic_load(&work->failed);
}

/* --- first pass: check and fit ---------------------------------------------------------------------------------------- */

/* What a walk that looks at exponents needs to know. */
struct exponents {
    enum tensor_type type;
    bool are_finite;
};

static bool look_at_exponents(void *user, const void *numbers, int64_t first, int64_t count)
{
    struct exponents *exponents = user;
    const uint32_t *wide = numbers;
    const uint16_t *narrow = numbers, all = exponents->type == TENSOR_F16 ? 0x7c00 : 0x7f80;
    bool finite = true;

    (void)first;
    if (exponents->type == TENSOR_F32)
        for (int64_t i = 0; i < count; i++)
            finite &= (wide[i] & 0x7f800000) != 0x7f800000;
    else
        for (int64_t i = 0; i < count; i++)
            finite &= (narrow[i] & all) != all;
    exponents->are_finite = finite;
    return finite;
}

/* Whether all numbers of a tensor that stays exact are finite. */
static bool check_exact(const struct tensor *tensor, struct error *error)
{
    struct exponents exponents = {tensor->type, true};

    if (!plan_is_float(tensor) || safetensors_walk(tensor, look_at_exponents, &exponents, error))
        return true;
    return !exponents.are_finite &&
           error_set(error, ERROR_INPUT, "%s: tensor %s: holds a number that is not finite",
                     tensor->file, tensor->name);
}

static void fit_job(void *argument, int64_t index)
{
    struct compression *work = argument;
    const struct job *job = &work->jobs[index];
    const int64_t share = job->tensor->count / SIDECAR_SHARE;
    struct encoding encoding;
    struct error error = {0};
    bool done;

    if (atomic_load(&work->failed))
        return;
    if (!job->module)
        done = check_exact(job->tensor, &error);
    else if (fits_find(work->fits, (size_t)index))
        done = true;
    else {
        done =
            encoding_fit(&encoding, job->tensor,
                         share < work->options->sidecar ? share : work->options->sidecar, &error) &&
            fits_add(work->fits, (size_t)index, &encoding, &error);
        encoding_finish(&encoding);
    }
    if (done)
        advance(work, job->tensor);
    else
        fail(work, &error);
}

/* --- layout ----------------------------------------------------------------------------------------------------------- */

static bool lay_out_module(struct layout *layout, struct job *job, const struct encoding *encoding)
{
    const int64_t codes = encoding->codes, sidecar = encoding->sidecar_count;

    job->codebook = layout_add(layout, job->module, ".codebook", "F32", 4, 1, &codes);
    job->indices = layout_add(layout, job->module, ".indices", "U8", 1, 2, job->tensor->shape);
    job->positions = job->values = -1;
    if (sidecar > 0) {
        job->positions =
            layout_add(layout, job->module, ".sidecar_positions", "I64", 8, 1, &sidecar);
        job->values = layout_add(layout, job->module, ".sidecar_values", "F32", 4, 1, &sidecar);
        if (job->positions < 0 || job->values < 0)
            return false;
    }
    return job->codebook >= 0 && job->indices >= 0;
}

static bool lay_out(struct compression *work, struct error *error)
{
    bool done = true;

    for (size_t i = 0; done && i < work->count; i++) {
        struct job *job = &work->jobs[i];
        const struct tensor *tensor = job->tensor;
        if (job->module)
            done = lay_out_module(&work->layout, job, fits_find(work->fits, i));
        else {
            job->exact = layout_add(&work->layout, tensor->name, "", tensor->type_name,
                                    tensor->width, tensor->rank, tensor->shape);
            done = job->exact >= 0;
        }
    }
    if (!done)
        return error_set(error, ERROR_MEMORY, "not enough memory");
    return layout_place(&work->layout, error);
}

/* --- second pass: write ----------------------------------------------------------------------------------------------- */

static bool write_tensor(struct compression *work, int tensor, const void *data, size_t bytes,
                         struct error *error)
{
    return output_write(work->file, work->weights, data, bytes, layout_at(&work->layout, tensor),
                        error);
}

/* A tensor on its way into the file, block by block. */
struct sink {
    struct compression *work;
    int64_t at;
    int width; /* bytes of one number */
    struct error *error;
};

static bool write_block(void *user, const void *numbers, int64_t first, int64_t count)
{
    const struct sink *sink = user;

    return output_write(sink->work->file, sink->work->weights, numbers,
                        (size_t)(count * sink->width), sink->at + first * sink->width, sink->error);
}

static bool write_indices(void *user, const uint8_t *indices, int64_t first, int64_t count)
{
    return write_block(user, indices, first, count);
}

static bool write_exact(struct compression *work, const struct job *job, struct error *error)
{
    struct sink sink = {work, layout_at(&work->layout, job->exact), job->tensor->width, error};

    return safetensors_walk(job->tensor, write_block, &sink, error);
}

static bool write_module(struct compression *work, const struct job *job,
                         const struct encoding *encoding, struct error *error)
{
    const size_t sidecar = (size_t)encoding->sidecar_count;
    struct sink sink = {work, layout_at(&work->layout, job->indices), 1, error};
    const struct encoded out = {
        .positions = malloc((sidecar + 1) * sizeof(int64_t)),
        .values = malloc((sidecar + 1) * sizeof(float)),
        .on_indices = write_indices,
        .user = &sink,
    };
    bool written = out.positions && out.values;

    if (!written)
        error_set(error, ERROR_MEMORY, "%s: not enough memory to encode it", job->module);
    written = written && encoding_apply(encoding, job->tensor, &out, error) &&
              write_tensor(work, job->codebook, encoding->codebook,
                           (size_t)encoding->codes * sizeof(float), error);
    if (written && sidecar > 0)
        written =
            write_tensor(work, job->positions, out.positions, sidecar * sizeof(int64_t), error) &&
            write_tensor(work, job->values, out.values, sidecar * sizeof(float), error);
    free(out.positions);
    free(out.values);
    return written;
}

static void write_job(void *argument, int64_t index)
{
    struct compression *work = argument;
    const struct job *job = &work->jobs[index];
    const struct tensor *tensor = job->tensor;
    struct error error = {0};

    if (atomic_load(&work->failed))
        return;
    if (job->module ? write_module(work, job, fits_find(work->fits, (size_t)index), &error)
                    : write_exact(work, job, &error))
        advance(work, tensor);
    else
        fail(work, &error);
}

/* Writes the weights under a passing name, then gives them theirs. */
static bool write_weights(struct compression *work, struct error *error)
{
    char *path = file_path(work->folder.partial, "model.safetensors", error);
    bool written = path != NULL && asprintf(&work->weights, "%s.partial", path) >= 0;

    if (written) {
        work->file = output_open(work->weights, error);
        written = work->file >= 0;
    }
    if (written) {
        written = output_reserve(work->file, work->weights, work->layout.file_bytes, error) &&
                  output_write(work->file, work->weights, work->layout.header,
                               work->layout.header_bytes, 0, error) &&
                  run_pass(work, write_job, error);
        written = output_close(work->file, work->weights, error) && written;
    }
    written = written && output_rename(work->weights, path, error);
    free(path);
    return written;
}

/* --- around the weights ----------------------------------------------------------------------------------------------- */

/* Everything but weights, in whatever form, and what is written anew. */
static bool is_companion(const char *name)
{
    static const char *const others[] = {".safetensors", ".bin",    ".pt",      ".pth",
                                         ".gguf",        ".h5",     ".msgpack", ".onnx",
                                         ".index.json",  ".partial"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (name_ends_with(name, others[i]))
            return false;
    return name[0] != '.' && strcmp(name, "config.json") != 0 &&
           strcmp(name, "receipt.json") != 0 && strcmp(name, fits_name) != 0;
}

static bool add_digest(void *user, const char *name, const char *path, struct error *error)
{
    char digest[2 * OUTPUT_DIGEST_BYTES + 1];
    int64_t bytes;

    if (strcmp(name, fits_name) == 0 || strcmp(name, "receipt.json") == 0)
        return true;
    return output_digest(path, digest, &bytes, error) &&
           json_object_set_new(
               user, name, json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "sha256", digest)) ==
               0;
}

/* What was made of each matrix, and the whole. */
static json_t *receipt_json(struct compression *work)
{
    struct compress_summary *summary = &work->summary;
    json_t *modules = json_object();
    double squared_error = 0.0, squared_norm = 0.0;

    for (size_t i = 0; i < work->count; i++) {
        const struct encoding *encoding = fits_find(work->fits, i);
        if (!work->jobs[i].module)
            continue;
        squared_error += encoding->squared_error;
        squared_norm += encoding->squared_norm;
        json_object_set_new(modules, work->jobs[i].module,
                            json_pack("{s:i, s:I, s:f, s:f}", "codes", encoding->codes, "sidecar",
                                      (json_int_t)encoding->sidecar_count, "squared_error",
                                      encoding->squared_error, "squared_norm",
                                      encoding->squared_norm));
    }
    summary->source_bytes = safetensors_bytes(work->plan.files);
    summary->bytes = work->layout.file_bytes;
    summary->relative_error = squared_norm > 0.0 ? sqrt(squared_error / squared_norm) : 0.0;
    return json_pack(
        "{s:s, s:i, s:i, s:I, s:I, s:f, s:i, s:f, s:o}", "made_by", "hxqd " HXQD_VERSION,
        "compressed_tensors", summary->compressed_count, "exact_tensors", summary->exact_count,
        "source_bytes", (json_int_t)summary->source_bytes, "bytes", (json_int_t)summary->bytes,
        "ratio", (double)summary->source_bytes / (double)summary->bytes, "sidecar_max",
        work->options->sidecar, "relative_error", summary->relative_error, "modules", modules);
}

/* Companions, receipt and, last, the configuration; then the folder gets its name. */
static bool finish(struct compression *work, const char *fits_path, struct error *error)
{
    char *config = file_path(work->folder.partial, "config.json", error);
    char *waiting = file_path(work->folder.partial, "config.json.partial", error);
    char *receipt = file_path(work->folder.partial, "receipt.json", error);
    json_t *json = receipt_json(work), *files = json_object();
    bool done = config && waiting && receipt &&
                folder_copy(&work->folder, work->options->source, is_companion, error) &&
                output_json(waiting, work->plan.config, error) &&
                folder_each(&work->folder, add_digest, files, error);

    /* the configuration's digest is entered under the name that it will have */
    if (done) {
        json_object_set(files, "config.json", json_object_get(files, "config.json.partial"));
        json_object_del(files, "config.json.partial");
        json_object_set(json, "files", files);
        done = output_json(receipt, json, error) && output_rename(waiting, config, error);
    }
    if (done && unlink(fits_path) != 0)
        done = error_set(error, ERROR_SYSTEM, "%s: cannot remove: %s", fits_path, strerror(errno));
    done = done && folder_commit(&work->folder, error);
    json_decref(json);
    json_decref(files);
    free(config);
    free(waiting);
    free(receipt);
    return done;
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */

static void compression_finish(struct compression *work)
{
    free(work->jobs);
    free(work->weights);
    layout_finish(&work->layout);
    fits_close(work->fits);
    plan_finish(&work->plan);
    folder_close(&work->folder);
    pthread_mutex_destroy(&work->mutex);
}

/* Opens the record of fits, and counts those that are there. */
static bool open_fits(struct compression *work, const char *path, struct error *error)
{
    uint8_t key[FITS_KEY_BYTES];

    if (!make_key(work, key, error))
        return false;
    work->fits = fits_open(path, key, work->count, error);
    for (size_t i = 0; work->fits && i < work->count; i++)
        work->summary.resumed_count += fits_find(work->fits, i) != NULL;
    return work->fits;
}

bool compress_run(const struct compress_options *options, struct compress_summary *summary,
                  struct error *error)
{
    struct compression work = {.options = options};
    char *fits_path = NULL;
    bool done = false;

    pthread_mutex_init(&work.mutex, NULL);
    if (!plan_init(&work.plan, options->source, error) || !list_jobs(&work, error) ||
        !folder_open(&work.folder, options->destination, error))
        goto done;
    fits_path = file_path(work.folder.partial, fits_name, error);
    done = fits_path && open_fits(&work, fits_path, error) &&
           folder_clear(&work.folder, fits_name, error) && run_pass(&work, fit_job, error) &&
           lay_out(&work, error) && write_weights(&work, error) && finish(&work, fits_path, error);
    *summary = work.summary;

done:
    free(fits_path);
    compression_finish(&work);
    return done;
}
