/* The history is the list of tokens whose keys and values are in the cache, in order; it grows by whole tiles that were
 * evaluated through all layers, so whatever interrupts a pass, list and cache agree. Logits of the last few positions are kept
 * where they were computed and read when somebody asks. */
#include "infer/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/cache.h"
#include "infer/failure.h"
#include "infer/forward.h"
#include "infer/sample.h"

/* Where time is short, passes take as many tokens as they have time for, but no fewer than this. */
enum { TILE_MIN = 32 };

struct session {
    struct cache cache;
    struct activations work;
    int32_t *tokens; /* [cache.positions] */
    size_t count;    /* tokens that the cache holds */
    size_t vocab;
    double token_ms; /* of the last tile of TILE_MIN tokens or more; 0: not known */

    /* Logits after the tokens at positions kept_first..kept_end - 1, the backend's and, once read, the host's in the same rows,
     * the first one's in row 0. */
    size_t kept_first, kept_end;
    float *logits; /* [FORWARD_LOGITS_MAX, vocab] */
    bool is_read[FORWARD_LOGITS_MAX];
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

/* Evaluates one tile and appends it to the history. Whoever is in a hurry gets the first tile of a call all the same: what is
 * given up within a tile is lost, and the next call would not come farther. */
static bool append_tile(const struct model *model, struct session *session, const int32_t *tokens,
                        int n, bool is_first, const struct halt *halt, struct error *error)
{
    const struct halt cancelled = {.cancel = halt ? halt->cancel : NULL};
    const double started = halt_now_ms();

    if (!forward_tile(model, &session->cache, &session->work, tokens, n, (int)session->count,
                      is_first ? &cancelled : halt))
        return halt_error(halt, error);
    if (!check_backend(model, session, error))
        return false;
    memcpy(session->tokens + session->count, tokens, (size_t)n * sizeof *tokens);
    session->count += (size_t)n;
    if (n >= TILE_MIN)
        session->token_ms = (halt_now_ms() - started) / n;
    return true;
}

/* Keeps the logits of the history's positions from..end - 1, all in the last tile, which began at `first`. */
static bool keep_logits(const struct model *model, struct session *session, size_t first,
                        size_t from, size_t end, struct error *error)
{
    float awaited;

    /* what is kept stays one range that the rows can hold */
    if (session->kept_end != from || end - session->kept_first > FORWARD_LOGITS_MAX)
        session->kept_first = from;
    session->kept_end = end;

    const int at = (int)(from - session->kept_first);
    forward_logits(model, &session->work, (int)(from - first), (int)(end - from), at);
    memset(session->is_read + at, 0, (end - from) * sizeof *session->is_read);
    forward_read_logits(model, &session->work, at, &awaited, 1);
    return check_backend(model, session, error);
}

/* How many of the tokens that are left the next tile takes. */
static int tile_size(const struct session *session, size_t left, const struct halt *halt)
{
    const double left_ms = halt_left_ms(halt);
    int most = FORWARD_TILE;

    if (left_ms < FORWARD_TILE * session->token_ms)
        most =
            left_ms > TILE_MIN * session->token_ms ? (int)(left_ms / session->token_ms) : TILE_MIN;
    else if (session->token_ms == 0 && halt && halt->deadline_ms > 0)
        most = TILE_MIN;
    return left < (size_t)most ? (int)left : most;
}

/* Whether the rows of logits reach from the first that is kept to the token before `count`. */
static bool have_rows(const struct session *session, size_t count)
{
    return count <= session->kept_first + FORWARD_LOGITS_MAX;
}

/* How many of the tokens need not be evaluated: the common prefix, up to position `wanted` where not all logits from there on
 * are here with room for the others behind them. */
static size_t reusable(const struct session *session, const int32_t *tokens, size_t count,
                       size_t wanted)
{
    size_t common = 0;

    while (common < count && common < session->count && tokens[common] == session->tokens[common])
        common++;
    if (common <= wanted)
        return common;
    const bool are_kept = wanted >= session->kept_first && common <= session->kept_end;
    return are_kept && have_rows(session, count) ? common : wanted;
}

bool session_verify(const struct model *model, struct session *session, const int32_t *tokens,
                    size_t count, int drafted, const struct halt *halt, size_t *reused,
                    struct error *error)
{
    if (!check_tokens(model, session, tokens, count, error))
        return false;

    const size_t wanted = count - 1 - (size_t)drafted;
    forget(session, reusable(session, tokens, count, wanted));
    if (!have_rows(session, count))
        session->kept_first = session->kept_end = 0;
    if (reused)
        *reused = session->count;

    for (bool is_first = true; session->count < count; is_first = false) {
        const size_t first = session->count;
        const int n = tile_size(session, count - first, halt);
        if (!append_tile(model, session, tokens + first, n, is_first, halt, error))
            return false;
        const size_t from = first > wanted ? first : wanted;
        if (from < session->count &&
            !keep_logits(model, session, first, from, session->count, error))
            return false;
    }
    return true;
}

bool session_sync(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const struct halt *halt, size_t *reused, struct error *error)
{
    return session_verify(model, session, tokens, count, 0, halt, reused, error);
}

/* Gives the logits of positions from..end - 1. */
static bool give_rows(const struct model *model, struct session *session, size_t from, size_t end,
                      bool (*on_row)(void *user, const float *logits), void *user,
                      struct error *error)
{
    for (size_t at = from; at < end; at++) {
        const float *logits = session_logits_after(model, session, at + 1, error);
        if (!logits)
            return false;
        if (!on_row(user, logits))
            return error_set(error, ERROR_CANCELLED, "stopped by the reader of the logits");
    }
    return true;
}

bool session_each(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const struct halt *halt,
                  bool (*on_row)(void *user, const float *logits), void *user, struct error *error)
{
    if (!check_tokens(model, session, tokens, count, error))
        return false;

    forget(session, 0);
    while (session->count < count) {
        const size_t first = session->count;
        const int n = tile_size(session, count - first, halt);
        if (!append_tile(model, session, tokens + first, n, first == 0, halt, error))
            return false;
        for (size_t from = first, end; from < session->count; from = end) {
            end = from + FORWARD_LOGITS_MAX;
            end = end < session->count ? end : session->count;
            if (!keep_logits(model, session, first, from, end, error))
                return false;
            if (!give_rows(model, session, from, end, on_row, user, error))
                return false;
        }
    }
    return true;
}

/* The row of the logits after `count` tokens; -1 with an error where they are not kept. */
static int find_row(const struct session *session, size_t count, struct error *error)
{
    if (count > session->kept_first && count <= session->kept_end)
        return (int)(count - 1 - session->kept_first);
    error_set(error, ERROR_INPUT, "nobody asked for what follows %zu tokens", count);
    return -1;
}

const float *session_logits(const struct model *model, struct session *session, struct error *error)
{
    return session_logits_after(model, session, session->count, error);
}

const float *session_logits_after(const struct model *model, struct session *session, size_t count,
                                  struct error *error)
{
    const int row = find_row(session, count, error);
    if (row < 0)
        return NULL;

    float *logits = session->logits + (size_t)row * session->vocab;
    if (!session->is_read[row]) {
        forward_read_logits(model, &session->work, row, logits, session->vocab);
        if (!check_backend(model, session, error))
            return NULL;
        session->is_read[row] = true;
    }
    return logits;
}

bool session_likeliest(const struct model *model, struct session *session, size_t count, int vocab,
                       int32_t *id, float *log_probability, struct error *error)
{
    const int row = find_row(session, count, error);
    struct likeliest found;

    if (row < 0)
        return false;
    if (forward_likeliest(model, &session->work, row, vocab, &found)) {
        *id = found.index;
        if (log_probability)
            *log_probability = found.value - found.log_sum;
        return check_backend(model, session, error);
    }

    const float *logits = session_logits_after(model, session, count, error);
    if (!logits)
        return false;
    *id = sampler_largest(logits, vocab);
    if (log_probability)
        *log_probability = logits[*id] - sampler_log_sum(logits, vocab);
    return true;
}

int session_context(const struct session *session)
{
    return session->cache.positions;
}
