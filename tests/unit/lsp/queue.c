/* queue: in which order jobs run, which interrupt and which give way. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/queue.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { JOBS = 'z' - 'a' + 1 };

/* A job is a letter, and a script says what happens to it:
 *   cX hX wX pX  a completion, hover, writing or prefetch X is added
 *   dX           X is dropped
 *   +X           X is promoted
 *   .            the running job ends, cancelled if it was told to; another one is taken
 *   !            the running job ends as if it had not noticed; another one is taken
 *   ?            the running job is interrupted */
struct queue_case {
    const char *script;
    const char *
        outcome; /* taken in capitals, done with in small letters, "-" where it gave way; in order */
};

static const struct queue_case cases[] = {
    {".", ""},
    {"ca . .", "Aa"},
    /* by class, then in order */
    {"pa wb wc hd ce . . . . . .", "EeDdBbCcAa"},
    /* of completions, one runs and one waits: the last */
    {"ca . cb cc cd . .", "Ab-c-aDd"},
    /* a completion does not interrupt another */
    {"ca . cb ! .", "AaBb"},
    /* what is more urgent interrupts; hovers and writings begin again before others of their class */
    {"wa wb . cc . . . .", "ACcAaBb"},
    {"wa . hb . cc . . . .", "ABCcBbAa"},
    /* unless they had finished already */
    {"wa . cb ! .", "AaBb"},
    /* or are not wanted any more */
    {"wa . cb da . .", "Aa-Bb"},
    {"wa . cb . da . .", "ABbAa-"},
    /* what is written in advance gives way for good */
    {"pa . hb . .", "Aa-Bb"},
    {"pa . pb . .", "AaBb"},
    /* what is less urgent waits */
    {"ha . wb . .", "AaBb"},
    /* promoted, it is a completion: it displaces, interrupts, and is not interrupted */
    {"pa . +a hb . .", "AaBb"},
    {"pa wb . +a . . .", "BAaBb"},
    {"pa cb +a . .", "b-Aa"},
    {"ca +a . .", "Aa"},
    /* what is dropped while it waits is done with at the next occasion */
    {"wa . hb hc hd dc we . . . . .", "Ac-BbDdAaEe"},
    /* interrupted by the worker itself */
    {"wa . ? . .", "AAa"},
    {"ca . ? . .", "Aa-"},
    {"pa . ? .", "Aa-"},
};

struct play {
    struct queue queue;
    struct worker_job jobs[JOBS];
    char outcome[128];
};

static void play_say(struct play *play, const struct worker_job *job, char first)
{
    char word[2] = {(char)(first + (job - play->jobs)), '\0'};
    strncat(play->outcome, word, sizeof play->outcome - strlen(play->outcome) - 1);
}

/* The list of those done with; a job leaves with its error. */
static void play_done(struct play *play, struct worker_job *jobs)
{
    for (; jobs; jobs = jobs->next) {
        play_say(play, jobs, 'a');
        if (jobs->error.code == ERROR_CANCELLED)
            strcat(play->outcome, "-");
    }
}

static void play_end(struct play *play, bool notices)
{
    struct worker_job *running = play->queue.running;
    if (running && notices && atomic_load(&running->is_cancelled))
        error_set(&running->error, ERROR_CANCELLED, "told to");
    if (running && !queue_end(&play->queue)) {
        running->next = NULL;
        play_done(play, running);
    }
    running = queue_take(&play->queue);
    if (running)
        play_say(play, running, 'A');
}

static void play_step(struct play *play, const char *word)
{
    static const char classes[] = "chwp";
    const char *class = strchr(classes, word[0]);
    struct worker_job *job = &play->jobs[word[1] ? word[1] - 'a' : 0];
    if (class) {
        job->class = (enum worker_class)(class - classes);
        play_done(play, queue_add(&play->queue, job));
    } else if (word[0] == 'd') {
        worker_drop(job);
    } else if (word[0] == '+') {
        play_done(play, queue_promote(&play->queue, job));
    } else if (word[0] == '?') {
        queue_interrupt(&play->queue);
    } else {
        play_end(play, word[0] == '.');
    }
}

static void jobs_run_by_class_and_give_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct play *play = calloc(1, sizeof *play);
        char script[128];
        snprintf(script, sizeof script, "%s", cases[i].script);
        char *rest = script;
        for (char *word; (word = strsep(&rest, " "));)
            play_step(play, word);
        if (strcmp(play->outcome, cases[i].outcome) != 0 || play->queue.running ||
            queue_has(&play->queue))
            fail_msg("%s: %s, not %s", cases[i].script, play->outcome, cases[i].outcome);
        free(play);
    }
}

static void job_after_the_last_is_refused(void **state)
{
    struct worker_job jobs[WORKER_JOBS_MAX + 2] = {0};
    struct queue queue = {0};

    (void)state;
    for (int i = 0; i < WORKER_JOBS_MAX + 2; i++)
        jobs[i].class = WORKER_WRITING;
    for (int i = 0; i < WORKER_JOBS_MAX; i++)
        assert_null(queue_add(&queue, &jobs[i]));
    assert_ptr_equal(queue_add(&queue, &jobs[WORKER_JOBS_MAX]), &jobs[WORKER_JOBS_MAX]);
    assert_int_equal(jobs[WORKER_JOBS_MAX].error.code, ERROR_LIMIT);

    /* a dropped one makes room, and a completion has a place of its own */
    worker_drop(&jobs[3]);
    assert_ptr_equal(queue_add(&queue, &jobs[WORKER_JOBS_MAX + 1]), &jobs[3]);
    assert_int_equal(jobs[3].error.code, ERROR_CANCELLED);
    struct worker_job completion = {.class = WORKER_COMPLETION};
    assert_null(queue_add(&queue, &completion));
}

static void clearing_gives_all_back_with_the_reason(void **state)
{
    struct worker_job completion = {.class = WORKER_COMPLETION};
    struct worker_job hover = {.class = WORKER_HOVER};
    struct queue queue = {0};
    struct error why = {0};

    (void)state;
    error_set(&why, ERROR_SYSTEM, "gone");
    assert_null(queue_clear(&queue, &why));
    queue_add(&queue, &hover);
    queue_add(&queue, &completion);
    assert_ptr_equal(queue_clear(&queue, &why), &completion);
    assert_ptr_equal(completion.next, &hover);
    assert_null(hover.next);
    assert_string_equal(hover.error.text, "gone");
    assert_false(queue_has(&queue));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_by_class_and_give_way),
        cmocka_unit_test(job_after_the_last_is_refused),
        cmocka_unit_test(clearing_gives_all_back_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
