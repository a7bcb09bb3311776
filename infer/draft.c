/* Two trails of tokens, the sequence and the earlier completions, each with an index of its pairs of tokens: a bucket holds
 * the latest position where a pair of its hash ends, and every position the one before it, as in LZ77 compressors. Adding
 * a token writes two numbers; taking the latest one back restores them, which is how a sequence returns to the beginning
 * that it shares with the next prompt. */
#include "infer/draft.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKET_BITS = 12, BUCKETS = 1 << BUCKET_BITS };

/* Stands between remembered completions and equals no token. */
static const int32_t separator = -1;

/* A ring: position p lies at p % capacity. Places are positions plus one; 0 is none. */
struct trail {
    size_t capacity, count; /* tokens that fit; tokens ever added and not taken back */
    int32_t *tokens;        /* [capacity] */
    size_t *earlier;        /* [capacity] place before this one in its bucket */
    size_t *latest;         /* [BUCKETS] */
};

struct draft {
    struct trail sequence, recent;
    size_t prompt_tokens; /* of the sequence */

    int32_t proposed[DRAFT_MAX]; /* the latest proposal */
    int proposed_count;
    int right;     /* its tokens that have come, from its beginning */
    bool is_wrong; /* another one has come */

    int streak;  /* proposals in a row that were right as a whole */
    int pause;   /* proposals still to leave out */
    int penalty; /* how many were to be left out after the latest failure; 0 after a success */
};

/* Where tokens like the sequence's last ones end. */
struct match {
    const struct trail *trail;
    size_t at;
    int length;
};

/* --- trails ----------------------------------------------------------------------------------------------------------- */

static bool trail_init(struct trail *trail, size_t capacity)
{
    *trail = (struct trail){
        .capacity = capacity,
        .tokens = malloc(capacity * sizeof *trail->tokens),
        .earlier = malloc(capacity * sizeof *trail->earlier),
        .latest = calloc(BUCKETS, sizeof *trail->latest),
    };
    return trail->tokens && trail->earlier && trail->latest;
}

static void trail_finish(struct trail *trail)
{
    free(trail->tokens);
    free(trail->earlier);
    free(trail->latest);
}

/* The oldest position still there. */
static size_t trail_first(const struct trail *trail)
{
    return trail->count > trail->capacity ? trail->count - trail->capacity : 0;
}

static int32_t trail_token(const struct trail *trail, size_t position)
{
    return trail->tokens[position % trail->capacity];
}

/* The bucket of a pair of tokens: multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4). */
static size_t *trail_bucket(const struct trail *trail, int32_t before, int32_t token)
{
    const uint32_t hash = ((uint32_t)before * 0x85ebca6bu + (uint32_t)token) * 0x9e3779b1u;

    return &trail->latest[hash >> (32 - BUCKET_BITS)];
}

static void trail_push(struct trail *trail, int32_t token)
{
    const size_t position = trail->count++;

    trail->tokens[position % trail->capacity] = token;
    if (position == 0)
        return;
    size_t *bucket = trail_bucket(trail, trail_token(trail, position - 1), token);
    trail->earlier[position % trail->capacity] = *bucket;
    *bucket = position + 1;
}

/* Takes tokens back until `count` are left; all are if the ring has overwritten some. */
static void trail_truncate(struct trail *trail, size_t count)
{
    if (trail_first(trail) > 0) {
        memset(trail->latest, 0, BUCKETS * sizeof *trail->latest);
        trail->count = 0;
    }
    for (; trail->count > count; trail->count--) {
        const size_t last = trail->count - 1;
        if (last > 0)
            *trail_bucket(trail, trail->tokens[last - 1], trail->tokens[last]) =
                trail->earlier[last];
    }
}

/* How many tokens agree, backwards from `at` in the trail and from the sequence's last one. */
static int match_length(const struct trail *trail, size_t at, const struct trail *sequence)
{
    const size_t last = sequence->count - 1;
    const size_t here = at - trail_first(trail), there = last - trail_first(sequence);
    const size_t room = (here < there ? here : there) + 1;
    size_t length = 0;

    while (length < room && length < DRAFT_MATCH_MAX &&
           trail_token(trail, at - length) == trail_token(sequence, last - length))
        length++;
    return (int)length;
}

/* Puts the trail's longest match into `best` if it is longer than what is there. The sequence's own end is none. */
static void trail_search(const struct trail *trail, const struct trail *sequence,
                         struct match *best)
{
    const size_t last = sequence->count - 1;
    size_t place =
        *trail_bucket(trail, trail_token(sequence, last - 1), trail_token(sequence, last));

    for (int looks = 0; place > trail_first(trail) && looks < DRAFT_PLACES_MAX; looks++) {
        const size_t at = place - 1;
        const int length = at + 1 < trail->count ? match_length(trail, at, sequence) : 0;
        if (length > best->length)
            *best = (struct match){trail, at, length};
        if (best->length == DRAFT_MATCH_MAX)
            return;
        place = trail->earlier[at % trail->capacity];
    }
}

/* --- drafts ----------------------------------------------------------------------------------------------------------- */

struct draft *draft_create(size_t context_tokens, struct error *error)
{
    struct draft *draft = calloc(1, sizeof *draft);

    if (draft && trail_init(&draft->sequence, context_tokens) &&
        trail_init(&draft->recent, DRAFT_RECENT_MAX))
        return draft;
    draft_destroy(draft);
    error_set(error, ERROR_MEMORY, "not enough memory to draft completions");
    return NULL;
}

void draft_destroy(struct draft *draft)
{
    if (!draft)
        return;
    trail_finish(&draft->sequence);
    trail_finish(&draft->recent);
    free(draft);
}

/* Copies what followed the prompt, with its lead, to the recent completions. */
static void remember(struct draft *draft)
{
    const struct trail *sequence = &draft->sequence;
    const size_t oldest = trail_first(sequence);
    size_t from = draft->prompt_tokens > DRAFT_LEAD ? draft->prompt_tokens - DRAFT_LEAD : 0;

    if (sequence->count == draft->prompt_tokens)
        return;
    for (from = from > oldest ? from : oldest; from < sequence->count; from++)
        trail_push(&draft->recent, trail_token(sequence, from));
    trail_push(&draft->recent, separator);
}

void draft_sync(struct draft *draft, const int32_t *tokens, size_t count)
{
    struct trail *sequence = &draft->sequence;
    size_t common = 0;

    remember(draft);
    while (common < count && common < sequence->count &&
           tokens[common] == trail_token(sequence, common))
        common++;
    trail_truncate(sequence, common);
    for (size_t i = sequence->count; i < count; i++)
        trail_push(sequence, tokens[i]);

    draft->prompt_tokens = count;
    draft->proposed_count = draft->right = 0;
    draft->is_wrong = false;
    draft->streak = draft->pause = draft->penalty = 0;
}

void draft_observe(struct draft *draft, int32_t token)
{
    if (!draft->is_wrong && draft->right < draft->proposed_count)
        draft->is_wrong = token != draft->proposed[draft->right];
    draft->right += !draft->is_wrong && draft->right < draft->proposed_count;
    trail_push(&draft->sequence, token);
}

/* Learns from the latest proposal. Nothing of it was right: a pause that doubles. */
static void judge(struct draft *draft)
{
    if (draft->proposed_count == 0)
        return;
    draft->streak = draft->right == draft->proposed_count ? draft->streak + 1 : 0;
    draft->penalty = draft->penalty ? 2 * draft->penalty : 1;
    if (draft->penalty > DRAFT_PAUSE_MAX)
        draft->penalty = DRAFT_PAUSE_MAX;
    if (draft->right > 0)
        draft->penalty = 0;
    draft->pause = draft->penalty;
    draft->proposed_count = draft->right = 0;
    draft->is_wrong = false;
}

/* Copies what followed a match, up to the separator in which remembered completions end. What runs into the sequence's end
 * goes on with the copy itself: the sequence repeats itself there. */
static int copy_following(const struct match *match, int limit, int32_t *tokens)
{
    const struct trail *trail = match->trail;

    for (int i = 0; i < limit; i++) {
        const size_t position = match->at + 1 + (size_t)i;
        tokens[i] = position < trail->count ? trail_token(trail, position)
                                            : tokens[position - trail->count];
        if (tokens[i] == separator)
            return i;
    }
    return limit;
}

int draft_propose(struct draft *draft, int limit, int32_t *tokens)
{
    const struct trail *sequence = &draft->sequence;
    struct match best = {.length = DRAFT_MATCH_MIN - 1};

    judge(draft);
    const int most = draft->streak < DRAFT_STREAK ? DRAFT_SHORT : DRAFT_MAX;
    limit = limit < most ? limit : most;
    if (draft->pause > 0)
        draft->pause--;
    else if (limit > 0 && sequence->count - trail_first(sequence) >= DRAFT_MATCH_MIN) {
        trail_search(sequence, sequence, &best);
        trail_search(&draft->recent, sequence, &best);
        if (best.trail)
            draft->proposed_count = copy_following(&best, limit, draft->proposed);
    }
    memcpy(tokens, draft->proposed, (size_t)draft->proposed_count * sizeof *tokens);
    return draft->proposed_count;
}
