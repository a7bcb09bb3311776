/* The kinds differ in what they are about and in where their text goes; both follow from the place. */
#include "lsp/errand/task.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/completion/surroundings.h"
#include "lsp/lines.h"
#include "lsp/secrets.h"
#include "parsers/comments.h"

const char *task_name(enum writing_kind kind)
{
    static const char *const names[] = {
        [WRITING_EXPLAIN] = "explain",   [WRITING_DOCUMENT] = "document",
        [WRITING_GENERATE] = "generate", [WRITING_FIX] = "fix",
        [WRITING_TEST] = "test",
    };

    return names[kind];
}

enum writing_kind task_kind(const char *name)
{
    int kind = 0;

    while (kind < WRITING_KINDS && !(name && strcmp(name, task_name((enum writing_kind)kind)) == 0))
        kind++;
    return (enum writing_kind)kind;
}

void task_finish(struct task *task)
{
    writing_finish(&task->writing);
}

/* --- generating ---------------------------------------------------------------------------------------------------------- */

/* The comment that asks for code at `cursor`: the one that it is in, also at its very beginning or end and in the indentation
 * before it, or that ends on the line above. */
static struct span asking_comment(const struct syntax *syntax, const char *text, size_t cursor)
{
    struct span range = {0};

    if (!syntax)
        return range;
    const size_t line = lines_start(text, cursor);
    const size_t first = line + strspn(text + line, " \t");
    const size_t inside = cursor <= first && text[first] ? first + 1 : cursor;
    if (place_at(syntax, text, inside, &range) == PLACE_COMMENT)
        return range;
    range = comment_above(syntax, text, cursor);
    return range.end > range.start ? range : comment_above(syntax, text, line);
}

/* Whether it is in the comment rather than below it; the last line end may count as part of that. */
static bool is_in_comment(struct span comment, const char *text, size_t cursor)
{
    return comment.end > comment.start && cursor <= comment.end - (text[comment.end - 1] == '\n');
}

/* The place below the line that ends at `at`, or this line where it is blank. */
static void place_below(struct task *task, const char *text, size_t bytes, size_t cursor)
{
    const size_t start = lines_start(text, cursor), end = lines_content_end(text, bytes, cursor);

    if (lines_are_blank(text, start, end)) {
        task->range = (struct span){start, end};
        task->lead = "";
    } else {
        task->range = (struct span){end, end};
        task->lead = "\n";
    }
    task->trail = "";
}

/* The text around the place, as a prompt shows it: whole lines, secrets masked. */
static bool copy_around(struct writing *writing, const char *text, size_t bytes, struct span range)
{
    const size_t before =
        range.start > SUBJECT_AROUND_BYTES ? range.start - SUBJECT_AROUND_BYTES : 0;
    const size_t from = before > 0 ? lines_end(text, range.start, before) : 0;
    const size_t next = lines_end(text, bytes, range.end);
    const size_t to = lines_cut(text, (struct span){next, bytes}, SUBJECT_AROUND_BYTES).end;
    const bool is_begun = range.start > lines_start(text, range.start);

    char *masked = secrets_copy(text + from, to - from);
    if (!masked)
        return false;
    char *above = lines_copy(masked, (struct span){0, range.start - from});
    writing->after = lines_copy(masked, (struct span){next - from, to - from});
    if (!above || asprintf(&writing->before, "%s%s", above, is_begun ? "\n" : "") < 0)
        writing->before = NULL;
    free(above);
    free(masked);
    return writing->before && writing->after;
}

static bool plan_generate(struct task *task, struct document *document, size_t cursor,
                          struct error *error)
{
    const struct text *source = document_text(document);
    const char *text = text_bytes(source);
    const size_t bytes = text_size(source);
    struct writing *writing = &task->writing;

    const struct span comment = asking_comment(document_syntax(document), text, cursor);
    const bool has_comment = comment.end > comment.start;
    if (!writing->instruction && !has_comment)
        return error_set(error, ERROR_INPUT,
                         "write a comment that says what is wanted, and ask in it or below it");

    /* in a comment, the code goes below it */
    const bool is_inside = is_in_comment(comment, text, cursor);
    place_below(task, text, bytes,
                is_inside ? comment.end - (text[comment.end - 1] == '\n') : cursor);

    /* code is indented like the comment that asks for it, unless the user has begun a line */
    const size_t line = lines_start(text, cursor);
    const bool has_begun = !is_inside && lines_content_end(text, bytes, cursor) > line;
    const size_t model = has_comment && !has_begun ? lines_start(text, comment.start) : line;
    writing->indent = strndup(text + model, lines_indent(text, bytes, model));
    return (writing->indent && copy_around(writing, text, bytes, task->range)) ||
           error_set(error, ERROR_MEMORY, "no memory for a prompt");
}

/* --- definitions --------------------------------------------------------------------------------------------------------- */

static bool plan_definition(struct task *task, struct client *client, struct document *document,
                            struct span range, struct error *error)
{
    struct subject *subject = &task->writing.subject;
    const size_t size = text_size(document_text(document));
    const char *bytes = text_bytes(document_text(document));
    bool has_chat = client->engine && client->engine->has_chat;

    if (!subject_enclosing(subject, client, document, range.start)) {
        /* an instruct model can read anything that is selected */
        if (task->writing.kind == WRITING_EXPLAIN && has_chat && range.end > range.start)
            return subject_lines(subject, client, document, range) ||
                   error_set(error, ERROR_MEMORY, "no memory for a prompt");
        return error_set(error, ERROR_INPUT,
                         "there is no definition here: put the cursor into a function or a type%s",
                         task->writing.kind == WRITING_EXPLAIN && has_chat
                             ? ", or select what is to be explained"
                             : "");
    }
    if (task->writing.kind == WRITING_DOCUMENT && !subject->has_place)
        return error_set(error, ERROR_INPUT, "there is no line for a comment on %s", subject->name);
    if (task->writing.kind == WRITING_EXPLAIN && !has_chat && !subject->has_place)
        return error_set(error, ERROR_INPUT,
                         "this model explains only by the comment that it would write, and there "
                         "is no line for one on %s; an instruct model could explain it",
                         subject->name);

    task->lead = task->trail = "";
    task->range = subject->doc_range;
    if (task->writing.kind == WRITING_TEST) {
        task->range = (struct span){size, size};
        task->lead = size > 0 && bytes[size - 1] != '\n' ? "\n\n" : "\n";
        task->trail = "\n";
    }
    return true;
}

/* --- corrections --------------------------------------------------------------------------------------------------------- */

/* The lines that are written again: a definition, or some around what is wrong. */
static struct span lines_to_fix(struct document *document, struct span range)
{
    const char *text = text_bytes(document_text(document));
    const size_t bytes = text_size(document_text(document));
    struct symbol symbol;

    if (subject_exists(document, range.start, &symbol) && symbol.whole.end >= range.end)
        return symbol.whole;
    for (int i = 0; i < TASK_FIX_LINES; i++) {
        range.start = lines_start(text, range.start > 0 ? range.start - 1 : 0);
        range.end = lines_content_end(text, bytes, range.end < bytes ? range.end + 1 : bytes);
    }
    return range;
}

static bool plan_fix(struct task *task, struct client *client, struct document *document,
                     struct span range, struct error *error)
{
    struct subject *subject = &task->writing.subject;

    if (!task->writing.instruction)
        return error_set(error, ERROR_INPUT, "a diagnostic is needed: what is wrong?");
    if (!subject_lines(subject, client, document, lines_to_fix(document, range)))
        return error_set(error, ERROR_MEMORY, "no memory for a prompt");
    if (!subject->is_whole)
        return error_set(error, ERROR_INPUT,
                         "this code is too long to be written again, or holds a secret");
    const size_t bytes = strlen(subject->body);
    task->range = subject->doc_range;
    task->lead = "";
    task->trail = bytes > 0 && subject->body[bytes - 1] == '\n' ? "\n" : "";
    return true;
}

/* --- all ------------------------------------------------------------------------------------------------------------------ */

static int token_limit(enum writing_kind kind)
{
    if (kind == WRITING_EXPLAIN || kind == WRITING_DOCUMENT)
        return TASK_PROSE_TOKENS;
    return kind == WRITING_FIX ? TASK_FIX_TOKENS : TASK_CODE_TOKENS;
}

/* What is wanted, whole code points of it. Diagnostics quote the code that they are about, with any secret in it. */
static char *copy_instruction(const char *instruction)
{
    size_t bytes = strnlen(instruction, TASK_INSTRUCTION_BYTES);

    while (bytes > 0 && (instruction[bytes] & 0xC0) == 0x80)
        bytes--;
    return secrets_copy(instruction, bytes);
}

bool task_init(struct task *task, enum writing_kind kind, struct client *client,
               struct document *document, struct span range, const char *instruction,
               struct error *error)
{
    const bool has_chat = client->engine && client->engine->has_chat;
    const char *refusal = writing_refusal(kind, has_chat, document_language(document));
    bool is_planned = false;

    range = lines_selected(text_bytes(document_text(document)), range);
    *task = (struct task){.lead = "", .trail = ""};
    if (refusal)
        return error_set(error, ERROR_INPUT, "%s", refusal);
    if (!surroundings_allow(client, document_uri(document)))
        return error_set(error, ERROR_INPUT, "this file holds secrets by its name");
    task->writing.kind = kind;
    task->writing.language = document_language(document);
    task->writing.max_tokens = token_limit(kind);
    if (instruction && *instruction)
        task->writing.instruction = copy_instruction(instruction);

    if (kind == WRITING_GENERATE)
        is_planned = plan_generate(task, document, range.end, error);
    else if (kind == WRITING_FIX)
        is_planned = plan_fix(task, client, document, range, error);
    else
        is_planned = plan_definition(task, client, document, range, error);
    if (!is_planned)
        task_finish(task);
    return is_planned;
}

/* A comment that nothing is defined below, and the cursor in it or on an empty line below it. */
static bool asks_for_code(struct document *document, size_t cursor)
{
    const struct text *source = document_text(document);
    const char *text = text_bytes(source);
    const struct span comment = asking_comment(document_syntax(document), text, cursor);
    const size_t line = lines_start(text, cursor);
    struct symbol symbol;

    if (comment.end <= comment.start)
        return false;
    if (subject_exists(document, comment.start, &symbol) && symbol.doc.start <= comment.start &&
        comment.start < symbol.doc.end)
        return false;
    return is_in_comment(comment, text, cursor) ||
           lines_are_blank(text, line, lines_content_end(text, text_size(source), cursor));
}

bool task_fits(enum writing_kind kind, const struct client *client, struct document *document,
               struct span range, struct symbol *symbol)
{
    const struct span place = lines_selected(text_bytes(document_text(document)), range);
    const bool has_chat = client->engine && client->engine->has_chat;

    if (kind == WRITING_FIX)
        return true;
    if (kind == WRITING_GENERATE)
        return asks_for_code(document, place.end);
    if (!subject_exists(document, place.start, symbol))
        return kind == WRITING_EXPLAIN && has_chat && place.end > place.start;
    return kind == WRITING_TEST || (kind == WRITING_EXPLAIN && has_chat) ||
           subject_has_place(document, symbol);
}
