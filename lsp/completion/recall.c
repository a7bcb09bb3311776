/* A list of fixed size, the entry used last in front: it is short enough to be searched from the front, which also makes the
 * newest completion win where several fit. */
#include "lsp/completion/recall.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct place place;
    struct candidates candidates;
    int wanted;
    bool is_foreseen; /* not asked for yet */
};

struct recall {
    struct entry *entries[RECALL_ENTRIES]; /* [count], used last first */
    size_t count;
};

struct recall *recall_create(void)
{
    return calloc(1, sizeof(struct recall));
}

static void entry_destroy(struct entry *entry)
{
    candidates_finish(&entry->candidates);
    free(entry);
}

void recall_clear(struct recall *recall)
{
    for (size_t i = 0; i < recall->count; i++)
        entry_destroy(recall->entries[i]);
    recall->count = 0;
}

void recall_destroy(struct recall *recall)
{
    if (!recall)
        return;

    recall_clear(recall);
    free(recall);
}

/* Moves the entry at `index` to the front. */
static void recall_touch(struct recall *recall, size_t index)
{
    struct entry *entry = recall->entries[index];
    memmove(recall->entries + 1, recall->entries, index * sizeof(struct entry *));
    recall->entries[0] = entry;
}

/* The entry for exactly this place; the count where there is none. */
static size_t recall_index(const struct recall *recall, const struct place *place)
{
    size_t index = 0;
    while (index < recall->count && !place_equals(&recall->entries[index]->place, place))
        index++;
    return index;
}

bool recall_has(const struct recall *recall, const struct place *place)
{
    return recall_index(recall, place) < recall->count;
}

void recall_store(struct recall *recall, const struct place *place, struct candidates *candidates,
                  int wanted, bool is_foreseen)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry) {
        candidates_finish(candidates);
        return;
    }
    *entry = (struct entry){*place, *candidates, wanted, is_foreseen};
    *candidates = (struct candidates){0};

    /* takes the place of the one for the same place, else of the one that was not used for longest */
    size_t index = recall_index(recall, place);
    if (index == RECALL_ENTRIES)
        index--;
    if (index < recall->count)
        entry_destroy(recall->entries[index]);
    else
        recall->count++;
    recall->entries[index] = entry;
    recall_touch(recall, index);
}

/* Whether a text may be offered where the user has typed of it, `rest` being what is missing and `errors` what it leaves. */
static bool terms_allow(const struct recall_terms *terms, const struct place_text *rest,
                        size_t errors)
{
    return rest->probability >= terms->least &&
           (errors == 0 || !terms->graft ||
            graft_is_sound(terms->graft, rest->replaced_bytes, rest->text, rest->bytes));
}

bool recall_rest(const struct candidates *candidates, const struct place_step *step,
                 const struct recall_terms *terms, struct recall_answer *answer)
{
    *answer = (struct recall_answer){.has_moved = step->typed_bytes > 0};
    for (size_t i = 0; i < candidates->count; i++) {
        struct place_text whole = {
            .text = candidates->texts[i],
            .bytes = strlen(candidates->texts[i]),
            .replaced_bytes = candidates->facts[i].replaced_bytes,
            .probability = candidates->facts[i].probability,
        };
        struct place_text *rest = &answer->texts[answer->count];
        answer->count +=
            place_rest(step, &whole, rest) && rest->bytes > 0 &&
            (!answer->has_moved || terms_allow(terms, rest, candidates->facts[i].errors));
    }
    return answer->count > 0 || !answer->has_moved;
}

bool recall_find(struct recall *recall, const struct place_cursor *cursor, int wanted,
                 const struct recall_terms *terms, struct recall_answer *answer)
{
    for (size_t i = 0; i < recall->count; i++) {
        struct entry *entry = recall->entries[i];
        struct place_step step;
        if (entry->wanted < wanted || !place_step(&entry->place, cursor, &step) ||
            !recall_rest(&entry->candidates, &step, terms, answer))
            continue;

        answer->was_foreseen = entry->is_foreseen;
        entry->is_foreseen = false;
        recall_touch(recall, i);
        return true;
    }
    return false;
}
