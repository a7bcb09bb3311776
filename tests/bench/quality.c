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

#include <jansson.h>

#include "lsp/candidates.h"

#undef NDEBUG /* outside a test there is nothing better to do than to stop */
#include <assert.h>

enum {
    LINE_BYTES = 64 * 1024,
    MAX_TOKENS = 64,
    POINTS_MAX = 8192,
    FIT_STEPS = 30,
    FEATURES = 3, /* 1, logarithm of the confidence, logarithm of the first line's length */
    BINS = 8,
};

enum place { PLACE_SET, PLACE_WORD, PLACE_SPACE, PLACE_MARK, PLACES };

static const char *const place_names[] = {"as cut", "in a word", "after a space", "after a mark"};

struct problem {
    int number;
    const struct language *language;
    const char *prefix, *middle, *suffix;
};

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

struct score {
    int asked, shown, exact, right, sound;
};

struct typing {
    int characters, keystrokes, shown, accepted;
    long prompt_tokens, reused_tokens, completion_tokens;
};

static bool is_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/* Offset in the middle of the first place of a kind; -1 where there is none. */
static int find_place(const char *middle, enum place place)
{
    int bytes = (int)strlen(middle);

    if (place == PLACE_SET)
        return 0;
    for (int at = 1; at < bytes; at++) {
        int letters = 0;
        while (is_word(middle[at + letters]))
            letters++;
        bool starts = letters > 0 && !is_word(middle[at - 1]);
        if (place == PLACE_WORD && starts && letters >= 4)
            return at + letters / 2;
        if (place == PLACE_SPACE && starts && middle[at - 1] == ' ')
            return at;
        if (place == PLACE_MARK && starts && strchr("(.[>,", middle[at - 1]))
            return at;
    }
    return -1;
}

/* The document with the cursor at that place of its middle; the caller frees it. */
static char *make_document(const struct problem *problem, int typed, size_t *cursor)
{
    char *text = NULL;
    int bytes =
        asprintf(&text, "%s%.*s%s", problem->prefix, typed, problem->middle, problem->suffix);

    assert(bytes >= 0);
    *cursor = strlen(problem->prefix) + (size_t)typed;
    return text;
}

static size_t count_errors(const struct language *language, const char *text)
{
    struct syntax *syntax = syntax_create(language);
    bool parsed = syntax && syntax_parse(syntax, text, strlen(text));
    size_t errors = syntax_error_count(syntax);

    assert(parsed);
    syntax_destroy(syntax);
    return errors;
}

/* Whether accepting leaves no more errors than there were. */
static bool is_sound(const struct problem *problem, int typed, const char *shown)
{
    size_t cursor;
    char *before = make_document(problem, typed, &cursor), *after = NULL;
    int bytes = asprintf(&after, "%.*s%s%s", (int)cursor, before, shown, before + cursor);
    bool sound = bytes >= 0 &&
                 count_errors(problem->language, after) <= count_errors(problem->language, before);

    free(before);
    free(after);
    return sound;
}

/* The first candidate at that place; the caller finishes them. */
static void complete(struct engine *engine, const struct problem *problem, int typed,
                     struct candidates *candidates)
{
    const struct candidates_request request = {.wanted = 1, .max_tokens = MAX_TOKENS};
    struct error error = {0};
    struct context context;
    struct syntax *syntax = syntax_create(problem->language);
    size_t cursor;
    char *text = make_document(problem, typed, &cursor);
    bool done = syntax && syntax_parse(syntax, text, strlen(text)) &&
                context_init(&context, problem->language, syntax, text, strlen(text), cursor) &&
                candidates_generate(candidates, engine, &context, &request, &error);

    if (!done)
        fprintf(stderr, "%s\n", error.text);
    assert(done);
    if (candidates->count > 0 && candidates->facts[0].probability < min_probability)
        *candidates->texts[0] = '\0';
    context_finish(&context);
    syntax_destroy(syntax);
    free(text);
}

static size_t first_line_bytes(const char *text)
{
    size_t bytes = strcspn(text, "\n");

    while (bytes > 0 && text[bytes - 1] == ' ')
        bytes--;
    return bytes;
}

/* Notes a text that was shown where the line goes on with `rest`; whether its first line is right. */
static bool note_point(const struct problem *problem, const struct candidates *candidates,
                       const char *rest)
{
    size_t bytes = candidates->count ? first_line_bytes(candidates->texts[0]) : 0;
    bool is_right = bytes > 0 && !strncmp(candidates->texts[0], rest, bytes);

    if (bytes == 0 || point_count == POINTS_MAX)
        return is_right;
    points[point_count++] = (struct point){
        .features = {1.0, log((double)candidates->facts[0].confidence), log((double)bytes)},
        .probability = (double)candidates->facts[0].probability,
        .is_right = is_right,
        .is_fitted = problem->number % 2 == 0,
    };
    return is_right;
}

static void score_place(struct engine *engine, const struct problem *problem, enum place place,
                        struct score *score)
{
    int typed = find_place(problem->middle, place);
    struct candidates candidates;

    if (typed < 0)
        return;
    complete(engine, problem, typed, &candidates);
    const char *rest = problem->middle + typed;
    const char *shown = candidates.count ? candidates.texts[0] : "";
    size_t bytes = first_line_bytes(shown);
    score->asked++;
    score->shown += *shown != '\0';
    score->exact += bytes == strlen(rest) && !strncmp(shown, rest, bytes);
    score->right += note_point(problem, &candidates, rest);
    score->sound += *shown != '\0' && is_sound(problem, typed, shown);
    candidates_finish(&candidates);
}

/* Types the middle of a problem. */
static void type_line(struct engine *engine, const struct problem *problem, struct typing *typing)
{
    int bytes = (int)strlen(problem->middle);

    typing->characters += bytes;
    for (int typed = 0; typed < bytes; typing->keystrokes++) {
        struct candidates candidates;
        complete(engine, problem, typed, &candidates);
        const char *shown = candidates.count ? candidates.texts[0] : "";
        size_t size = strlen(shown);
        bool accepts = size > 0 && !strncmp(shown, problem->middle + typed, size);
        note_point(problem, &candidates, problem->middle + typed);
        typing->shown += size > 0;
        typing->accepted += accepts;
        typing->prompt_tokens += candidates.prompt_tokens;
        typing->reused_tokens += candidates.reused_tokens;
        typing->completion_tokens += candidates.completion_tokens;
        typed += accepts ? (int)size : 1;
        candidates_finish(&candidates);
    }
}

static double percent(long part, long whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void print_figures(const struct score *scores, const struct typing *typing)
{
    printf("| cursor | asked | shown | exact | right as far as shown | sound of those shown |\n");
    printf("|-|-|-|-|-|-|\n");
    for (int place = 0; place < PLACES; place++) {
        const struct score *score = &scores[place];
        printf("| %s | %d | %d | %d | %d | %d |\n", place_names[place], score->asked, score->shown,
               score->exact, score->right, score->sound);
    }
    printf("\ntyped: %d characters, %d keystrokes, %.1f %% saved; shown %d, accepted %d (%.1f %%); "
           "prompt tokens reused %.1f %%, %ld tokens written\n",
           typing->characters, typing->keystrokes,
           percent(typing->characters - typing->keystrokes, typing->characters), typing->shown,
           typing->accepted, percent(typing->accepted, typing->shown),
           percent(typing->reused_tokens, typing->prompt_tokens), typing->completion_tokens);
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
                   shown, 100.0 * sum / shown, percent(right, shown));
    }
}

int main(int argc, char **argv)
{
    int limit = argc > 2 ? atoi(argv[2]) : 1000;
    struct error error = {0};
    struct engine *engine =
        engine_open(&(struct engine_options){.model = "infer/default_model"}, &error);
    FILE *file = fopen("tests/fixtures/eval/fim_single_line.jsonl", "r");
    char *line = malloc(LINE_BYTES);
    struct score scores[PLACES] = {{0}};
    struct typing typing = {0};

    min_probability = argc > 1 ? strtof(argv[1], NULL) : 0.0f;
    assert(engine && file && line);
    for (int i = 0; i < limit && fgets(line, LINE_BYTES, file); i++) {
        json_t *json = json_loads(line, 0, NULL);
        const char *name = json_string_value(json_object_get(json, "language"));
        struct problem problem = {
            .number = i,
            .language = language_find(!strcmp(name, "py")   ? "python"
                                      : !strcmp(name, "js") ? "javascript"
                                                            : "c",
                                      NULL),
            .prefix = json_string_value(json_object_get(json, "prefix")),
            .middle = json_string_value(json_object_get(json, "middle")),
            .suffix = json_string_value(json_object_get(json, "suffix")),
        };
        for (enum place place = 0; place < PLACES; place++)
            score_place(engine, &problem, place, &scores[place]);
        type_line(engine, &problem, &typing);
        json_decref(json);
    }
    print_figures(scores, &typing);
    print_calibration();
    free(line);
    fclose(file);
    engine_close(engine);
    return 0;
}
