/* A text is judged by its first line, since the gap is the rest of one. */
#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#undef NDEBUG /* outside a test there is nothing better to do than to stop */
#include <assert.h>

enum { LINE_BYTES = 64 * 1024 };

static bool is_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

int measure_find_place(const char *middle, enum measure_place place)
{
    int bytes = (int)strlen(middle);

    if (place == MEASURE_SET)
        return 0;
    for (int at = 1; at < bytes; at++) {
        int letters = 0;
        while (is_word(middle[at + letters]))
            letters++;
        bool starts = letters > 0 && !is_word(middle[at - 1]);
        if (place == MEASURE_WORD && starts && letters >= 4)
            return at + letters / 2;
        if (place == MEASURE_SPACE && starts && middle[at - 1] == ' ')
            return at;
        if (place == MEASURE_MARK && starts && strchr("(.[>,", middle[at - 1]))
            return at;
    }
    return -1;
}

void measure_gaps(int limit, void (*on_gap)(void *user, int number, const struct gap *gap),
                  void *user)
{
    FILE *file = fopen("tests/fixtures/eval/fim_single_line.jsonl", "r");
    char *line = malloc(LINE_BYTES);

    assert(file && line);
    for (int i = 0; i < limit && fgets(line, LINE_BYTES, file); i++) {
        json_t *json = json_loads(line, 0, NULL);
        const char *name = json_string_value(json_object_get(json, "language"));
        const struct gap gap = {
            .language = language_find(!strcmp(name, "py")   ? "python"
                                      : !strcmp(name, "js") ? "javascript"
                                                            : "c",
                                      NULL),
            .prefix = json_string_value(json_object_get(json, "prefix")),
            .middle = json_string_value(json_object_get(json, "middle")),
            .suffix = json_string_value(json_object_get(json, "suffix")),
        };
        on_gap(user, i, &gap);
        json_decref(json);
    }
    free(line);
    fclose(file);
}

char *measure_document(const struct gap *gap, int typed, size_t *cursor)
{
    char *text = NULL;
    const int bytes = asprintf(&text, "%s%.*s%s", gap->prefix, typed, gap->middle, gap->suffix);

    assert(bytes >= 0);
    *cursor = strlen(gap->prefix) + (size_t)typed;
    return text;
}

static size_t count_errors(const struct language *language, const char *text)
{
    struct syntax *syntax = syntax_create(language);
    const bool parsed = syntax && syntax_parse(syntax, text, strlen(text));
    const size_t errors = syntax_error_count(syntax, text, strlen(text));

    assert(parsed);
    syntax_destroy(syntax);
    return errors;
}

static bool is_sound(const struct gap *gap, int typed, const char *shown, size_t replaced)
{
    size_t cursor;
    char *before = measure_document(gap, typed, &cursor), *after = NULL;
    const int bytes =
        asprintf(&after, "%.*s%s%s", (int)cursor, before, shown, before + cursor + replaced);
    const bool sound =
        bytes >= 0 && count_errors(gap->language, after) <= count_errors(gap->language, before);

    free(before);
    free(after);
    return sound;
}

size_t measure_first_line(const char *text)
{
    size_t bytes = strcspn(text, "\n");

    while (bytes > 0 && text[bytes - 1] == ' ')
        bytes--;
    return bytes;
}

/* Whether the first line is what the gap goes on with. */
static bool note(const struct way *way, const struct gap *gap, const struct candidates *candidates,
                 int typed)
{
    const size_t bytes = candidates->count ? measure_first_line(candidates->texts[0]) : 0;
    const bool is_right = bytes > 0 && !strncmp(candidates->texts[0], gap->middle + typed, bytes);

    if (way->note && bytes > 0)
        way->note(way->user, gap, candidates, is_right);
    return is_right;
}

void measure_score(const struct way *way, const struct gap *gap, int typed, struct score *score)
{
    struct candidates candidates;

    way->complete(way->user, gap, typed, &candidates);
    const char *rest = gap->middle + typed;
    const char *shown = candidates.count ? candidates.texts[0] : "";
    const size_t bytes = measure_first_line(shown);
    score->asked++;
    score->shown += *shown != '\0';
    score->exact += bytes == strlen(rest) && !strncmp(shown, rest, bytes);
    score->right += note(way, gap, &candidates, typed);
    score->sound +=
        *shown != '\0' && is_sound(gap, typed, shown, candidates.facts[0].replaced_bytes);
    candidates_finish(&candidates);
}

void measure_typing(const struct way *way, const struct gap *gap, struct typing *typing)
{
    const int bytes = (int)strlen(gap->middle);

    typing->characters += bytes;
    for (int typed = 0; typed < bytes; typing->keystrokes++) {
        struct candidates candidates;
        way->complete(way->user, gap, typed, &candidates);
        const char *shown = candidates.count ? candidates.texts[0] : "";
        const size_t size = strlen(shown);
        const bool accepts = size > 0 && !strncmp(shown, gap->middle + typed, size);
        note(way, gap, &candidates, typed);
        typing->shown += size > 0;
        typing->accepted += accepts;
        typing->prompt_tokens += candidates.prompt_tokens;
        typing->reused_tokens += candidates.reused_tokens;
        typing->completion_tokens += candidates.completion_tokens;
        typed += accepts ? (int)size : 1;
        candidates_finish(&candidates);
    }
}

double measure_percent(long part, long whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

void measure_print_score(const char *name, const struct score *score)
{
    printf("| %s | %d | %d | %d | %d | %d |\n", name, score->asked, score->shown, score->exact,
           score->right, score->sound);
}

void measure_print_typing(const char *name, const struct typing *typing)
{
    printf("| %s | %d | %d | %.1f %% | %d | %d (%.1f %%) | %.1f %% | %ld |\n", name,
           typing->characters, typing->keystrokes,
           measure_percent(typing->characters - typing->keystrokes, typing->characters),
           typing->shown, typing->accepted, measure_percent(typing->accepted, typing->shown),
           measure_percent(typing->reused_tokens, typing->prompt_tokens),
           typing->completion_tokens);
}
