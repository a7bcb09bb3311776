/* The history is the list of tokens whose keys and values are in the cache, in order; it grows by whole tiles that were
 * evaluated through all layers, so whatever interrupts a pass, list and cache agree. */
#include "infer/session.h"

#include <stdlib.h>
#include <string.h>

#include "infer/cache.h"
#include "infer/forward.h"

struct session {
    struct cache cache;
    struct activations work;
    int32_t *tokens;  /* [cache.positions] */
    size_t count;     /* tokens that the cache holds */
    float *logits;    /* [vocab] after tokens[logits_at - 1] */
    size_t logits_at; /* 0: none */
};

struct session *session_create(const struct model *model, int context_tokens, struct error *error)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        goto exhausted;

    session->tokens = malloc((size_t)context_tokens * sizeof *session->tokens);
    session->logits = malloc((size_t)model->config.vocab_size * sizeof *session->logits);
    if (!session->tokens || !session->logits ||
        !cache_init(&session->cache, model->backend, &model->config, context_tokens) ||
        !activations_init(&session->work, model, context_tokens))
        goto exhausted;
    return session;

exhausted:
    session_destroy(model, session);
    error_set(error, ERROR_MEMORY,
              "not enough memory for a context of %d tokens; use a smaller --context",
              context_tokens);
    return NULL;
}

void session_destroy(const struct model *model, struct session *session)
{
    if (!session)
        return;
    cache_finish(&session->cache, model->backend);
    activations_finish(&session->work, model);
    free(session->tokens);
    free(session->logits);
    free(session);
}

static bool check_tokens(const struct model *model, const struct session *session,
                         const int32_t *tokens, size_t count, struct error *error)
{
    if (count < 1 || count > (size_t)session->cache.positions)
        return error_set(error, ERROR_LIMIT, "%zu tokens do not fit a context of %d", count,
                         session->cache.positions);
    for (size_t i = 0; i < count; i++)
        if (tokens[i] < 0 || tokens[i] >= model->config.vocab_size)
            return error_set(error, ERROR_INPUT, "token %d is not in the model's vocabulary of %d",
                             (int)tokens[i], model->config.vocab_size);
    return true;
}

static bool check_backend(const struct model *model, struct session *session, struct error *error)
{
    const enum backend_status status = backend_status(model->backend);

    if (status == BACKEND_OK)
        return true;
    session->count = session->logits_at = 0;
    return error_set(error, ERROR_DEVICE, "%s", backend_status_text(status));
}

/* Evaluates one tile and appends it to the history. */
static bool append_tile(const struct model *model, struct session *session, const int32_t *tokens,
                        int n, const atomic_bool *cancel, struct error *error)
{
    if (!forward_tile(model, &session->cache, &session->work, tokens, n, (int)session->count,
                      cancel))
        return error_set(error, ERROR_CANCELLED, "cancelled");
    if (!check_backend(model, session, error))
        return false;
    memcpy(session->tokens + session->count, tokens, (size_t)n * sizeof *tokens);
    session->count += (size_t)n;
    return true;
}

/* Logits after the `row`-th token of the last tile, which was the `position`-th of the history. */
static bool read_logits(const struct model *model, struct session *session, int row,
                        size_t position, struct error *error)
{
    forward_logits(model, &session->work, row, session->logits);
    session->logits_at = position + 1;
    return check_backend(model, session, error);
}

static int tile_size(size_t left)
{
    return left < FORWARD_TILE ? (int)left : FORWARD_TILE;
}

bool session_sync(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const atomic_bool *cancel, size_t *reused, struct error *error)
{
    if (!check_tokens(model, session, tokens, count, error))
        return false;

    /* keep the common prefix; the last token is evaluated again unless its logits are still here */
    size_t common = 0;
    while (common < count && common < session->count && tokens[common] == session->tokens[common])
        common++;
    if (common == count && session->logits_at != count)
        common--;
    session->count = common;
    if (session->logits_at > common)
        session->logits_at = 0;
    if (reused)
        *reused = common;

    while (session->count < count) {
        const int n = tile_size(count - session->count);
        if (!append_tile(model, session, tokens + session->count, n, cancel, error))
            return false;
        if (session->count == count && !read_logits(model, session, n - 1, count - 1, error))
            return false;
    }
    return true;
}

bool session_each(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const atomic_bool *cancel,
                  bool (*on_row)(void *user, const float *logits), void *user, struct error *error)
{
    if (!check_tokens(model, session, tokens, count, error))
        return false;

    session->count = session->logits_at = 0;
    while (session->count < count) {
        const size_t first = session->count;
        const int n = tile_size(count - first);
        if (!append_tile(model, session, tokens + first, n, cancel, error))
            return false;
        for (int row = 0; row < n; row++) {
            if (!read_logits(model, session, row, first + (size_t)row, error))
                return false;
            if (!on_row(user, session->logits))
                return error_set(error, ERROR_CANCELLED, "stopped by the reader of the logits");
        }
    }
    return true;
}

const float *session_logits(const struct session *session)
{
    return session->logits;
}

int session_context(const struct session *session)
{
    return session->cache.positions;
}
