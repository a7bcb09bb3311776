/* Two engines on one checkpoint take turns problem by problem: whatever else the machine does falls on both alike. */
#include "infer/fill_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "infer/median.h"

enum { RUNS_MAX = 100 };

/* One pass over all problems. */
struct round {
    struct engine *plain, *drafting;
    const char *path;
    struct fill_bench sums;
    struct error *error;
};

static bool solve(struct engine *engine, const json_t *problem, struct engine_result *result,
                  struct error *error)
{
    const json_t *prefix = json_object_get(problem, "prefix");
    const json_t *suffix = json_object_get(problem, "suffix");
    const struct engine_request request = {
        .fill = true,
        .prefix = json_string_value(prefix),
        .prefix_bytes = json_string_length(prefix),
        .suffix = json_string_value(suffix),
        .suffix_bytes = json_string_length(suffix),
        .max_tokens = FILL_BENCH_TOKENS,
        .top_p = 1.0f,
    };

    return engine_complete(engine, &request, result, error);
}

static bool take_problem(struct round *round, const json_t *problem)
{
    struct engine_result plain, drafted;

    if (!solve(round->plain, problem, &plain, round->error))
        return false;
    if (!solve(round->drafting, problem, &drafted, round->error)) {
        engine_result_finish(&plain);
        return false;
    }
    round->sums.problems++;
    round->sums.same +=
        plain.bytes == drafted.bytes && memcmp(plain.text, drafted.text, plain.bytes) == 0;
    round->sums.tokens += plain.completion_tokens;
    round->sums.drafted += drafted.drafted_tokens;
    round->sums.accepted += drafted.accepted_tokens;
    round->sums.plain_ms += plain.total_ms - plain.first_token_ms;
    round->sums.drafted_ms += drafted.total_ms - drafted.first_token_ms;
    engine_result_finish(&plain);
    engine_result_finish(&drafted);
    return true;
}

static bool take_line(struct round *round, const char *line, int number)
{
    json_t *problem = json_loads(line, 0, NULL);
    bool done = false;

    if (!json_is_string(json_object_get(problem, "prefix")) ||
        !json_is_string(json_object_get(problem, "suffix")))
        error_set(round->error, ERROR_INPUT, "%s: line %d: no JSON object with prefix and suffix",
                  round->path, number);
    else
        done = take_problem(round, problem);
    json_decref(problem);
    return done;
}

static bool take_file(struct round *round)
{
    FILE *file = fopen(round->path, "r");
    char *line = NULL;
    size_t capacity = 0;
    int number = 0;
    bool done = true;

    if (!file)
        return error_set(round->error, ERROR_INPUT, "%s: cannot be read: %m", round->path);
    while (done && getline(&line, &capacity, file) > 0)
        done = take_line(round, line, ++number);
    if (done && number == 0)
        done = error_set(round->error, ERROR_INPUT, "%s: holds no problems", round->path);
    free(line);
    fclose(file);
    return done;
}

bool fill_bench_run(struct fill_bench *result, const struct engine_options *options,
                    const char *path, int runs, struct error *error)
{
    struct engine_options plain_options = *options;
    double plain_ms[RUNS_MAX], drafted_ms[RUNS_MAX];
    struct round round = {.path = path, .error = error};
    bool done = false;

    runs = runs < RUNS_MAX ? runs : RUNS_MAX;
    plain_options.draft_tokens = -1;
    plain_options.draft_model = NULL;
    round.plain = engine_open(&plain_options, error);
    round.drafting = round.plain ? engine_open(options, error) : NULL;
    if (!round.drafting)
        goto done;
    for (int run = 0; run < runs; run++) {
        round.sums = (struct fill_bench){0};
        if (!take_file(&round))
            goto done;
        plain_ms[run] = round.sums.plain_ms;
        drafted_ms[run] = round.sums.drafted_ms;
    }
    *result = round.sums;
    result->plain_ms = median(plain_ms, runs);
    result->drafted_ms = median(drafted_ms, runs);
    done = true;

done:
    engine_close(round.drafting);
    engine_close(round.plain);
    return done;
}
