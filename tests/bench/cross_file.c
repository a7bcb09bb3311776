/* What pieces of other files are worth to a model, on this repository's own sources: figures of lsp/QUALITY.md.
 *
 *     cross_file GAPS FILE...
 *
 * A gap is the rest of a line that calls a function of another file. It begins at the name of that function, or behind the
 * parenthesis, where the name is known and its signature would tell the rest. What is shown is chosen as the daemon does, by
 * an index of the workspace.
 *
 * The embedded model knows 768 tokens, fewer than the engine wants before it shows other files. So its window is declared
 * larger here, and the text around the cursor is cut so that prompts stay within what it knows. The same pieces are also put
 * before the file as if they were its own text: that tells what they say from the form in which they are said. And the very
 * lines that are asked for are shown as another file's: that tells whether the model uses what it is shown at all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "lsp/context/snippets.h"
#include "tests/bench/measure.h"
#include "tests/support/scratch.h"

#undef NDEBUG
#include <assert.h>

enum {
    GAPS_PER_FILE = 2,
    REST_BYTES_MIN = 8, /* shorter gaps say little */
    MAX_TOKENS = 32,
    BEFORE_BYTES = 1000, /* of the file with the cursor: about 450 tokens with what follows */
    AFTER_BYTES = 300,
    SHOWN_TOKENS = 220,
    PATH_BYTES = 4096,
};

static const char model_folder[] = "infer/default_model";

enum place { PLACE_NAME, PLACE_ARGUMENTS, PLACES };
enum showing { SHOW_NOTHING, SHOW_FILES, SHOW_TEXT, SHOW_ANSWER, SHOWINGS };

static const char *const place_names[] = {"at the name", "behind its parenthesis"};
static const char *const showing_names[] = {"nothing", "pieces, in repository form",
                                            "pieces, as text before the file",
                                            "the lines that are asked for"};

struct bench {
    struct engine *engine;
    uv_loop_t loop;
    struct workspace *workspace;
    char root[PATH_BYTES];
    int gaps;
    struct score scores[PLACES][SHOWINGS];
    struct typing typings[PLACES][SHOWINGS];
    int with_definition[PLACES]; /* gaps whose pieces hold the definition of what is called */
};

/* What one completion is made with. */
struct maker {
    struct bench *bench;
    const struct snippet_list *shown;
    enum showing showing;
};

/* A file's text; the caller frees it. */
static char *read_text(const char *path)
{
    size_t bytes;
    char *text = definitions_load(path, &bytes);

    assert(text);
    char *copy = strndup(text, bytes);
    free(text);
    return copy;
}

/* --- completing ------------------------------------------------------------------------------------------------------- */

/* The pieces as one text; the caller frees it. */
static char *join_pieces(const struct snippet_list *shown)
{
    char *joined = strdup("");

    for (size_t i = 0; i < shown->count; i++) {
        char *longer;
        const int bytes = asprintf(&longer, "%s%s\n", joined, shown->items[i].text);
        assert(bytes >= 0);
        free(joined);
        joined = longer;
    }
    return joined;
}

static void complete(void *user, const struct gap *gap, int typed, struct candidates *candidates)
{
    const struct maker *maker = user;
    const struct candidates_request request = {.wanted = 1, .max_tokens = MAX_TOKENS};
    char *pieces = maker->showing == SHOW_TEXT ? join_pieces(maker->shown) : strdup("");
    char *prefix = NULL;
    struct gap whole = *gap;
    struct error error = {0};
    struct context context;
    size_t cursor;

    assert(asprintf(&prefix, "%s%s", pieces, gap->prefix) >= 0);
    whole.prefix = prefix;
    char *text = measure_document(&whole, typed, &cursor);
    struct syntax *syntax = syntax_create(gap->language);
    assert(syntax && syntax_parse(syntax, text, strlen(text)));
    assert(context_init(&context, gap->language, syntax, text, strlen(text), cursor));
    if (maker->showing == SHOW_FILES || maker->showing == SHOW_ANSWER)
        assert(snippet_list_copy(&context.shown, maker->shown));
    if (!candidates_generate(candidates, maker->bench->engine, &context, &request, &error)) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
    context_finish(&context);
    syntax_destroy(syntax);
    free(text);
    free(prefix);
    free(pieces);
}

/* --- gaps ------------------------------------------------------------------------------------------------------------- */

/* A call in a text, of what another file defines. */
struct call {
    size_t start, arguments, end; /* of the name, behind the parenthesis, of the line */
};

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

/* Whether another file defines the name, and `path` does not. */
static bool is_foreign(const struct index *index, const char *path, const char *name, size_t bytes)
{
    enum { FOUND = 8 };
    const struct definition *found[FOUND];
    const size_t count = index_find(index, name, bytes, found, FOUND);

    for (size_t i = 0; i < count && i < FOUND; i++)
        if (!strcmp(found[i]->path, path))
            return false;
    return count > 0 && count <= FOUND;
}

/* The next call in an indented line at or behind `from`; false where there is none. */
static bool find_call(const struct index *index, const char *path, const char *text, size_t from,
                      struct call *call)
{
    for (const char *line = text + from; *line;
         line += strcspn(line, "\n"), line += *line == '\n') {
        const char *end = line + strcspn(line, "\n");
        if (strncmp(line, "    ", 4) != 0)
            continue;
        for (const char *at = line + 4; at < end; at++) {
            const char *stop = at;
            while (is_name_byte(*stop))
                stop++;
            if (*stop == '(' && stop > at && !is_name_byte(at[-1]) && end - stop > REST_BYTES_MIN &&
                is_foreign(index, path, at, (size_t)(stop - at))) {
                *call = (struct call){(size_t)(at - text), (size_t)(stop - text) + 1,
                                      (size_t)(end - text)};
                return true;
            }
            at = stop > at ? stop - 1 : at;
        }
    }
    return false;
}

/* Chooses what is shown at the beginning of the gap, as the daemon does for an open document. */
static void choose(struct bench *bench, const char *path, const struct gap *gap,
                   struct snippet_list *shown)
{
    struct documents *documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL);
    struct snippets *snippets = snippets_create();
    struct error error = {0};
    size_t cursor;
    char *uri = NULL, *text = measure_document(gap, 0, &cursor);

    assert(documents && snippets && asprintf(&uri, "file://%s", path) >= 0);
    struct document *document = documents_open(documents, uri, "c", 1, text, strlen(text), &error);
    assert(document && snippets_choose(snippets, documents, bench->workspace, document, cursor,
                                       SHOWN_TOKENS, shown));
    snippets_destroy(snippets);
    documents_destroy(documents);
    free(uri);
    free(text);
}

static bool shows(const struct snippet_list *shown, const char *name, size_t bytes)
{
    for (size_t i = 0; i < shown->count; i++)
        if (memmem(shown->items[i].text, shown->items[i].bytes, name, bytes))
            return true;
    return false;
}

/* A list of one piece, the text around the gap with what fills it. */
static void show_answer(struct snippet_list *shown, const struct gap *gap)
{
    enum { ANSWER_BYTES = 300 };
    const size_t bytes = strlen(gap->prefix);
    struct snippet *piece = &shown->items[0];
    const char *from = gap->prefix + (bytes > ANSWER_BYTES ? bytes - ANSWER_BYTES : 0);

    *shown = (struct snippet_list){.repository = strdup("hxqd"),
                                   .path = strdup("gap.c"),
                                   .count = 1,
                                   .budget_tokens = SHOWN_TOKENS};
    *piece = (struct snippet){.path = strdup("answer.c")};
    assert(shown->repository && shown->path && piece->path &&
           asprintf(&piece->text, "%s%s\n", from, gap->middle) >= 0);
    piece->bytes = strlen(piece->text);
}

/* Measures a gap that begins at `start`, in each way. */
static void measure_gap(struct bench *bench, const char *path, const char *text,
                        const struct call *call, enum place place)
{
    const size_t start = place == PLACE_NAME ? call->start : call->arguments;
    size_t first = start > BEFORE_BYTES ? start - BEFORE_BYTES : 0;
    struct snippet_list shown, answer;

    /* whole lines around */
    while (first > 0 && text[first - 1] != '\n')
        first++;
    size_t last = call->end + strnlen(text + call->end, AFTER_BYTES);
    while (last > call->end && text[last - 1] != '\n')
        last--;
    char *prefix = strndup(text + first, start - first);
    char *middle = strndup(text + start, call->end - start);
    char *suffix = strndup(text + call->end, last - call->end);
    const struct gap gap = {language_find("c", NULL), prefix, middle, suffix};

    choose(bench, path, &gap, &shown);
    show_answer(&answer, &gap);
    bench->with_definition[place] +=
        shows(&shown, text + call->start, call->arguments - 1 - call->start);
    for (enum showing showing = 0; showing < SHOWINGS; showing++) {
        struct maker maker = {bench, showing == SHOW_ANSWER ? &answer : &shown, showing};
        const struct way way = {complete, NULL, &maker};
        measure_score(&way, &gap, 0, &bench->scores[place][showing]);
        measure_typing(&way, &gap, &bench->typings[place][showing]);
    }
    snippet_list_finish(&shown);
    snippet_list_finish(&answer);
    free(prefix);
    free(middle);
    free(suffix);
}

/* Measures the gaps of a file: calls with as many bytes between them that all parts of it are seen. */
static void measure_file(struct bench *bench, const char *name, int limit)
{
    char path[2 * PATH_BYTES];
    char *text = read_text(name);
    const size_t step = strlen(text) / GAPS_PER_FILE;
    struct call call = {0};

    snprintf(path, sizeof path, "%s/%s", bench->root, name);
    for (int i = 0; i < GAPS_PER_FILE && bench->gaps < limit; i++) {
        size_t from = step * (size_t)i;
        from = from > call.end ? from : call.end;
        from += strcspn(text + from, "\n");
        if (!find_call(workspace_index(bench->workspace), path, text, from, &call))
            break;
        for (enum place place = 0; place < PLACES; place++)
            measure_gap(bench, path, text, &call, place);
        bench->gaps++;
    }
    free(text);
}

/* --- the bench -------------------------------------------------------------------------------------------------------- */

/* The embedded model with a window that is large enough for the engine, out of a folder made for it. */
static struct engine *open_wide(const char *folder, const char *root)
{
    static const char *const files[] = {"model.safetensors", "tokenizer.json"};
    char from[2 * PATH_BYTES];
    struct error error = {0};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(from, sizeof from, "%s/%s/%s", root, model_folder, files[i]);
        assert(symlink(from, path_in(folder, files[i])) == 0);
    }
    char *config = read_text(path_in(model_folder, "config.json"));
    char *place = strstr(config, "\"max_position_embeddings\"");
    FILE *file = fopen(path_in(folder, "config.json"), "w");
    assert(place && file);
    place += strcspn(place, "0123456789");
    fprintf(file, "%.*s%d%s", (int)(place - config), config, ENGINE_SHOWN_CONTEXT_TOKENS,
            place + strspn(place, "0123456789"));
    fclose(file);
    free(config);
    struct engine *engine = engine_open(&(struct engine_options){.model = folder}, &error);
    if (!engine)
        fprintf(stderr, "%s\n", error.text);
    assert(engine);
    struct engine_info info;
    engine_describe(engine, &info);
    assert(info.can_show);
    return engine;
}

/* Indexes the rooms of this repository. */
static void open_workspace(struct bench *bench)
{
    assert(getcwd(bench->root, sizeof bench->root) && uv_loop_init(&bench->loop) == 0);
    bench->workspace = workspace_create(&bench->loop);
    assert(bench->workspace && workspace_add(bench->workspace, bench->root));
    while (!workspace_index(bench->workspace))
        uv_run(&bench->loop, UV_RUN_ONCE);
}

static void print_figures(const struct bench *bench)
{
    for (enum place place = 0; place < PLACES; place++) {
        printf("\n%d gaps %s; what is called is shown in %d\n\n", bench->gaps, place_names[place],
               bench->with_definition[place]);
        printf("| shown | asked | shown | exact | right | sound |\n|-|-|-|-|-|-|\n");
        for (enum showing showing = 0; showing < SHOWINGS; showing++)
            measure_print_score(showing_names[showing], &bench->scores[place][showing]);
        printf(
            "\n| shown | characters | keystrokes | saved | shown | accepted | reused | written |\n"
            "|-|-|-|-|-|-|-|-|\n");
        for (enum showing showing = 0; showing < SHOWINGS; showing++)
            measure_print_typing(showing_names[showing], &bench->typings[place][showing]);
    }
}

int main(int argc, char **argv)
{
    static struct bench bench;
    char folder[SCRATCH_PATH_BYTES];

    if (argc < 3) {
        fprintf(stderr, "usage: cross_file GAPS FILE...\n");
        return 2;
    }
    scratch_create(folder);
    open_workspace(&bench);
    bench.engine = open_wide(folder, bench.root);
    for (int i = 2; i < argc; i++)
        measure_file(&bench, argv[i], atoi(argv[1]));
    print_figures(&bench);
    workspace_destroy(bench.workspace);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    engine_close(bench.engine);
    scratch_remove(folder);
    return 0;
}
