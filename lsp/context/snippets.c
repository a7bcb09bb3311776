/* The choice in force is kept with the place and the news that it was made for; choosing is copying it unless they differ, or
 * the cursor has come to ask about something. */
#include "lsp/context/snippets.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/context/asked.h"
#include "lsp/protocol/uri.h"
#include "lsp/secrets.h"

enum {
    PATH_TOKENS = 16,                /* about what a path and its markers take */
    AROUND_BEFORE_BYTES = 64 * 1024, /* what of the cursor's file a prompt may hold */
    AROUND_AFTER_BYTES = 16 * 1024,
};

/* Shares of lines from which on a piece says nothing new. */
static const double known_around = 0.5, known_chosen = 0.5;

struct snippets {
    struct recent recent;
    uint64_t news; /* counts what there is to choose from */

    /* The choice in force. */
    struct snippet_list chosen;
    char *uri; /* NULL: none yet */
    size_t line;
    uint64_t chosen_news, generation;
    struct asked asked; /* names met since it was made */
    size_t added;       /* times that it was added to since then */
};

/* --- lists ------------------------------------------------------------------------------------------------------------ */

static void snippet_finish(struct snippet *snippet)
{
    free(snippet->path);
    free(snippet->text);
}

void snippet_list_finish(struct snippet_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        snippet_finish(&list->items[i]);
    free(list->repository);
    free(list->path);
    *list = (struct snippet_list){0};
}

/* A copy of NUL-terminated text; false when memory is exhausted. */
static bool snippet_copy(struct snippet *copy, const struct snippet *snippet)
{
    *copy = *snippet;
    copy->path = strdup(snippet->path);
    copy->text = malloc(snippet->bytes + 1);
    if (copy->path && copy->text) {
        memcpy(copy->text, snippet->text, snippet->bytes + 1);
        return true;
    }
    snippet_finish(copy);
    return false;
}

bool snippet_list_copy(struct snippet_list *copy, const struct snippet_list *list)
{
    *copy = (struct snippet_list){.budget_tokens = list->budget_tokens};
    copy->repository = strdup(list->repository ? list->repository : "");
    copy->path = strdup(list->path ? list->path : "");
    bool is_copied = copy->repository && copy->path;
    for (size_t i = 0; i < list->count && is_copied; i++) {
        is_copied = snippet_copy(&copy->items[i], &list->items[i]);
        copy->count += is_copied;
    }
    if (!is_copied)
        snippet_list_finish(copy);
    return is_copied;
}

struct prompt_shown snippet_list_shown(const struct snippet_list *list,
                                       struct prompt_file files[PROMPT_FILES_MAX])
{
    for (size_t i = 0; i < list->count; i++)
        files[i] =
            (struct prompt_file){list->items[i].path, list->items[i].text, list->items[i].bytes};
    return (struct prompt_shown){list->repository, list->path, files, list->count,
                                 list->budget_tokens};
}

/* --- choosing --------------------------------------------------------------------------------------------------------- */

/* What a piece may take of the budget. */
static size_t piece_tokens(size_t bytes)
{
    return bytes / SNIPPETS_BYTES_PER_TOKEN + PATH_TOKENS;
}

/* Makes a snippet of a piece, without lines that hold secrets. False when nothing is left or memory is exhausted. */
static bool snippet_of(struct snippet *snippet, const struct piece *piece,
                       const struct workspace *workspace)
{
    const char *shown = piece->path[0] ? workspace_relative(workspace, piece->path) : "clipboard";
    const char *text = piece->source ? text_bytes(piece->source) : piece->text;
    const size_t bytes = piece->source ? text_size(piece->source) : piece->bytes;

    *snippet = (struct snippet){.why = piece->why, .path = strdup(shown)};
    snippet->text = secrets_clean_part(text, bytes, piece->text, piece->bytes, &snippet->bytes);
    if (snippet->path && snippet->text && strspn(snippet->text, " \t\r\n") < snippet->bytes)
        return true;
    snippet_finish(snippet);
    return false;
}

/* The lines of what a prompt may hold of the cursor's file. */
static bool lines_around(struct likeness *lines, const struct text *text, size_t cursor)
{
    const size_t size = text_size(text);
    const size_t start = cursor > AROUND_BEFORE_BYTES ? cursor - AROUND_BEFORE_BYTES : 0;
    const size_t end = size - cursor > AROUND_AFTER_BYTES ? cursor + AROUND_AFTER_BYTES : size;

    return likeness_of_lines(lines, text_bytes(text) + start, end - start);
}

static bool is_same(const struct snippet *snippet, const struct snippet *other)
{
    return snippet->bytes == other->bytes && strcmp(snippet->path, other->path) == 0 &&
           memcmp(snippet->text, other->text, snippet->bytes) == 0;
}

/* Takes out of a list what says little beside its last member; gives back the tokens that were set aside for it. */
static size_t drop_contained(struct snippet_list *list)
{
    const struct snippet last = list->items[list->count - 1];
    struct likeness lines;
    size_t given_back = 0, kept = 0;

    if (likeness_of_lines(&lines, last.text, last.bytes)) {
        for (size_t i = 0; i + 1 < list->count; i++) {
            struct snippet *snippet = &list->items[i];
            if (likeness_lines(&lines, snippet->text, snippet->bytes) <= known_chosen) {
                list->items[kept++] = *snippet;
                continue;
            }
            given_back += piece_tokens(snippet->bytes);
            snippet_finish(snippet);
        }
        list->items[kept] = last;
        list->count = kept + 1;
    }
    likeness_finish(&lines);
    return given_back;
}

/* How much pieces may fill, and whether they may push others out. */
struct room {
    size_t tokens, count;
    bool is_append; /* what is there stays */
};

/* Takes pieces, best first, as long as there is room; what says nothing new is passed over. */
static bool take_pieces(struct snippet_list *list, const struct gathering *gathering,
                        const struct viewpoint *viewpoint, const struct workspace *workspace,
                        const struct room *room)
{
    size_t left = room->tokens;
    struct likeness around = {0}, chosen = {0};
    const bool has_sets =
        lines_around(&around, document_text(viewpoint->document), viewpoint->cursor) &&
        likeness_of_lines(&chosen, "", 0);

    for (size_t i = 0; has_sets && i < list->count; i++)
        likeness_add_lines(&chosen, list->items[i].text, list->items[i].bytes);
    for (size_t i = 0; has_sets && i < gathering->count && list->count < room->count; i++) {
        const struct piece *piece = &gathering->pieces[i];
        const size_t tokens = piece_tokens(piece->bytes);
        struct snippet *snippet = &list->items[list->count];
        if (tokens > left || likeness_lines(&around, piece->text, piece->bytes) > known_around ||
            likeness_lines(&chosen, piece->text, piece->bytes) > known_chosen ||
            !snippet_of(snippet, piece, workspace))
            continue;
        likeness_add_lines(&chosen, snippet->text, snippet->bytes);
        list->count++;
        left -= tokens;
        left += room->is_append ? 0 : drop_contained(list);
    }
    likeness_finish(&around);
    likeness_finish(&chosen);
    return has_sets;
}

static void swap(struct snippet *a, struct snippet *b)
{
    const struct snippet kept = *a;

    *a = *b;
    *b = kept;
}

/* Puts what was chosen before in the order of then; the new ones, best first so far, come behind it, best last. */
static void keep_order(struct snippet_list *list, const struct snippet_list *before)
{
    size_t kept = 0;

    for (size_t k = 0; k < before->count; k++) {
        for (size_t i = kept; i < list->count; i++) {
            if (!is_same(&list->items[i], &before->items[k]))
                continue;
            for (; i > kept; i--)
                swap(&list->items[i], &list->items[i - 1]);
            kept++;
            break;
        }
    }
    for (size_t i = kept, k = list->count; i + 1 < k; i++)
        swap(&list->items[i], &list->items[--k]);
}

/* Chooses for a place. */
static bool choose(struct snippet_list *list, const struct snippet_list *before,
                   const struct viewpoint *viewpoint, const struct documents *documents,
                   struct workspace *workspace, const struct recent *recent, size_t budget_tokens)
{
    struct gathering *gathering = malloc(sizeof *gathering);
    const struct room room = {
        .tokens = budget_tokens - budget_tokens / SNIPPETS_ADDED_SHARE,
        .count = PROMPT_FILES_MAX - PROMPT_FILES_MAX / SNIPPETS_ADDED_SHARE,
    };

    *list = (struct snippet_list){.budget_tokens = budget_tokens};
    list->repository = strdup(workspace_name(workspace, viewpoint->path));
    list->path = strdup(workspace_relative(workspace, viewpoint->path));
    bool is_chosen = gathering && list->repository && list->path;
    if (is_chosen) {
        gather(gathering, viewpoint, documents, workspace, recent);
        is_chosen = take_pieces(list, gathering, viewpoint, workspace, &room);
        gather_finish(gathering);
    }
    free(gathering);
    if (is_chosen)
        keep_order(list, before);
    else
        snippet_list_finish(list);
    return is_chosen;
}

/* Adds to a list, behind what is there, definitions of names in a range; whether there were any. */
static bool append(struct snippet_list *list, const struct viewpoint *viewpoint, struct span range,
                   const struct documents *documents, struct workspace *workspace)
{
    struct gathering *gathering = malloc(sizeof *gathering);
    const struct viewpoint end = {viewpoint->document, viewpoint->path, range.end};
    const size_t before = list->count;
    size_t taken = 0;

    if (!gathering)
        return false;
    for (size_t i = 0; i < list->count; i++)
        taken += piece_tokens(list->items[i].bytes);
    const struct room room = {
        .tokens = taken < list->budget_tokens ? list->budget_tokens - taken : 0,
        .count = PROMPT_FILES_MAX,
        .is_append = true,
    };
    gather_asked(gathering, &end, range, documents, workspace);
    take_pieces(list, gathering, &end, workspace, &room);
    gather_finish(gathering);
    free(gathering);
    return list->count > before;
}

/* --- the choice in force ---------------------------------------------------------------------------------------------- */

struct snippets *snippets_create(void)
{
    return calloc(1, sizeof(struct snippets));
}

void snippets_destroy(struct snippets *snippets)
{
    if (!snippets)
        return;
    recent_finish(&snippets->recent);
    snippet_list_finish(&snippets->chosen);
    free(snippets->uri);
    free(snippets);
}

void snippets_note_documents(struct snippets *snippets)
{
    snippets->news++;
}

void snippets_note_edit(struct snippets *snippets, const char *uri, size_t line)
{
    recent_note_edit(&snippets->recent, uri, line);
}

/* Whether a text stands in an open document that is hidden. */
static bool is_from_hidden(const struct documents *documents, const struct workspace *workspace,
                           const char *text, size_t bytes)
{
    bool is_hidden = false;

    for (size_t i = 0; i < documents_count(documents) && !is_hidden; i++) {
        const struct document *document = documents_at(documents, i);
        const struct text *all = document_text(document);
        if (!memmem(text_bytes(all), text_size(all), text, bytes))
            continue;
        char *path = uri_path(document_uri(document));
        is_hidden = !path || workspace_hides(workspace, path);
        free(path);
    }
    return is_hidden;
}

void snippets_note_yank(struct snippets *snippets, const struct documents *documents,
                        const struct workspace *workspace, const char *uri, const char *text,
                        size_t bytes)
{
    char *path = uri_path(uri ? uri : "");

    if (path && !(path[0] && workspace_hides(workspace, path)) &&
        !is_from_hidden(documents, workspace, text, bytes) &&
        recent_note_yank(&snippets->recent, path, text, bytes))
        snippets->news++;
    free(path);
}

/* Whether the choice in force is for another place, or was made from other things. */
static bool is_outdated(const struct snippets *snippets, const struct workspace *workspace,
                        const char *uri, size_t line, size_t budget_tokens)
{
    const size_t distance = line > snippets->line ? line - snippets->line : snippets->line - line;

    return !snippets->uri || strcmp(snippets->uri, uri) != 0 || distance > SNIPPETS_MOVE_LINES ||
           snippets->chosen_news != snippets->news ||
           snippets->generation != workspace_generation(workspace) ||
           snippets->chosen.budget_tokens != budget_tokens;
}

/* Makes the choice anew. False, and the old one stays, when memory is exhausted. */
static bool renew(struct snippets *snippets, const struct viewpoint *viewpoint, size_t line,
                  const struct documents *documents, struct workspace *workspace,
                  size_t budget_tokens)
{
    char *copy = strdup(document_uri(viewpoint->document));
    struct snippet_list chosen;

    if (!copy || !choose(&chosen, &snippets->chosen, viewpoint, documents, workspace,
                         &snippets->recent, budget_tokens)) {
        free(copy);
        return false;
    }
    free(snippets->uri);
    snippet_list_finish(&snippets->chosen);
    snippets->chosen = chosen;
    snippets->uri = copy;
    snippets->line = line;
    snippets->chosen_news = snippets->news;
    snippets->generation = workspace_generation(workspace);
    snippets->asked = (struct asked){0};
    snippets->added = 0;
    return true;
}

/* Adds to the choice what the cursor has come to ask about. */
static void answer_asked(struct snippets *snippets, const struct viewpoint *viewpoint,
                         const struct documents *documents, struct workspace *workspace)
{
    const char *text = text_bytes(document_text(viewpoint->document));
    const struct syntax *syntax = document_syntax(viewpoint->document);
    struct span range;

    if (snippets->added < SNIPPETS_ADDED_MAX &&
        asked_meet(&snippets->asked, syntax, text, viewpoint->cursor, &range) &&
        append(&snippets->chosen, viewpoint, range, documents, workspace))
        snippets->added++;
}

bool snippets_choose(struct snippets *snippets, const struct documents *documents,
                     struct workspace *workspace, struct document *document, size_t cursor,
                     size_t budget_tokens, struct snippet_list *list)
{
    const char *uri = document_uri(document);
    const size_t line = text_position_at(document_text(document), TEXT_UTF8, cursor).line;

    *list = (struct snippet_list){0};
    if (budget_tokens == 0)
        return true;
    char *path = uri_path(uri);
    if (!path)
        return false;

    /* asking is what renews the index, also where the choice stays */
    const struct viewpoint viewpoint = {document, path, cursor};
    workspace_index(workspace);
    bool is_chosen = !is_outdated(snippets, workspace, uri, line, budget_tokens) ||
                     renew(snippets, &viewpoint, line, documents, workspace, budget_tokens);
    if (is_chosen)
        answer_asked(snippets, &viewpoint, documents, workspace);
    free(path);
    return is_chosen && snippet_list_copy(list, &snippets->chosen);
}
