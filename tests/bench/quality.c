/* How good completions are, on the texts of tests/fixtures/eval: the figures of lsp/QUALITY.md.
 *
 *     quality [MIN_PROBABILITY [PROBLEMS]]
 *
 * Every problem has a line that was cut out of a file no training saw. Its end is completed from four kinds of places: where
 * the set cut it, within a word, behind a space and behind a mark. Then the line is typed: whoever types accepts what is
 * shown as soon as the line really goes on like that, with one keystroke, and types a character otherwise.
 *
 * The probabilities of candidates come from a logistic function of two numbers. It is fitted here to every second problem
 * (Newton's method), and what is shown is compared with what turns out right on the others. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/measure.h"

#undef NDEBUG /* outside a test there is nothing better to do than to stop */
#include <assert.h>

enum {
    MAX_TOKENS = 64,
    POINTS_MAX = 8192,
    FIT_STEPS = 30,
    FEATURES = 3, /* 1, logarithm of the confidence, logarithm of the first line's length */
    BINS = 8,
};

static const char *const place_names[] = {"as cut", "in a word", "after a space", "after a mark"};

/* One text that was shown. */
struct point {
    double features[FEATURES];
    double probability;
    bool is_right;  /* the line begins like the text's first line */
    bool is_fitted; /* else it is predicted */
};

static struct point points[POINTS_MAX];
static int point_count;
static float min_probability;

struct quality {
    struct engine *engine;
    int number; /* of the problem in hand */
    struct score scores[MEASURE_PLACES];
    struct typing typing;
};

/* The first candidate at that place. */
static void complete(void *user, const struct gap *gap, int typed, struct candidates *candidates)
{
    const struct quality *quality = user;
    const struct candidates_request request = {.wanted = 1, .max_tokens = MAX_TOKENS};
    struct error error = {0};
    struct context context;
    struct syntax *syntax = syntax_create(gap->language);
    size_t cursor;
    char *text = measure_document(gap, typed, &cursor);
    bool done = syntax && syntax_parse(syntax, text, strlen(text)) &&
                context_init(&context, gap->language, syntax, text, strlen(text), cursor) &&
                candidates_generate(candidates, quality->engine, &context, &request, &error);

    if (!done)
        fprintf(stderr, "%s\n", error.text);
    assert(done);
    if (candidates->count > 0 && candidates->facts[0].probability < min_probability)
        *candidates->texts[0] = '\0';
    context_finish(&context);
    syntax_destroy(syntax);
    free(text);
}

/* Notes a text that was shown. */
static void note_point(void *user, const struct gap *gap, const struct candidates *candidates,
                       bool is_right)
{
    const struct quality *quality = user;
    const double bytes = (double)measure_first_line(candidates->texts[0]);

    (void)gap;
    if (point_count == POINTS_MAX)
        return;
    points[point_count++] = (struct point){
        .features = {1.0, log((double)candidates->facts[0].confidence), log(bytes)},
        .probability = (double)candidates->facts[0].probability,
        .is_right = is_right,
        .is_fitted = quality->number % 2 == 0,
    };
}

static void print_figures(const struct score *scores, const struct typing *typing)
{
    printf("| cursor | asked | shown | exact | right as far as shown | sound of those shown |\n");
    printf("|-|-|-|-|-|-|\n");
    for (int place = 0; place < MEASURE_PLACES; place++)
        measure_print_score(place_names[place], &scores[place]);
    printf("\n| | characters | keystrokes | saved | shown | accepted | prompt tokens reused | "
           "tokens written |\n");
    printf("|-|-|-|-|-|-|-|-|\n");
    measure_print_typing("typed", typing);
}

/* Solves a symmetric system of FEATURES equations by elimination; `right` becomes the solution. */
static void solve(double matrix[FEATURES][FEATURES], double right[FEATURES])
{
    for (int i = 0; i < FEATURES; i++) {
        for (int row = 0; row < FEATURES; row++) {
            double factor = matrix[row][i] / matrix[i][i];
            for (int column = i; row != i && column < FEATURES; column++)
                matrix[row][column] -= factor * matrix[i][column];
            right[row] -= row != i ? factor * right[i] : 0.0;
        }
    }
    for (int i = 0; i < FEATURES; i++)
        right[i] /= matrix[i][i];
}

/* One step of Newton's method for logistic regression on the points to be fitted. */
static void fit_step(double weights[FEATURES])
{
    double matrix[FEATURES][FEATURES] = {{0}}, right[FEATURES] = {0};

    for (int i = 0; i < point_count; i++) {
        const double *features = points[i].features;
        double sum = 0.0;
        for (int j = 0; j < FEATURES; j++)
            sum += weights[j] * features[j];
        double chance = 1.0 / (1.0 + exp(-sum));
        for (int j = 0; j < FEATURES && points[i].is_fitted; j++) {
            right[j] += (points[i].is_right - chance) * features[j];
            for (int k = 0; k < FEATURES; k++)
                matrix[j][k] += chance * (1.0 - chance) * features[j] * features[k];
        }
    }
    solve(matrix, right);
    for (int j = 0; j < FEATURES; j++)
        weights[j] += right[j];
}

static void print_calibration(void)
{
    static const double bounds[BINS + 1] = {0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0};
    double weights[FEATURES] = {0};

    for (int i = 0; i < FIT_STEPS; i++)
        fit_step(weights);
    printf("\nfitted to the even problems: %.2f + %.2f log(confidence) + %.2f log(bytes)\n\n",
           weights[0], weights[1], weights[2]);
    printf("| predicted for the odd problems | shown | mean prediction | right |\n|-|-|-|-|\n");
    for (int bin = 0; bin < BINS; bin++) {
        int shown = 0, right = 0;
        double sum = 0.0;
        for (int i = 0; i < point_count; i++) {
            const struct point *point = &points[i];
            if (point->is_fitted || point->probability < bounds[bin] ||
                point->probability >= bounds[bin + 1])
                continue;
            shown++;
            right += point->is_right;
            sum += point->probability;
        }
        if (shown > 0)
            printf("| %.2f to %.2f | %d | %.1f %% | %.1f %% |\n", bounds[bin], bounds[bin + 1],
                   shown, 100.0 * sum / shown, measure_percent(right, shown));
    }
}

/* The problem in hand. */
static void on_gap(void *user, int number, const struct gap *gap)
{
    struct quality *quality = user;
    const struct way way = {complete, note_point, quality};

    quality->number = number;
    for (enum measure_place place = 0; place < MEASURE_PLACES; place++) {
        const int typed = measure_find_place(gap->middle, place);
        if (typed >= 0)
            measure_score(&way, gap, typed, &quality->scores[place]);
    }
    measure_typing(&way, gap, &quality->typing);
}

int main(int argc, char **argv)
{
    struct error error = {0};
    struct quality quality = {
        .engine = engine_open(&(struct engine_options){.model = "infer/default_model"}, &error)};

    min_probability = argc > 1 ? strtof(argv[1], NULL) : 0.0f;
    assert(quality.engine);
    measure_gaps(argc > 2 ? atoi(argv[2]) : MEASURE_GAPS, on_gap, &quality);
    print_figures(quality.scores, &quality.typing);
    print_calibration();
    engine_close(quality.engine);
    return 0;
}
