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
                         const struct halt *halt, int32_t *proposal, int *proposed,
                         struct error *error)
{
    const struct model *model = drafter->model;

    *proposed = 0;
    if (limit <= 0 || !can_follow(drafter, tokens, count, limit))
        return true;

    memcpy(drafter->tokens, tokens, (size_t)count * sizeof *tokens);
    while (*proposed < limit) {
        const size_t known = (size_t)(count + *proposed);
        int32_t id;
        if (!session_sync(model, drafter->session, drafter->tokens, known, halt, NULL, error) ||
            !session_likeliest(model, drafter->session, known, model->config.vocab_size, &id, NULL,
                               error))
            return false;
        drafter->tokens[count + *proposed] = id;
        proposal[(*proposed)++] = id;
    }
    return true;
}
