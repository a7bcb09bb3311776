/* The session holds what was proposed last; where the larger model agreed, the next call evaluates one token only. */
#include "infer/draft_model.h"

#include <stdlib.h>
#include <string.h>

#include "infer/session.h"

struct draft_model {
    struct model *model;
    struct session *session;
    int32_t *tokens; /* [context] the sequence and what is proposed after it */
};

/* Vocabularies are padded to different lengths: by less than this. */
enum { VOCAB_PADDING = 512 };

static bool open_parts(struct draft_model *drafter, const char *directory,
                       const struct model_options *options, int vocab_size, int context_tokens,
                       struct error *error)
{
    drafter->model = model_load(directory, options, error);
    if (!drafter->model)
        return false;

    const struct config *config = &drafter->model->config;
    if (abs(config->vocab_size - vocab_size) >= VOCAB_PADDING)
        return error_set(error, ERROR_INPUT,
                         "%s: a vocabulary of %d tokens cannot draft for one of %d", directory,
                         config->vocab_size, vocab_size);
    if (context_tokens > config->max_positions)
        context_tokens = config->max_positions;
    drafter->session = session_create(drafter->model, context_tokens, error);
    drafter->tokens = malloc((size_t)context_tokens * sizeof *drafter->tokens);
    return drafter->session &&
           (drafter->tokens || error_set(error, ERROR_MEMORY, "not enough memory"));
}

struct draft_model *draft_model_open(const char *directory, const struct model_options *options,
                                     int vocab_size, int context_tokens, struct error *error)
{
    struct draft_model *drafter = calloc(1, sizeof *drafter);

    if (!drafter) {
        error_set(error, ERROR_MEMORY, "not enough memory");
        return NULL;
    }
    if (!open_parts(drafter, directory, options, vocab_size, context_tokens, error)) {
        draft_model_close(drafter);
        return NULL;
    }
    return drafter;
}

void draft_model_close(struct draft_model *drafter)
{
    if (!drafter)
        return;
    free(drafter->tokens);
    if (drafter->model)
        session_destroy(drafter->model, drafter->session);
    model_destroy(drafter->model);
    free(drafter);
}

static int32_t likeliest(const float *logits, int count)
{
    int32_t best = 0;

    for (int32_t i = 1; i < count; i++)
        best = logits[i] > logits[best] ? i : best;
    return best;
}

/* Whether the sequence fits and holds no token that this model has no row for. */
static bool can_follow(const struct draft_model *drafter, const int32_t *tokens, int count,
                       int limit)
{
    if (count + limit > session_context(drafter->session))
        return false;
    for (int i = 0; i < count; i++)
        if (tokens[i] >= drafter->model->config.vocab_size)
            return false;
    return true;
}

bool draft_model_propose(struct draft_model *drafter, const int32_t *tokens, int count, int limit,
                         const atomic_bool *cancel, int32_t *proposal, int *proposed,
                         struct error *error)
{
    *proposed = 0;
    if (limit <= 0 || !can_follow(drafter, tokens, count, limit))
        return true;

    memcpy(drafter->tokens, tokens, (size_t)count * sizeof *tokens);
    while (*proposed < limit) {
        if (!session_sync(drafter->model, drafter->session, drafter->tokens,
                          (size_t)(count + *proposed), cancel, NULL, error))
            return false;
        const int32_t id =
            likeliest(session_logits(drafter->session), drafter->model->config.vocab_size);
        drafter->tokens[count + *proposed] = id;
        proposal[(*proposed)++] = id;
    }
    return true;
}
