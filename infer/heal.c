/* Best-first search over partial covers, as Dijkstra's with probabilities for lengths. From the prompt, every token that begins
 * with the held bytes is a cover; every token that is a beginning of them leads on, but only the model can say whether the rest
 * may follow: after "re" of "retu" a module's name is likely, "tu" is not. So the most probable beginning is evaluated, as long
 * as it is more probable than the best cover; what is found first is then certain to be the best. That mostly takes no pass at
 * all, seldom more than one. All tokens are looked at in each step: so are their logits, and an index would save nothing. */
#include "infer/heal.h"

#include <math.h>
#include <string.h>

enum { NODES_MAX = 64 };

/* A token on the way; node 0 is the prompt. */
struct node {
    int parent;
    int32_t id;
    size_t bytes; /* of the held ones, up to this token's end */
    float log_probability;
    bool is_open; /* not evaluated yet */
};

struct cover {
    int node; /* what it follows */
    int32_t id;
    float log_probability;
};

struct search {
    const struct tokenizer *tokenizer;
    const char *held;
    size_t held_bytes;
    struct node nodes[NODES_MAX];
    int node_count;
    struct cover covers[HEAL_COVERS_MAX]; /* most probable first */
    int cover_count;
};

size_t heal_held_bytes(const struct tokenizer *tokenizer, const char *text, size_t bytes)
{
    const char *newline = bytes > 0 ? memrchr(text, '\n', bytes) : NULL;
    const char *line = newline ? newline + 1 : text;
    const size_t line_bytes = bytes - (size_t)(line - text);
    const size_t held = line_bytes - tokenizer_settled_bytes(tokenizer, line, line_bytes);

    return held <= HEAL_BYTES_MAX ? held : 0;
}

/* Puts a cover where it belongs; the least probable one falls out. */
static void add_cover(struct search *search, const struct cover *cover)
{
    int at = search->cover_count;

    while (at > 0 && search->covers[at - 1].log_probability < cover->log_probability)
        at--;
    if (at == HEAL_COVERS_MAX)
        return;
    search->cover_count += search->cover_count < HEAL_COVERS_MAX;
    for (int i = search->cover_count - 1; i > at; i--)
        search->covers[i] = search->covers[i - 1];
    search->covers[at] = *cover;
}

static void add_node(struct search *search, const struct node *node)
{
    if (search->node_count < NODES_MAX)
        search->nodes[search->node_count++] = *node;
}

/* Sorts the tokens that may follow a node into covers and further nodes. */
static void expand(struct search *search, int at, const float *logits)
{
    const struct node from = search->nodes[at];
    const char *rest = search->held + from.bytes;
    const size_t left = search->held_bytes - from.bytes;
    const int32_t vocab = tokenizer_size(search->tokenizer);
    const float scale = from.log_probability - sampler_log_sum(logits, vocab);

    search->nodes[at].is_open = false;
    for (int32_t id = 0; id < vocab; id++) {
        size_t bytes;
        const char *text = tokenizer_token_text(search->tokenizer, id, &bytes);
        const size_t shared = bytes < left ? bytes : left;
        if (shared == 0 || memcmp(text, rest, shared) ||
            tokenizer_is_special(search->tokenizer, id))
            continue;
        const float log_probability = logits[id] + scale;
        if (bytes >= left)
            add_cover(search, &(struct cover){at, id, log_probability});
        else
            add_node(search, &(struct node){at, id, from.bytes + bytes, log_probability, true});
    }
}

/* The most probable node that may still lead to the best cover; -1 where there is none. */
static int next_node(const struct search *search)
{
    float least = search->cover_count ? search->covers[0].log_probability : -INFINITY;
    int best = -1;

    for (int i = 0; i < search->node_count; i++) {
        if (search->nodes[i].is_open && search->nodes[i].log_probability > least) {
            least = search->nodes[i].log_probability;
            best = i;
        }
    }
    return best;
}

/* Appends the tokens from the prompt to a node. */
static bool append_path(const struct search *search, int node, struct token_list *tokens)
{
    return node == 0 || (append_path(search, search->nodes[node].parent, tokens) &&
                         token_list_append(tokens, &search->nodes[node].id, 1));
}

/* Evaluates nodes until no better cover can be found, or HEAL_PASSES_MAX. */
static bool find_covers(struct search *search, const struct model *model, struct session *session,
                        const struct halt *halt, struct token_list *tokens, struct error *error)
{
    const size_t prompt = tokens->count;
    const float *logits = session_logits(model, session, error);
    int node;

    if (!logits)
        return false;
    expand(search, 0, logits);
    for (int pass = 0;
         pass < HEAL_PASSES_MAX && halt_left_ms(halt) > 0 && (node = next_node(search)) >= 0;
         pass++) {
        const bool evaluated =
            append_path(search, node, tokens) &&
            session_sync(model, session, tokens->ids, tokens->count, halt, NULL, error);
        tokens->count = prompt;
        if (!evaluated)
            return error_set(error, ERROR_MEMORY, "not enough memory for the completion");
        logits = session_logits(model, session, error);
        if (!logits)
            return false;
        expand(search, node, logits);
    }
    return true;
}

/* Chooses a cover and appends it. */
static bool take_cover(const struct search *search, struct sampler *sampler,
                       struct token_list *tokens, float *log_probability, size_t *beyond)
{
    float scores[HEAL_COVERS_MAX];

    for (int i = 0; i < search->cover_count; i++)
        scores[i] = search->covers[i].log_probability;
    const int chosen = sampler_draw(sampler, scores, search->cover_count);
    const struct cover *cover = &search->covers[chosen];
    size_t bytes;

    tokenizer_token_text(search->tokenizer, cover->id, &bytes);
    *beyond = bytes - (search->held_bytes - search->nodes[cover->node].bytes);
    *log_probability = cover->log_probability - sampler_log_sum(scores, search->cover_count);
    return append_path(search, cover->node, tokens) && token_list_append(tokens, &cover->id, 1);
}

bool heal_cover(const struct model *model, struct session *session,
                const struct tokenizer *tokenizer, struct sampler *sampler, const char *held,
                size_t held_bytes, const struct halt *halt, struct token_list *tokens,
                float *log_probabilities, size_t *beyond, struct error *error)
{
    struct search search = {
        .tokenizer = tokenizer,
        .held = held,
        .held_bytes = held_bytes,
        .nodes = {{.parent = 0}},
        .node_count = 1,
    };
    const size_t prompt = tokens->count;
    float log_probability = 0.0f;
    bool taken;

    if (!find_covers(&search, model, session, halt, tokens, error))
        return false;
    *beyond = 0;
    if (search.cover_count > 0)
        taken = take_cover(&search, sampler, tokens, &log_probability, beyond);
    else /* nothing within the limits: the tokens that any text has */
        taken = tokenizer_encode(tokenizer, held, held_bytes, false, tokens, error);
    if (!taken)
        return error_set(error, ERROR_MEMORY, "not enough memory for the completion");

    const size_t count = tokens->count - prompt;
    for (size_t i = 0; i < count; i++)
        log_probabilities[i] = log_probability / (float)count;
    return true;
}
