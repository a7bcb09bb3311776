/* What is shown stays while the user types, keeps its order when it is chosen anew, and repeats nothing. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "lsp/context/snippets.h"

enum { BUDGET = 600, LINES = 200 };

/* A client's things, without a client. */
struct scene {
    uv_loop_t loop;
    struct workspace *workspace;
    struct documents *documents;
    struct snippets *snippets;
    struct snippet_list list; /* the last one */
};

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    uv_loop_init(&scene->loop);
    scene->workspace = workspace_create(&scene->loop);
    scene->documents = documents_create(TEXT_UTF8, TEXT_LINES_PROTOCOL);
    scene->snippets = snippets_create();
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    snippet_list_finish(&scene->list);
    snippets_destroy(scene->snippets);
    documents_destroy(scene->documents);
    workspace_destroy(scene->workspace);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    const int status = uv_loop_close(&scene->loop);
    free(scene);
    return status;
}

static void open_document(struct scene *scene, const char *uri, const char *text)
{
    struct error error = {0};

    assert_non_null(documents_open(scene->documents, uri, NULL, 1, text, strlen(text), &error));
    snippets_note_documents(scene->snippets);
}

/* Lets the scene choose for the place of `mark` in a document, behind it, and names what was chosen, in order: "why path "...
 * in static storage. */
static const char *choose_at(struct scene *scene, const char *uri, const char *mark, size_t budget)
{
    static char names[1024];
    struct document *document = documents_find(scene->documents, uri);
    const char *text = text_bytes(document_text(document)), *place = strstr(text, mark);
    size_t at = 0;

    assert_non_null(place);
    snippet_list_finish(&scene->list);
    assert_true(snippets_choose(scene->snippets, scene->documents, scene->workspace, document,
                                (size_t)(place - text) + strlen(mark), budget, &scene->list));
    names[0] = '\0';
    for (size_t i = 0; i < scene->list.count; i++)
        at +=
            (size_t)snprintf(names + at, sizeof names - at, "%s %s ",
                             gather_why_name(scene->list.items[i].why), scene->list.items[i].path);
    return names;
}

static void type_at(struct scene *scene, const char *uri, size_t line, const char *text)
{
    struct document_change change = {.has_range = true,
                                     .start = {line, 9999},
                                     .end = {line, 9999},
                                     .text = text,
                                     .bytes = strlen(text)};
    struct error error = {0};

    assert_true(documents_change(scene->documents, uri, 2, &change, 1, &error));
    snippets_note_edit(scene->snippets, uri, line);
}

/* Three files with little in common with those that use them. */
#define UNLIKE                                                                                     \
    "\n{\n    alpha(beta, gamma, delta);\n    epsilon(zeta, eta, theta, iota);\n    kappa(mu, "    \
    "nu);\n}\n"
static const char ring[] = "/* Appends. */\nbool ring_push(long value)" UNLIKE,
                  stack[] = "bool stack_pop(struct stack *stack)" UNLIKE,
                  queue[] = "bool queue_take(struct queue *queue)" UNLIKE;

static void definition_of_a_name_at_the_cursor_is_shown(void **state)
{
    struct scene *scene = *state;

    open_document(scene, "file:///p/ring.c", ring);
    open_document(scene, "file:///p/stack.py",
                  "def ring_push(alpha, beta):\n    return gamma(delta, zeta, eta, theta)\n");
    open_document(scene, "file:///p/main.c", "int main(void)\n{\n    ring_push(1);\n    \n}\n");
    assert_string_equal(choose_at(scene, "file:///p/main.c", "ring_push(1);", BUDGET),
                        "definition ring.c ");
    assert_string_equal(scene->list.items[0].text, "/* Appends. */\nbool ring_push(long value)\n");

    /* what the file defines itself needs no other one */
    open_document(scene, "file:///p/own.c",
                  "int ring_push(int v);\nint main(void)\n{\n    ring_push(1);\n}\n");
    assert_null(strstr(choose_at(scene, "file:///p/own.c", "ring_push(1);", BUDGET), "ring.c"));
    assert_string_equal(choose_at(scene, "file:///p/main.c", "ring_push(1);", 0), "");
}

static void choice_stays_while_the_user_types_in_one_place(void **state)
{
    struct scene *scene = *state;

    open_document(scene, "file:///p/ring.c", ring);
    open_document(scene, "file:///p/stack.c", stack);
    open_document(scene, "file:///p/main.c", "int main(void)\n{\n    ring_push(1);\n    \n}\n");
    assert_string_equal(choose_at(scene, "file:///p/main.c", "ring_push(1);", BUDGET),
                        "definition ring.c ");

    /* now another name is nearest, but the place is the same */
    for (int key = 0; key < 10; key++) {
        type_at(scene, "file:///p/main.c", 3, "x");
        assert_string_equal(choose_at(scene, "file:///p/main.c", "ring_push(1);\n    x", BUDGET),
                            "definition ring.c ");
    }
    type_at(scene, "file:///p/main.c", 3, " stack_pop();");
    assert_string_equal(choose_at(scene, "file:///p/main.c", "stack_pop", BUDGET),
                        "definition ring.c ");

    /* complete it is asked about: added behind what is there */
    assert_string_equal(choose_at(scene, "file:///p/main.c", "stack_pop(", BUDGET),
                        "definition ring.c definition stack.c ");

    /* news: another document is open */
    snippets_note_documents(scene->snippets);
    assert_string_equal(choose_at(scene, "file:///p/main.c", "stack_pop();", BUDGET),
                        "definition ring.c definition stack.c ");
}

static void choice_grows_by_what_the_line_or_call_at_the_cursor_names(void **state)
{
    static const struct {
        const char *typed, *mark, *names;
    } steps[] = {
        {"    x = st", "x = st", "definition ring.c "},
        {"ack_pop", "stack_pop", "definition ring.c "}, /* it may go on */
        {"(a,\n", "stack_pop(a,", "definition ring.c definition stack.c "},
        {"  b, nothing(c", "nothing(c", "definition ring.c definition stack.c "},
        {"));", "c));", "definition ring.c definition stack.c "},
        {"\n", "c));\n", "definition ring.c definition stack.c "},
        {"    queue_take(ring_push(", "queue_take(ring_push(",
         "definition ring.c definition stack.c definition queue.c "},
    };
    struct scene *scene = *state;

    open_document(scene, "file:///p/queue.c", queue);
    open_document(scene, "file:///p/ring.c", ring);
    open_document(scene, "file:///p/stack.c", stack);
    open_document(scene, "file:///p/main.c", "int main(void)\n{\n    ring_push(1);\n");
    assert_string_equal(choose_at(scene, "file:///p/main.c", "1);", BUDGET), "definition ring.c ");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct text *text =
            document_text(documents_find(scene->documents, "file:///p/main.c"));
        type_at(scene, "file:///p/main.c", text_line_count(text) - 1, steps[i].typed);
        assert_string_equal(choose_at(scene, "file:///p/main.c", steps[i].mark, BUDGET),
                            steps[i].names);
    }
}

/* Names of many files on one line, one after the other. */
static void choice_grows_a_few_times_in_one_place(void **state)
{
    struct scene *scene = *state;
    char uri[64], text[256], last[256] = "";
    int changes = 0;

    for (int i = 0; i < 9; i++) {
        sprintf(uri, "file:///p/part_%d.c", i);
        sprintf(text, "int part_number_%d(int value_%d)" UNLIKE, i, i);
        open_document(scene, uri, text);
    }
    open_document(scene, "file:///p/main.c", "int main(void)\n{\n    ");
    choose_at(scene, "file:///p/main.c", "    ", 9 * BUDGET);
    for (int i = 0; i < 9; i++) {
        sprintf(text, "part_number_%d(", i);
        type_at(scene, "file:///p/main.c", 2, text);
        const char *names = choose_at(scene, "file:///p/main.c", text, 9 * BUDGET);
        assert_int_equal(strncmp(names, last, strlen(last)), 0);
        changes += strcmp(names, last) != 0;
        strcpy(last, names);
    }
    assert_int_equal(changes, SNIPPETS_ADDED_MAX);
}

/* A file with the three names far apart. */
static char *long_main(void)
{
    char *text = malloc(64 * LINES);
    size_t at = 0;

    for (int line = 0; line < LINES; line++)
        at += (size_t)sprintf(text + at, "%s // line %d\n",
                              line == 20    ? "ring_push(1);"
                              : line == 50  ? "stack_pop(); ring_push(2);"
                              : line == 150 ? "queue_take();"
                                            : "",
                              line);
    return text;
}

static void choice_made_anew_keeps_the_order_of_what_stays(void **state)
{
    struct scene *scene = *state;
    char *text = long_main();

    open_document(scene, "file:///p/queue.c", queue);
    open_document(scene, "file:///p/ring.c", ring);
    open_document(scene, "file:///p/stack.c", stack);
    open_document(scene, "file:///p/main.c", text);
    free(text);
    assert_string_equal(choose_at(scene, "file:///p/main.c", "// line 15", BUDGET),
                        "definition ring.c ");
    /* a little way: the same; far: stack_pop is nearer, ring_push keeps its place before it */
    assert_string_equal(choose_at(scene, "file:///p/main.c", "// line 39", BUDGET),
                        "definition ring.c ");
    assert_string_equal(choose_at(scene, "file:///p/main.c", "stack_pop();", BUDGET),
                        "definition ring.c definition stack.c ");
    assert_string_equal(choose_at(scene, "file:///p/main.c", "queue_take();", BUDGET),
                        "definition queue.c ");
    assert_string_equal(choose_at(scene, "file:///p/queue.c", "queue_take", BUDGET), "");
}

static void yank_and_edit_elsewhere_are_shown(void **state)
{
    static const char yanked[] = "total = price * count\nreturn total\n";
    struct scene *scene = *state;
    struct workspace *workspace = scene->workspace;

    open_document(scene, "file:///p/a.py", "import os\n\n\ndef price_of(x):\n    return x\n");
    open_document(scene, "file:///p/b.py", "\n\nvalue = 1\n");
    type_at(scene, "file:///p/a.py", 4, " * 2");
    snippets_note_yank(scene->snippets, scene->documents, workspace, "file:///p/c.py", yanked,
                       strlen(yanked));
    const char *names = choose_at(scene, "file:///p/b.py", "value", BUDGET);
    assert_non_null(strstr(names, "edited a.py "));
    assert_non_null(strstr(names, "yanked c.py "));

    /* what stands at the cursor already is not shown */
    open_document(scene, "file:///p/b.py", "total = price * count\nreturn total\n");
    assert_null(strstr(choose_at(scene, "file:///p/b.py", "total", BUDGET), "yanked"));

    /* nor what was copied out of a secret file, named or only open */
    static const char secret[] = "first line\nsecond line\n";
    snippets_note_yank(scene->snippets, scene->documents, workspace, "file:///p/.env", secret,
                       strlen(secret));
    open_document(scene, "file:///p/.env", secret);
    snippets_note_yank(scene->snippets, scene->documents, workspace, NULL, secret, strlen(secret));
    open_document(scene, "file:///p/b.py", "value = 1\n");
    names = choose_at(scene, "file:///p/b.py", "value", BUDGET);
    assert_null(strstr(names, ".env"));
    assert_null(strstr(names, "clipboard"));
}

static void budget_holds_whatever_there_is_to_show(void **state)
{
    struct scene *scene = *state;
    char uri[64], text[4096];

    for (int i = 0; i < 30; i++) {
        size_t at = 0;
        for (int line = 0; line < 24; line++)
            at += (size_t)sprintf(text + at, "common_name = other_%d_%d + shared_value\n", i, line);
        sprintf(uri, "file:///p/file_%d.py", i);
        open_document(scene, uri, text);
    }
    open_document(scene, "file:///p/main.py", "common_name = shared_value + other\n");
    for (size_t budget = 100; budget < 3000; budget += 500) {
        size_t tokens = 0;
        choose_at(scene, "file:///p/main.py", "common_name", budget);
        for (size_t i = 0; i < scene->list.count; i++)
            tokens += scene->list.items[i].bytes / SNIPPETS_BYTES_PER_TOKEN;
        assert_true(tokens <= budget);
        assert_true(budget < 600 || scene->list.count > 0);
    }
}

static void list_copied_stands_alone(void **state)
{
    struct scene *scene = *state;
    struct snippet_list copy;
    struct prompt_file files[PROMPT_FILES_MAX];

    open_document(scene, "file:///p/ring.c", ring);
    open_document(scene, "file:///p/main.c", "int main(void)\n{\n    ring_push(1);\n}\n");
    choose_at(scene, "file:///p/main.c", "ring_push(1);", BUDGET);
    assert_true(snippet_list_copy(&copy, &scene->list));
    snippet_list_finish(&scene->list);
    const struct prompt_shown shown = snippet_list_shown(&copy, files);
    assert_int_equal(shown.count, 1);
    assert_string_equal(shown.path, "main.c");
    assert_string_equal(shown.files[0].path, "ring.c");
    assert_int_equal(shown.budget_tokens, BUDGET);
    snippet_list_finish(&copy);
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(definition_of_a_name_at_the_cursor_is_shown),
        SCENE_TEST(choice_grows_by_what_the_line_or_call_at_the_cursor_names),
        SCENE_TEST(choice_grows_a_few_times_in_one_place),
        SCENE_TEST(choice_stays_while_the_user_types_in_one_place),
        SCENE_TEST(choice_made_anew_keeps_the_order_of_what_stays),
        SCENE_TEST(yank_and_edit_elsewhere_are_shown),
        SCENE_TEST(budget_holds_whatever_there_is_to_show),
        SCENE_TEST(list_copied_stands_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
