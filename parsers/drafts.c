/* Matches of the symbols query become drafts, one for each name, each as large as what belongs to it.
 *
 * What wraps a definition is found by its range: the query captures a statement together with the definition that it ends
 * with, so a definition of exactly that range is the one meant.
 */
#include "parsers/drafts.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/query.h"

enum {
    DRAFTS_LIMIT = 32 * 1024, /* before they are sifted, and of each kind of part */
    DRAFT_WRAPPINGS = 8,      /* around one definition, and attributes before it */
    DECLARATOR_DEPTH = 32,
};

/* Behind the symbol kinds. */
enum capture {
    CAPTURE_SCOPE = DRAFT_SCOPE,
    CAPTURE_NAME,
    CAPTURE_DECLARATOR,
    CAPTURE_BODY,
    CAPTURE_HEAD,
    CAPTURE_OWNER,
    CAPTURE_IMPORT,
    CAPTURE_WRAPPER,
    CAPTURE_WRAPPED,
    CAPTURE_ATTRIBUTE,
    CAPTURE_DOC,
    CAPTURES,
};

static const char *const capture_names[CAPTURES] = {
    [SYMBOL_FUNCTION] = "function",
    [SYMBOL_METHOD] = "method",
    [SYMBOL_TYPE] = "type",
    [SYMBOL_VARIABLE] = "variable",
    [SYMBOL_CONSTANT] = "constant",
    [SYMBOL_MACRO] = "macro",
    [SYMBOL_MODULE] = "module",
    [SYMBOL_FIELD] = "field",
    [CAPTURE_SCOPE] = "scope",
    [CAPTURE_NAME] = "name",
    [CAPTURE_DECLARATOR] = "declarator",
    [CAPTURE_BODY] = "body",
    [CAPTURE_HEAD] = "head",
    [CAPTURE_OWNER] = "owner",
    [CAPTURE_IMPORT] = "import",
    [CAPTURE_WRAPPER] = "wrapper",
    [CAPTURE_WRAPPED] = "wrapped",
    [CAPTURE_ATTRIBUTE] = "attribute",
    [CAPTURE_DOC] = "doc",
};

/* A statement and the definition that is nearly all of it. */
struct wrapping {
    struct span wrapped, wrapper;
};

/* What is put together while matches come in. */
struct collection {
    const char *text;
    struct drafts drafts;
    struct wrapping *wrappings;
    size_t wrapping_count;
    struct spans attributes;
};

const char *draft_kind_name(enum symbol_kind kind)
{
    return capture_names[kind];
}

/* Matches */

/* Beyond the limit it is left out. False when memory is exhausted. */
static bool append_span(struct spans *spans, struct span span, size_t limit)
{
    if (spans->count >= limit)
        return true;
    struct span *items = room_for_one(spans->items, spans->count, sizeof *items);
    if (!items)
        return false;
    spans->items = items;
    items[spans->count++] = span;
    return true;
}

/* Follows a declarator of C or C++ inwards to the name that it declares; the qualifier before it becomes the owner. */
static void read_declarator(struct draft *draft, TSNode node)
{
    for (int depth = 0; depth < DECLARATOR_DEPTH; depth++) {
        const char *type = ts_node_type(node);
        TSNode inner = ts_node_child_by_field_name(node, "declarator", 10);

        if (!strcmp(type, "qualified_identifier")) {
            TSNode scope = ts_node_child_by_field_name(node, "scope", 5);
            TSNode bare =
                ts_node_is_null(scope) ? scope : ts_node_child_by_field_name(scope, "name", 4);
            if (!ts_node_is_null(scope))
                draft->owner = node_span(ts_node_is_null(bare) ? scope : bare);
            inner = ts_node_child_by_field_name(node, "name", 4);
        }
        if (!strcmp(type, "parenthesized_declarator") || !strcmp(type, "reference_declarator"))
            inner = ts_node_named_child(node, 0);
        if (ts_node_is_null(inner))
            break;
        /* "int f(int)" declares a function, "int (*f)(int)" a variable */
        bool is_call = !strcmp(type, "function_declarator") &&
                       strcmp(ts_node_type(inner), "parenthesized_declarator") != 0;
        if (is_call && (draft->kind == SYMBOL_VARIABLE || draft->kind == SYMBOL_FIELD))
            draft->kind = draft->kind == SYMBOL_FIELD ? SYMBOL_METHOD : SYMBOL_FUNCTION;
        node = inner;
    }
    draft->name = node_span(node);
}

/* A module's name or path as a string holds it: without what surrounds it. */
static struct span strip_quotes(const char *text, struct span span)
{
    bool is_quoted = span.end - span.start >= 2 && strchr("\"'`<", text[span.start]) != NULL;

    return is_quoted ? (struct span){span.start + 1, span.end - 1} : span;
}

/* Notes a capture that stands alone; false when memory is exhausted. */
static bool note_part(struct collection *all, enum capture capture, struct span span)
{
    if (capture == CAPTURE_IMPORT)
        return append_span(&all->drafts.imports, strip_quotes(all->text, span),
                           SYMBOLS_IMPORT_LIMIT);
    if (capture == CAPTURE_ATTRIBUTE)
        return append_span(&all->attributes, span, DRAFTS_LIMIT);
    return capture != CAPTURE_DOC || append_span(&all->drafts.docs, span, DRAFTS_LIMIT);
}

/* Whether [from, to) holds nothing but white space and semicolons. */
static bool is_void(const char *text, size_t from, size_t to)
{
    while (from < to && text[from] && strchr(" \t\r\n\f;", text[from]))
        from++;
    return from >= to;
}

static bool append_draft(struct drafts *drafts, struct draft draft)
{
    struct draft *items = room_for_one(drafts->items, drafts->count, sizeof *items);

    if (!items)
        return false;
    drafts->items = items;
    items[drafts->count++] = draft;
    return true;
}

static bool append_wrapping(struct collection *all, struct wrapping wrapping)
{
    struct wrapping *wrappings =
        room_for_one(all->wrappings, all->wrapping_count, sizeof *wrappings);

    if (!wrappings)
        return false;
    all->wrappings = wrappings;
    wrappings[all->wrapping_count++] = wrapping;
    return true;
}

/* Adds what one match says. */
static bool read_match(struct collection *all, const struct query_run *run,
                       const TSQueryMatch *match)
{
    struct draft draft = {.kind = CAPTURES, .pattern = match->pattern_index};
    struct wrapping wrapping = {0};
    TSNode declarator = {0};

    for (uint16_t i = 0; i < match->capture_count; i++) {
        TSNode node = match->captures[i].node;
        int capture = query_capture_index(run, match->captures[i].index, capture_names, CAPTURES);

        if (capture <= CAPTURE_SCOPE) {
            draft.kind = capture;
            draft.whole = node_span(node);
        } else if (capture == CAPTURE_NAME) {
            draft.name = node_span(node);
        } else if (capture == CAPTURE_DECLARATOR) {
            declarator = node;
        } else if (capture == CAPTURE_BODY) {
            draft.body = ts_node_start_byte(node);
        } else if (capture == CAPTURE_HEAD) {
            draft.head = ts_node_end_byte(node);
        } else if (capture == CAPTURE_OWNER) {
            draft.owner = node_span(node);
        } else if (capture == CAPTURE_WRAPPER) {
            wrapping.wrapper = node_span(node);
        } else if (capture == CAPTURE_WRAPPED) {
            wrapping.wrapped = node_span(node);
        } else if (!note_part(all, (enum capture)capture, node_span(node))) {
            return false;
        }
    }
    if (wrapping.wrapper.end > 0)
        return !is_void(all->text, wrapping.wrapped.end, wrapping.wrapper.end) ||
               append_wrapping(all, wrapping);
    if (declarator.id)
        read_declarator(&draft, declarator);
    bool is_named = draft.name.end > draft.name.start;
    if (draft.kind == CAPTURES || (draft.kind != CAPTURE_SCOPE && !is_named))
        return true;
    return append_draft(&all->drafts, draft);
}

/* Extents */

static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end < b->end) - (a->end > b->end);
}

static void sort_spans(struct spans *spans)
{
    if (spans->count > 0)
        qsort(spans->items, spans->count, sizeof *spans->items, compare_spans);
}

size_t spans_from(const struct spans *spans, size_t offset)
{
    size_t low = 0, high = spans->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spans->items[middle].start < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int compare_wrappings(const void *left, const void *right)
{
    const struct wrapping *a = left, *b = right;

    return compare_spans(&a->wrapped, &b->wrapped);
}

static void sort_wrappings(struct collection *all)
{
    if (all->wrapping_count > 0)
        qsort(all->wrappings, all->wrapping_count, sizeof *all->wrappings, compare_wrappings);
}

/* The statement that `span` is wrapped in, NULL if none. */
static const struct wrapping *find_wrapping(const struct collection *all, struct span span)
{
    struct wrapping key = {.wrapped = span};

    return all->wrapping_count == 0
               ? NULL
               : bsearch(&key, all->wrappings, all->wrapping_count, sizeof key, compare_wrappings);
}

/* Makes a definition begin where what belongs to it begins: the statement that it is part of, the attributes before it. */
static void extend_whole(const struct collection *all, struct span *whole)
{
    const struct wrapping *wrapping;

    for (int i = 0; i < DRAFT_WRAPPINGS && (wrapping = find_wrapping(all, *whole)); i++)
        *whole = wrapping->wrapper;
    size_t index = spans_from(&all->attributes, whole->start);
    for (int steps = 0; steps < DRAFT_WRAPPINGS && index > 0; steps++) {
        struct span attribute = all->attributes.items[--index];
        if (attribute.end > whole->start || !is_void(all->text, attribute.end, whole->start))
            break;
        whole->start = attribute.start;
    }
}

/* By place, what encloses first; of one name the match that counts first. */
static int compare_drafts(const void *left, const void *right)
{
    const struct draft *a = left, *b = right;
    int order = compare_spans(&a->whole, &b->whole);

    if (order)
        return order;
    if (a->name.start != b->name.start)
        return a->name.start < b->name.start ? -1 : 1;
    return a->pattern - b->pattern;
}

static int compare_names(const void *left, const void *right)
{
    const struct draft *a = left, *b = right;

    if (a->name.start != b->name.start)
        return a->name.start < b->name.start ? -1 : 1;
    return a->pattern - b->pattern;
}

/* Keeps one match of each name, and sorts what is left. */
static void settle_drafts(struct collection *all)
{
    struct draft *items = all->drafts.items;
    size_t kept = 0;

    if (all->drafts.count == 0)
        return;
    qsort(items, all->drafts.count, sizeof *items, compare_names);
    for (size_t i = 0; i < all->drafts.count; i++) {
        bool is_known = kept > 0 && items[i].kind != DRAFT_SCOPE &&
                        items[kept - 1].kind != DRAFT_SCOPE &&
                        items[kept - 1].name.start == items[i].name.start;
        if (is_known)
            continue;
        extend_whole(all, &items[i].whole);
        items[kept++] = items[i];
    }
    all->drafts.count = kept;
    qsort(items, kept, sizeof *items, compare_drafts);
}

/* Door */

static bool collect_matches(struct collection *all, const struct syntax *syntax, size_t bytes)
{
    struct query_run run;
    TSQueryMatch match;
    bool done = true;

    if (!query_run_init(&run, syntax_language(syntax), QUERY_SYMBOLS, syntax_tree(syntax),
                        all->text, (struct span){0, bytes}))
        return false;
    while (done && all->drafts.count < DRAFTS_LIMIT && all->wrapping_count < DRAFTS_LIMIT &&
           query_run_next(&run, &match))
        done = read_match(all, &run, &match);
    query_run_finish(&run);
    return done;
}

bool drafts_init(struct drafts *drafts, const struct syntax *syntax, const char *text, size_t bytes)
{
    struct collection all = {.text = text};
    bool done = collect_matches(&all, syntax, bytes);

    if (done) {
        sort_wrappings(&all);
        sort_spans(&all.attributes);
        sort_spans(&all.drafts.docs);
        sort_spans(&all.drafts.imports);
        settle_drafts(&all);
    }
    free(all.wrappings);
    free(all.attributes.items);
    *drafts = all.drafts;
    if (!done)
        drafts_finish(drafts);
    return done;
}

void drafts_finish(struct drafts *drafts)
{
    free(drafts->items);
    free(drafts->imports.items);
    free(drafts->docs.items);
    *drafts = (struct drafts){0};
}
