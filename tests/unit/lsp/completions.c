/* Completions, case by case and language by language: what a model writes at a cursor, what is shown of it and what it replaces.
 *
 * tests/completions has a file for each language; README.md there explains the form. Whatever a case expects, accepting what is
 * shown must not make the parser see more errors, nor leave a closer without its opener. The scripted engine stands in the place
 * of the model. Linked with the real one, the program takes a checkpoint's folder: then the parser
 * judges whatever that model writes, and what the cases say it writes does not matter. */
#include "tests/support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/candidates.h"
#include "tests/support/marked.h"

enum { PART_BYTES = 4096, LINE_BYTES = 512, CASES_MIN = 150, MAX_TOKENS = 1000, REAL_TOKENS = 24 };

/* The real model's folder; NULL: the engine is scripted. */
static const char *real_model;

/* One case, read part by part. */
struct completion_case {
    char name[LINE_BYTES];
    char document[PART_BYTES]; /* with the mark */
    char selected[LINE_BYTES]; /* entry of the editor's own list; "" where none is */
    char written[PART_BYTES];
    char shown[PART_BYTES];
    char replaced[LINE_BYTES];
    bool is_cut; /* the model would have gone on */
};

/* Where the cases come from, and what has become of them. */
struct suite {
    const char *file;
    const struct language *language; /* NULL: plain text */
    struct engine *engine;
    int cases, shown, failures;
};

/* --- cases ------------------------------------------------------------------------------------------------------------ */

/* Adds a line to a part: lines but the first begin with a line end. */
static void add_line(char *part, bool *is_begun, const char *line)
{
    assert_true(strlen(part) + strlen(line) + 2 <= PART_BYTES);
    if (*is_begun)
        strcat(part, "\n");
    strcat(part, line);
    *is_begun = true;
}

/* A line's content: behind the sign and a space, up to a "¬" that keeps white space in sight. */
static char *line_content(char *line)
{
    char *end = strstr(line, "¬");

    line[strcspn(line, "\n")] = '\0';
    if (end)
        *end = '\0';
    return line[1] == ' ' ? line + 2 : line + 1;
}

/* Reads lines into a case until the next one begins; false at the file's end. `line` holds the line read ahead. */
static bool read_case(struct completion_case *given, FILE *file, char line[LINE_BYTES])
{
    bool in_document = false, in_written = false, in_shown = false;

    while (line[0] != '=') {
        if (!fgets(line, LINE_BYTES, file))
            return false;
    }
    *given = (struct completion_case){0};
    snprintf(given->name, sizeof given->name, "%s", line_content(line));
    while (fgets(line, LINE_BYTES, file) && line[0] != '=') {
        const char sign = line[0];
        const char *content = line_content(line);
        if (sign == '|')
            add_line(given->document, &in_document, content);
        else if (sign == '>' || sign == '^')
            add_line(given->written, &in_written, content);
        else if (sign == '<')
            add_line(given->shown, &in_shown, content);
        else if (sign == '@')
            snprintf(given->selected, sizeof given->selected, "%s", content);
        else if (sign == '~')
            snprintf(given->replaced, sizeof given->replaced, "%s", content);
        given->is_cut = given->is_cut || sign == '^';
    }
    strcat(given->document, "\n");
    if (!given->is_cut)
        strcat(given->written, "\n");
    if (feof(file))
        line[0] = '\0';
    return true;
}

/* --- running ---------------------------------------------------------------------------------------------------------- */

static bool is_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/* The document of a case, the selected entry in the place of the word before the cursor; the caller frees it. */
static char *make_document(const struct completion_case *given, size_t *bytes, size_t *cursor)
{
    char *text = marked_text(given->document, bytes, cursor), *joined;
    size_t start = *cursor;

    while (*given->selected && start > 0 && is_word(text[start - 1]))
        start--;
    int joined_bytes = asprintf(&joined, "%.*s%.*s%s", (int)start, text,
                                (int)(*given->selected ? strlen(given->selected) : *cursor - start),
                                *given->selected ? given->selected : text + start, text + *cursor);
    assert_true(joined_bytes >= 0);
    *cursor = *given->selected ? start + strlen(given->selected) : *cursor;
    *bytes = (size_t)joined_bytes;
    free(text);
    return joined;
}

/* As many tokens as the scripted engine makes of a text. */
static int count_tokens(const char *text)
{
    int tokens = 1;

    for (const char *at = text + 1; *at; at++)
        tokens += *at == ' ';
    return tokens;
}

static size_t count_errors(const struct language *language, const char *text, size_t bytes)
{
    struct syntax *syntax = language ? syntax_create(language) : NULL;

    if (syntax)
        assert_true(syntax_parse(syntax, text, bytes));
    size_t errors = syntax ? syntax_error_count(syntax, text, bytes) : 0;
    syntax_destroy(syntax);
    return errors;
}

/* Closing brackets that close nothing, of each kind for itself. */
static int count_stray_closers(const char *text)
{
    static const char openers[] = "([{", closers[] = ")]}";
    int stray = 0;

    for (int kind = 0; kind < 3; kind++) {
        int depth = 0;
        for (const char *at = text; *at; at++) {
            depth += (*at == openers[kind]) - (*at == closers[kind]);
            stray += depth < 0;
            depth = depth < 0 ? 0 : depth;
        }
    }
    return stray;
}

/* Whether a document is no worse once what is shown has been accepted. */
static bool is_sound(const struct suite *suite, const char *text, size_t bytes, size_t cursor,
                     const char *shown, size_t replaced_bytes)
{
    char *accepted;
    int accepted_bytes =
        asprintf(&accepted, "%.*s%s%s", (int)cursor, text, shown, text + cursor + replaced_bytes);

    assert_true(accepted_bytes >= 0);
    bool sound = count_errors(suite->language, accepted, (size_t)accepted_bytes) <=
                     count_errors(suite->language, text, bytes) &&
                 (real_model || count_stray_closers(accepted) <= count_stray_closers(text));
    free(accepted);
    return sound;
}

/* The candidates at a cursor; the caller finishes them. */
static void complete(const struct suite *suite, const struct completion_case *given,
                     const char *text, size_t bytes, size_t cursor, struct candidates *candidates)
{
    const struct candidates_request request = {
        .wanted = 1,
        .max_tokens = real_model      ? REAL_TOKENS
                      : given->is_cut ? count_tokens(given->written)
                                      : MAX_TOKENS,
    };
    struct syntax *syntax = suite->language ? syntax_create(suite->language) : NULL;
    struct context context;
    struct error error = {0};

    if (syntax)
        assert_true(syntax_parse(syntax, text, bytes));
    assert_true(context_init(&context, suite->language, syntax, text, bytes, cursor));
    setenv("HXQD_SCRIPTED_TEXT", given->written, 1);
    assert_true(candidates_generate(candidates, suite->engine, &context, &request, &error));
    context_finish(&context);
    syntax_destroy(syntax);
}

static void run_case(struct suite *suite, const struct completion_case *given)
{
    struct candidates candidates;
    size_t bytes, cursor;
    char *text = make_document(given, &bytes, &cursor);

    complete(suite, given, text, bytes, cursor, &candidates);
    const char *shown = candidates.count ? candidates.texts[0] : "";
    size_t replaced_bytes = candidates.count ? candidates.facts[0].replaced_bytes : 0;
    bool replaces = strlen(given->replaced) == replaced_bytes &&
                    !strncmp(given->replaced, text + cursor, replaced_bytes);
    bool sound = is_sound(suite, text, bytes, cursor, shown, replaced_bytes);
    suite->cases++;
    suite->shown += *shown != '\0';
    bool as_expected = real_model || (!strcmp(shown, given->shown) && replaces);
    if (!as_expected || !sound) {
        suite->failures++;
        print_error("%s: %s: \"%s\" is shown and replaces %zu bytes%s\n", suite->file, given->name,
                    shown, replaced_bytes, sound ? "" : "; that makes the text worse");
    }
    candidates_finish(&candidates);
    free(text);
}

static void run_file(struct suite *suite, const char *path)
{
    char line[LINE_BYTES] = "";
    struct completion_case given;
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    while (read_case(&given, file, line))
        run_case(suite, &given);
    fclose(file);
}

static void completions_are_shown_as_each_case_says(void **state)
{
    struct error error = {0};
    struct suite suite = {
        .engine = engine_open(&(struct engine_options){.model = real_model ? real_model : "tests"},
                              &error),
    };
    DIR *directory = opendir("tests/completions");
    const struct dirent *entry;

    (void)state;
    assert_non_null(suite.engine);
    assert_non_null(directory);
    while ((entry = readdir(directory))) {
        char path[LINE_BYTES], name[LINE_BYTES];
        const char *ending = strstr(entry->d_name, ".txt");
        if (!ending)
            continue;
        snprintf(path, sizeof path, "tests/completions/%s", entry->d_name);
        snprintf(name, sizeof name, "%.*s", (int)(ending - entry->d_name), entry->d_name);
        suite.file = path;
        suite.language = language_find(name, NULL);
        if (!suite.language && strcmp(name, "text"))
            fail_msg("%s: no such language", path);
        run_file(&suite, path);
    }
    print_message("%d cases, %d with something shown\n", suite.cases, suite.shown);
    assert_int_equal(suite.failures, 0);
    assert_true(suite.cases >= CASES_MIN);
    closedir(directory);
    engine_close(suite.engine);
}

int main(int argc, char **argv)
{
    real_model = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completions_are_shown_as_each_case_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
