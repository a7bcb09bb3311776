/* Drafts copy what followed the longest match, forget what is gone, and grow and pause with their success. Tokens are written
 * as characters. */
#include "tests/support/test.h"

#include <string.h>

#include "infer/draft.h"

enum { CONTEXT = 64 };

static struct draft *create(void)
{
    struct error error = {0};
    struct draft *draft = draft_create(CONTEXT, &error);

    assert_non_null(draft);
    return draft;
}

static void sync(struct draft *draft, const char *prompt)
{
    int32_t tokens[CONTEXT];
    const size_t count = strlen(prompt);

    for (size_t i = 0; i < count; i++)
        tokens[i] = prompt[i];
    draft_sync(draft, tokens, count);
}

static void observe(struct draft *draft, const char *completion)
{
    for (; *completion; completion++)
        draft_observe(draft, *completion);
}

static void assert_proposal(struct draft *draft, int limit, const char *expected)
{
    int32_t tokens[DRAFT_MAX];
    char text[DRAFT_MAX + 1] = "";
    const int count = draft_propose(draft, limit, tokens);

    assert_in_range(count, 0, DRAFT_MAX);
    for (int i = 0; i < count; i++)
        text[i] = (char)tokens[i];
    assert_string_equal(text, expected);
}

static void proposal_follows_the_longest_match(void **state)
{
    static const struct {
        const char *prompt, *completion;
        int limit;
        const char *expected;
    } cases[] = {
        {"ab123..ab", "", 3, "123"},
        {"ab123..", "ab", 3, "123"},         /* the completion counts like the prompt */
        {"..", "ab123..ab", 3, "123"},       /* and is searched like it */
        {"ab123..ab", "", 2, "12"},          /* as many as asked for */
        {"ab123..ab", "", 0, ""},            /* none */
        {"ab123456..ab", "", 8, "123"},      /* few as long as nothing has proved right */
        {"ab1..cab2..ab3..cab", "", 1, "2"}, /* the longest one, though not the latest */
        {"ab1..ab2..ab", "", 1, "2"},        /* of equal ones the latest */
        {"xab1..yab2..zab", "", 1, "2"},     /* equal, whatever stands before */
        {"abab", "ab", 3, "aba"},            /* a repetition goes on */
        {"aaa", "", 3, "aaa"},               /* one token is a repetition too */
        {"b123..b", "", 3, ""},              /* one token is no match */
        {"abcdef", "", 3, ""},               /* nothing twice */
        {"a", "", 3, ""},                    /* no pair yet */
        {"ab", "", 3, ""},                   /* the end does not match itself */
        {"ab0123456789abcdefg..0123456789abcdefZ..0123456789abcdef", "", 1,
         "Z"}, /* too long to tell */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct draft *draft = create();
        sync(draft, cases[i].prompt);
        observe(draft, cases[i].completion);
        assert_proposal(draft, cases[i].limit, cases[i].expected);
        draft_destroy(draft);
    }
}

static void prompt_that_changes_leaves_nothing_of_the_old_one(void **state)
{
    /* prompts one after the other, and what is proposed after each */
    static const struct {
        const char *prompt, *expected;
    } steps[] = {
        {"ab1..ab", "1.."},   {"ab2..ab", "2.."}, {"ab", ""},           {"..", ""},
        {"..cd3..cd", "3.."}, {"..cd3..ab", ""},  {"..cd3..cd", "3.."},
    };
    struct draft *draft = create();

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        sync(draft, steps[i].prompt);
        assert_proposal(draft, 3, steps[i].expected);
    }
    draft_destroy(draft);
}

static void completion_is_remembered_with_what_led_to_it(void **state)
{
    static const struct {
        const char *first, *completion, *second;
        const char *expected;
    } cases[] = {
        {"..ab", "123", "!!ab", "123"},
        {"..ab", "12", "!!ab", "12"},        /* up to its end */
        {"..ab", "", "!!ab", ""},            /* there was none */
        {"ab......cd", "123", "!!ab", ""},   /* the prompt itself is gone but for the lead */
        {"..ab", "123", "ab4..!!ab", "4.."}, /* of equal ones the prompt's own */
        {"x.ab", "123", "ab4..x.ab", "123"}, /* the longer one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct draft *draft = create();
        sync(draft, cases[i].first);
        observe(draft, cases[i].completion);
        sync(draft, cases[i].second);
        assert_proposal(draft, 3, cases[i].expected);
        draft_destroy(draft);
    }
}

static void completions_beyond_the_limit_are_forgotten(void **state)
{
    struct draft *draft = create();

    (void)state;
    sync(draft, "..ab");
    observe(draft, "123");
    for (int i = 0; i < DRAFT_RECENT_MAX / 4; i++) {
        sync(draft, "--");
        observe(draft, "zy");
    }
    sync(draft, "!!ab");
    assert_proposal(draft, 3, "");
    sync(draft, "--");
    assert_proposal(draft, 3, "zy");
    draft_destroy(draft);
}

static void success_lengthens_and_failure_pauses(void **state)
{
    /* what is proposed after "ab" each time, and what then really follows; limits are those of the header */
    static const struct {
        const char *expected, *follows;
    } steps[] = {
        {"123", "123ab"},    {"123", "123ab"}, /* right as a whole, twice: more next time, here over the repetition */
        {"123ab123", "1ab"},                   /* partly right: few again */
        {"1ab", "xab"},                        /* wrong once: no proposal is left out but one */
        {"", "xab"},         {"xab", "yab"},   {"", "1ab"},
        {"", "1ab"},         {"1ab", "1ab"},   {"1ab", "1ab1ab1ab"},
    };
    struct draft *draft = create();

    (void)state;
    sync(draft, "ab123ab");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_proposal(draft, DRAFT_MAX, steps[i].expected);
        observe(draft, steps[i].follows);
    }
    assert_proposal(draft, DRAFT_MAX, "1ab1ab1a");

    /* failures without end: at most DRAFT_PAUSE_MAX proposals are left out */
    int silent = 0, longest = 0;
    for (int i = 0; i < 400; i++) {
        int32_t tokens[DRAFT_MAX];
        silent = draft_propose(draft, DRAFT_MAX, tokens) > 0 ? 0 : silent + 1;
        longest = silent > longest ? silent : longest;
        draft_observe(draft, 1000 + i);
        observe(draft, "ab");
    }
    assert_int_equal(longest, DRAFT_PAUSE_MAX);

    draft_destroy(draft);
}

static void prompt_is_a_new_chance(void **state)
{
    /* what came of the proposal before the new prompt: all wrong, partly right, all right, nothing yet */
    static const char *const completions[] = {"x", "12x", "123", "1", ""};

    (void)state;
    for (size_t i = 0; i < sizeof completions / sizeof *completions; i++) {
        struct draft *draft = create();
        sync(draft, "ab123ab");
        assert_proposal(draft, DRAFT_MAX, "123");
        observe(draft, completions[i]);

        sync(draft, "cd456cd");
        for (int streak = 0; streak < DRAFT_STREAK; streak++) {
            assert_proposal(draft, DRAFT_MAX, "456");
            observe(draft, "456cd");
        }
        assert_proposal(draft, DRAFT_MAX, "456cd456");
        observe(draft, "456cd456");
        sync(draft, "ef789ef");
        assert_proposal(draft, DRAFT_MAX, "789");
        draft_destroy(draft);
    }
}

/* The naive search in the last CONTEXT tokens of a history: where the best match ends, or -1. */
static int search_all(const int32_t *history, int count)
{
    const int first = count > CONTEXT ? count - CONTEXT : 0;
    int best = DRAFT_MATCH_MIN - 1, found = -1;

    for (int at = count - 2; at >= first; at--) {
        int length = 0;
        while (length < DRAFT_MATCH_MAX && at - length >= first &&
               history[at - length] == history[count - 1 - length])
            length++;
        if (length > best) {
            best = length;
            found = at;
        }
    }
    return found;
}

static void proposals_of_a_sequence_that_outgrows_the_ring_are_those_of_a_full_search(void **state)
{
    enum { TOKENS = 4000, ALPHABET = 5 };
    int32_t history[TOKENS];
    struct draft *draft = create();
    uint32_t seed = 1;
    int proposals = 0;

    (void)state;
    history[0] = 0;
    draft_sync(draft, history, 1);
    for (int count = 1; count < TOKENS; count++) {
        int32_t tokens[DRAFT_MAX];
        if (draft_propose(draft, 1, tokens) > 0) {
            proposals++;
            assert_int_equal(tokens[0], history[search_all(history, count) + 1]);
        }
        seed = seed * 1664525 + 1013904223;
        history[count] = (int32_t)((seed >> 16) % ALPHABET);
        draft_observe(draft, history[count]);
    }
    assert_true(proposals > TOKENS / 20);
    draft_sync(draft, history, 2);
    assert_int_equal(draft_propose(draft, 1, history), 1);
    draft_destroy(draft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proposal_follows_the_longest_match),
        cmocka_unit_test(prompt_that_changes_leaves_nothing_of_the_old_one),
        cmocka_unit_test(completion_is_remembered_with_what_led_to_it),
        cmocka_unit_test(completions_beyond_the_limit_are_forgotten),
        cmocka_unit_test(success_lengthens_and_failure_pauses),
        cmocka_unit_test(prompt_is_a_new_chance),
        cmocka_unit_test(proposals_of_a_sequence_that_outgrows_the_ring_are_those_of_a_full_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
