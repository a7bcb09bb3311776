/* The history is the list of tokens whose keys and values are in the cache, in order; it grows by whole tiles that were
 * evaluated through all layers, so whatever interrupts a pass, list and cache agree. Logits are kept for the last few
 * positions, in a ring. */
#include "infer/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/cache.h"
#include "infer/failure.h"
#include "infer/forward.h"

struct session {
    struct cache cache;
    struct activations work;
    int32_t *tokens; /* [cache.positions] */
    size_t count;    /* tokens that the cache holds */
    size_t vocab;

    /* Logits after the tokens at positions kept_first..kept_end - 1, those of position p in row p % FORWARD_LOGITS_MAX. */
    float *logits; /* [FORWARD_LOGITS_MAX, vocab] */
    size_t kept_first, kept_end;
};

_Static_assert((int)SESSION_DRAFTED_MAX < (int)FORWARD_LOGITS_MAX,
               "logits of all drafted tokens are kept");

struct session *session_create(const struct model *model, int context_tokens, struct error *error)
{
    struct session *session = calloc(1, sizeof *session);
    char what[64];

    if (!session)
        goto exhausted;

    session->tokens = malloc((size_t)context_tokens * sizeof *session->tokens);
    session->vocab = (size_t)model->config.vocab_size;
    session->logits = malloc(FORWARD_LOGITS_MAX * session->vocab * sizeof *session->logits);
    if (!session->tokens || !session->logits ||
        !cache_init(&session->cache, model->backend, &model->config, context_tokens) ||
        !activations_init(&session->work, model, context_tokens))
        goto exhausted;
    return session;

exhausted:
    session_destroy(model, session);
    snprintf(what, sizeof what, "a context of %d tokens", context_tokens);
    failure_report(model->backend, what, error);
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

/* Forgets the tokens from position `count` on, and their logits. */
static void forget(struct session *session, size_t count)
{
    session->count = count;
    if (session->kept_end > count)
        session->kept_end = count;
    if (session->kept_first >= session->kept_end)
        session->kept_first = session->kept_end = 0;
}

static bool check_backend(const struct model *model, struct session *session, struct error *error)
{
    if (backend_status(model->backend) == BACKEND_OK)
        return true;
    forget(session, 0);
    return failure_report(model->backend, "the request failed", error);
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

static float *logits_row(const struct session *session, size_t position)
{
    return session->logits + position % FORWARD_LOGITS_MAX * session->vocab;
}

/* Keeps the logits of the history's positions from..end - 1, all in the last tile, which began at `first`. */
static bool keep_logits(const struct model *model, struct session *session, size_t first,
                        size_t from, size_t end, struct error *error)
{
    const int n = (int)(end - from);

    forward_logits(model, &session->work, (int)(from - first), n);
    for (int i = 0; i < n; i++)
        forward_read_logits(model, &session->work, i, logits_row(session, from + (size_t)i));

    /* what is kept stays one range, no longer than the ring */
    if (session->kept_end != from)
        session->kept_first = from;
    session->kept_end = end;
    if (end - session->kept_first > FORWARD_LOGITS_MAX)
        session->kept_first = end - FORWARD_LOGITS_MAX;
    return check_backend(model, session, error);
}

static int tile_size(size_t left)
{
    return left < FORWARD_TILE ? (int)left : FORWARD_TILE;
}

/* How many of the tokens need not be evaluated: the common prefix, up to the first position from `wanted` on whose logits
 * are not here any more. */
static size_t reusable(const struct session *session, const int32_t *tokens, size_t count,
                       size_t wanted)
{
    size_t common = 0;

    while (common < count && common < session->count && tokens[common] == session->tokens[common])
        common++;
    if (common <= wanted)
        return common;
    if (wanted < session->kept_first || wanted >= session->kept_end)
        return wanted;
    return common < session->kept_end ? common : session->kept_end;
}

bool session_verify(const struct model *model, struct session *session, const int32_t *tokens,
                    size_t count, int drafted, const atomic_bool *cancel, size_t *reused,
                    struct error *error)
{
    if (!check_tokens(model, session, tokens, count, error))
        return false;

    const size_t wanted = count - 1 - (size_t)drafted;
    forget(session, reusable(session, tokens, count, wanted));
    if (reused)
        *reused = session->count;

    while (session->count < count) {
        const size_t first = session->count;
        const int n = tile_size(count - first);
        if (!append_tile(model, session, tokens + first, n, cancel, error))
            return false;
        const size_t from = first > wanted ? first : wanted;
        if (from < session->count &&
            !keep_logits(model, session, first, from, session->count, error))
            return false;
    }
    return true;
}

bool session_sync(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const atomic_bool *cancel, size_t *reused, struct error *error)
{
    return session_verify(model, session, tokens, count, 0, cancel, reused, error);
}

bool session_each(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const atomic_bool *cancel,
                  bool (*on_row)(void *user, const float *logits), void *user, struct error *error)
{
    if (!check_tokens(model, session, tokens, count, error))
        return false;

    forget(session, 0);
    while (session->count < count) {
        const size_t first = session->count;
        const int n = tile_size(count - first);
        if (!append_tile(model, session, tokens + first, n, cancel, error))
            return false;
        for (size_t from = first, end; from < session->count; from = end) {
            end = from + FORWARD_LOGITS_MAX;
            end = end < session->count ? end : session->count;
            if (!keep_logits(model, session, first, from, end, error))
                return false;
            for (size_t at = from; at < end; at++)
                if (!on_row(user, logits_row(session, at)))
                    return error_set(error, ERROR_CANCELLED, "stopped by the reader of the logits");
        }
    }
    return true;
}

const float *session_logits(const struct session *session)
{
    return session_logits_after(session, session->count);
}

const float *session_logits_after(const struct session *session, size_t count)
{
    const bool is_kept = count > session->kept_first && count <= session->kept_end;

    return is_kept ? logits_row(session, count - 1) : NULL;
}

int session_context(const struct session *session)
{
    return session->cache.positions;
}
