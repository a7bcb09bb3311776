/* Scores are made to be compared across sources: a definition of a name that stands beside the cursor is worth 2 to 3, a place
 * edited or a text copied a moment ago about 1, a region three times its likeness, of which 0.3 is much. */
#include "lsp/context/gather.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/protocol/uri.h"
#include "parsers/names.h"

enum {
    NAME_DEFINITIONS = 8,   /* a name with more definitions says nothing */
    NAMES_BYTES = 8 * 1024, /* around the cursor */
    IMPORT_STEM_BYTES = 2,  /* shorter names of files are in too many words */
};

static const double region_weight = 3.0, region_least = 0.1, edited_worth = 0.7, yanked_worth = 0.9,
                    newest_bonus = 0.3, imported_bonus = 0.5, folder_bonus = 0.25;

const char *gather_why_name(enum gather_why why)
{
    static const char *const names[] = {"definition", "open", "edited", "yanked"};

    return names[why];
}

static void add_piece(struct gathering *gathering, struct piece piece)
{
    if (gathering->count < GATHER_PIECES && piece.bytes > 0)
        gathering->pieces[gathering->count++] = piece;
}

/* --- lines ------------------------------------------------------------------------------------------------------------ */

/* The lines from `first` on, `count` of them or as many as there are. */
static struct span lines_span(const struct text *text, size_t first, size_t count)
{
    const size_t lines = text_line_count(text);
    const size_t behind = first + count < lines ? first + count : lines;

    return (struct span){text_line_start(text, first),
                         behind < lines ? text_line_start(text, behind) : text_size(text)};
}

/* Up to `near` lines above and below a line. */
static struct span near_span(const struct text *text, size_t line, size_t near)
{
    const size_t first = line > near ? line - near : 0;

    return lines_span(text, first, line - first + near + 1);
}

/* --- documents -------------------------------------------------------------------------------------------------------- */

/* The other open documents that may be shown. */
static void find_neighbours(struct gathering *gathering, const struct viewpoint *viewpoint,
                            const struct documents *documents, const struct workspace *workspace)
{
    size_t bytes = 0;

    for (size_t i = 0; i < documents_count(documents); i++) {
        struct document *document = documents_at(documents, i);
        const size_t size = text_size(document_text(document));
        if (document == viewpoint->document || size > DEFINITIONS_FILE_BYTES ||
            bytes + size > GATHER_BYTES || gathering->neighbour_count == GATHER_DOCUMENTS)
            continue;
        char *path = uri_path(document_uri(document));
        if (!path || workspace_hides(workspace, path)) {
            free(path);
            continue;
        }
        bytes += size;
        gathering->neighbours[gathering->neighbour_count++] =
            (struct neighbour){.document = document, .path = path};
    }
}

static const struct neighbour *neighbour_find(const struct gathering *gathering, const char *uri)
{
    for (size_t i = 0; i < gathering->neighbour_count; i++)
        if (strcmp(document_uri(gathering->neighbours[i].document), uri) == 0)
            return &gathering->neighbours[i];
    return NULL;
}

static bool is_neighbour_path(const struct gathering *gathering, const char *path)
{
    for (size_t i = 0; i < gathering->neighbour_count; i++)
        if (strcmp(gathering->neighbours[i].path, path) == 0)
            return true;
    return false;
}

/* --- regions ---------------------------------------------------------------------------------------------------------- */

static void gather_region(struct gathering *gathering, const struct neighbour *neighbour,
                          struct likeness *words)
{
    const struct text *text = document_text(neighbour->document);
    struct piece best = {.why = GATHER_OPEN, .path = neighbour->path, .source = text};

    for (size_t line = 0; line < text_line_count(text); line += GATHER_REGION_LINES / 2) {
        const struct span span = lines_span(text, line, GATHER_REGION_LINES);
        const size_t bytes = span.end - span.start;
        const double score =
            region_weight * likeness_words(words, text_bytes(text) + span.start, bytes);
        if (score > best.score) {
            best.score = score;
            best.text = text_bytes(text) + span.start;
            best.bytes = bytes;
        }
    }
    if (best.score >= region_weight * region_least)
        add_piece(gathering, best);
}

/* The newer, the more: `i` counts from the oldest one. */
static double recency(size_t i, size_t count)
{
    return newest_bonus * (double)(i + 1) / (double)count;
}

static void gather_recent(struct gathering *gathering, const struct recent *recent,
                          struct likeness *words)
{
    for (size_t i = 0; i < recent->edit_count; i++) {
        const struct neighbour *neighbour = neighbour_find(gathering, recent->edits[i].uri);
        if (!neighbour)
            continue;
        const struct text *text = document_text(neighbour->document);
        const struct span span = near_span(text, recent->edits[i].line, GATHER_REGION_LINES / 2);
        const char *bytes = text_bytes(text) + span.start;
        const double likeness = likeness_words(words, bytes, span.end - span.start);
        add_piece(gathering,
                  (struct piece){GATHER_EDITED,
                                 edited_worth + recency(i, recent->edit_count) + likeness,
                                 neighbour->path, bytes, span.end - span.start, text});
    }
    for (size_t i = 0; i < recent->yank_count; i++) {
        const struct recent_yank *yank = &recent->yanks[i];
        add_piece(gathering,
                  (struct piece){GATHER_YANKED, yanked_worth + recency(i, recent->yank_count),
                                 yank->path, yank->text, yank->bytes, NULL});
    }
}

/* --- definitions ------------------------------------------------------------------------------------------------------ */

/* Languages whose files can use one another's names go by one of them. */
static const char *family(const struct language *language)
{
    const char *name = language ? language_name(language) : "";

    if (strcmp(name, "cpp") == 0)
        return "c";
    return strcmp(name, "typescript") == 0 || strcmp(name, "tsx") == 0 ? "javascript" : name;
}

/* A name around the cursor, and what the file around it defines and imports. */
struct wanted {
    const struct viewpoint *viewpoint;
    const char *text; /* the document's */
    struct symbols symbols;
    struct span name;
    double nearness; /* 0..1 */
};

static bool is_defined_here(const struct wanted *wanted)
{
    const size_t bytes = wanted->name.end - wanted->name.start;

    for (size_t i = 0; i < wanted->symbols.count; i++) {
        const struct span name = wanted->symbols.items[i].name;
        if (name.end - name.start == bytes &&
            memcmp(wanted->text + name.start, wanted->text + wanted->name.start, bytes) == 0)
            return true;
    }
    return false;
}

/* Whether an import of the file speaks of the file at `path`: its name without the ending. */
static bool is_imported(const struct wanted *wanted, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *stem = slash ? slash + 1 : path;
    const size_t bytes = strcspn(stem, ".");

    for (size_t i = 0; bytes >= IMPORT_STEM_BYTES && i < wanted->symbols.import_count; i++) {
        const struct span import = wanted->symbols.imports[i];
        if (memmem(wanted->text + import.start, import.end - import.start, stem, bytes))
            return true;
    }
    return false;
}

static bool is_same_folder(const char *path, const char *other)
{
    const char *slash = strrchr(path, '/');

    return slash && strncmp(path, other, (size_t)(slash - path) + 1) == 0 &&
           !strchr(other + (slash - path) + 1, '/');
}

/* Adds one definition out of `count` of its name. */
static void add_definition(struct gathering *gathering, const struct wanted *wanted,
                           const struct definition *definition, size_t count)
{
    const struct language *language = language_find(NULL, definition->path);

    if (strcmp(family(language), family(document_language(wanted->viewpoint->document))) != 0 ||
        strcmp(definition->path, wanted->viewpoint->path) == 0)
        return;
    const double score =
        1.0 + wanted->nearness + 1.0 / (double)count +
        (is_imported(wanted, definition->path) ? imported_bonus : 0) +
        (is_same_folder(wanted->viewpoint->path, definition->path) ? folder_bonus : 0);
    add_piece(gathering, (struct piece){GATHER_DEFINITION, score, definition->path,
                                        definition->text, definition->bytes, NULL});
}

/* Definitions of the wanted name in open documents, which are newer than their files, and in the index. */
static void gather_name(struct gathering *gathering, const struct wanted *wanted,
                        const struct index *index)
{
    const char *name = wanted->text + wanted->name.start;
    const size_t bytes = wanted->name.end - wanted->name.start;
    const struct definition *found[2 * NAME_DEFINITIONS];
    size_t count = 0;

    for (size_t i = 0; i < gathering->neighbour_count; i++) {
        const struct definitions *list = gathering->neighbours[i].definitions;
        for (size_t k = 0; list && k < list->count && count < NAME_DEFINITIONS; k++)
            if (strlen(list->items[k].name) == bytes &&
                memcmp(list->items[k].name, name, bytes) == 0)
                found[count++] = &list->items[k];
    }
    if (index) {
        const struct definition *indexed[NAME_DEFINITIONS];
        const size_t all = index_find(index, name, bytes, indexed, NAME_DEFINITIONS);
        for (size_t i = 0; i < all && all <= NAME_DEFINITIONS; i++)
            if (!is_neighbour_path(gathering, indexed[i]->path))
                found[count++] = indexed[i];
    }
    for (size_t i = 0; i < count && count <= NAME_DEFINITIONS; i++)
        add_definition(gathering, wanted, found[i], count);
}

static void gather_definitions(struct gathering *gathering, const struct viewpoint *viewpoint,
                               struct span near, const struct index *index)
{
    const struct text *text = document_text(viewpoint->document);
    const struct syntax *syntax = document_syntax(viewpoint->document);
    struct wanted wanted = {.viewpoint = viewpoint, .text = text_bytes(text)};
    struct names names = {0};

    if (!syntax || !symbols_init(&wanted.symbols, syntax, text_bytes(text), text_size(text)))
        return;
    for (size_t i = 0; i < gathering->neighbour_count; i++) {
        struct neighbour *neighbour = &gathering->neighbours[i];
        neighbour->definitions = document_definitions(neighbour->document);
    }

    /* nearest names first */
    if (viewpoint->cursor - near.start > NAMES_BYTES)
        near.start = viewpoint->cursor - NAMES_BYTES;
    if (near.end - viewpoint->cursor > NAMES_BYTES)
        near.end = viewpoint->cursor + NAMES_BYTES;
    if (names_init(&names, syntax, text_bytes(text), near, viewpoint->cursor)) {
        for (size_t i = 0; i < names.count; i++) {
            wanted.name = names.items[i];
            wanted.nearness = 1.0 - (double)i / (double)names.count;
            if (!is_defined_here(&wanted))
                gather_name(gathering, &wanted, index);
        }
        names_finish(&names);
    }
    symbols_finish(&wanted.symbols);
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */

/* Best first; what is equally good stays in the order of its path and text, so that the same pieces give the same choice. */
static int piece_compare(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    const int order = strcmp(a->path, b->path);
    return order ? order : (a->text > b->text) - (a->text < b->text);
}

void gather(struct gathering *gathering, const struct viewpoint *viewpoint,
            const struct documents *documents, struct workspace *workspace,
            const struct recent *recent)
{
    const struct text *text = document_text(viewpoint->document);
    const size_t line = text_position_at(text, TEXT_UTF8, viewpoint->cursor).line;
    const struct span near = near_span(text, line, GATHER_NEAR_LINES);
    struct likeness words;

    gathering->count = gathering->neighbour_count = 0;
    find_neighbours(gathering, viewpoint, documents, workspace);
    if (likeness_of_words(&words, text_bytes(text) + near.start, near.end - near.start)) {
        for (size_t i = 0; i < gathering->neighbour_count; i++)
            gather_region(gathering, &gathering->neighbours[i], &words);
        gather_recent(gathering, recent, &words);
    }
    likeness_finish(&words);
    gather_definitions(gathering, viewpoint, near, workspace_index(workspace));
    qsort(gathering->pieces, gathering->count, sizeof *gathering->pieces, piece_compare);
}

void gather_asked(struct gathering *gathering, const struct viewpoint *viewpoint, struct span range,
                  const struct documents *documents, struct workspace *workspace)
{
    gathering->count = gathering->neighbour_count = 0;
    find_neighbours(gathering, viewpoint, documents, workspace);
    gather_definitions(gathering, viewpoint, range, workspace_index(workspace));
    qsort(gathering->pieces, gathering->count, sizeof *gathering->pieces, piece_compare);
}

void gather_finish(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->neighbour_count; i++)
        free(gathering->neighbours[i].path);
    gathering->count = gathering->neighbour_count = 0;
}
