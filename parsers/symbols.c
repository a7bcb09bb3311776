/* What the captures of queries/<language>/symbols.scm come to.
 *
 * A match is a definition when a capture is named after its kind (@function ... @field) and another gives its @name, or a
 * @declarator of C, which is followed inwards to the name. Where it has a body, @body says where that begins, @head what ends
 * before it; @owner the type that a method is written for. Of several matches for one name the earliest pattern wins.
 * Captures that stand alone: @wrapper, to which a definition that is the @wrapped at its end is extended; @attribute, to which one
 * that follows is; @doc, a docstring where a body begins; @scope, a function without a name; @import.
 *
 * Owners follow from nesting: definitions are sorted by place and walked with a stack of those that are still open.
 */
#include "parsers/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/marks.h"
#include "parsers/query.h"

enum {
    SYMBOLS_PARTS_LIMIT =
        32 * 1024,      /* definitions before they are sifted, attributes and docstrings, of each */
    SYMBOLS_DEPTH = 64, /* of nesting; what is deeper has the owner at this depth */
    SYMBOLS_WRAPPINGS = 8, /* around one definition, and attributes before it */
    DECLARATOR_DEPTH = 32,
};

/* Behind the symbol kinds. */
enum capture {
    CAPTURE_SCOPE = SYMBOL_KINDS,
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

/* A growing array of ranges. */
struct spans {
    struct span *items;
    size_t count;
};

/* A definition as it was matched. */
struct draft {
    int kind; /* enum symbol_kind or CAPTURE_SCOPE */
    int pattern;
    struct span whole, name, owner;
    size_t body; /* where it begins; 0: none */
    size_t head; /* where what stands before the body ends; 0: not known */
};

/* A statement and the definition that is nearly all of it. */
struct wrapping {
    struct span wrapped, wrapper;
};

struct collection {
    const char *text;
    struct draft *drafts;
    size_t count;
    struct wrapping *wrappings;
    size_t wrapping_count;
    struct spans imports, attributes, docs;
};

const char *symbol_kind_name(enum symbol_kind kind)
{
    return capture_names[kind];
}

/* Matches */

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
        return append_span(&all->imports, strip_quotes(all->text, span), SYMBOLS_IMPORT_LIMIT);
    if (capture == CAPTURE_ATTRIBUTE)
        return append_span(&all->attributes, span, SYMBOLS_PARTS_LIMIT);
    return capture != CAPTURE_DOC || append_span(&all->docs, span, SYMBOLS_PARTS_LIMIT);
}

/* Whether [from, to) holds nothing but white space and semicolons. */
static bool is_void(const char *text, size_t from, size_t to)
{
    while (from < to && text[from] && strchr(" \t\r\n\f;", text[from]))
        from++;
    return from >= to;
}

static bool append_draft(struct collection *all, struct draft draft)
{
    struct draft *drafts = room_for_one(all->drafts, all->count, sizeof *drafts);

    if (!drafts)
        return false;
    all->drafts = drafts;
    drafts[all->count++] = draft;
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
    return append_draft(all, draft);
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

/* Index of the first range that starts at or after `offset`. */
static size_t spans_from(const struct spans *spans, size_t offset)
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

    for (int i = 0; i < SYMBOLS_WRAPPINGS && (wrapping = find_wrapping(all, *whole)); i++)
        *whole = wrapping->wrapper;
    size_t index = spans_from(&all->attributes, whole->start);
    for (int steps = 0; steps < SYMBOLS_WRAPPINGS && index > 0; steps++) {
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
    size_t kept = 0;

    if (all->count == 0)
        return;
    qsort(all->drafts, all->count, sizeof *all->drafts, compare_names);
    for (size_t i = 0; i < all->count; i++) {
        struct draft *draft = &all->drafts[i];
        bool is_known = kept > 0 && draft->kind != CAPTURE_SCOPE &&
                        all->drafts[kept - 1].kind != CAPTURE_SCOPE &&
                        all->drafts[kept - 1].name.start == draft->name.start;
        if (is_known)
            continue;
        extend_whole(all, &draft->whole);
        all->drafts[kept++] = *draft;
    }
    all->count = kept;
    qsort(all->drafts, all->count, sizeof *all->drafts, compare_drafts);
}

/* Owners */

/* Definitions that are open at one place, the innermost last. */
struct nesting {
    const struct draft *open[SYMBOLS_DEPTH];
    size_t depth;
};

static bool is_function(const struct draft *draft)
{
    return draft->kind == SYMBOL_FUNCTION || draft->kind == SYMBOL_METHOD ||
           draft->kind == CAPTURE_SCOPE;
}

static bool is_container(const struct draft *draft)
{
    return is_function(draft) || draft->kind == SYMBOL_TYPE || draft->kind == SYMBOL_MODULE;
}

/* Closes what ended before `draft`, then finds the innermost definition that counts as its surroundings. */
static const struct draft *find_surroundings(struct nesting *nesting, const struct draft *draft)
{
    while (nesting->depth > 0 && nesting->open[nesting->depth - 1]->whole.end <= draft->whole.start)
        nesting->depth--;
    for (size_t i = nesting->depth; i > 0; i--) {
        const struct draft *outer = nesting->open[i - 1];
        bool owns = is_container(outer) || draft->kind == SYMBOL_METHOD;
        bool is_larger =
            outer->whole.start < draft->whole.start || outer->whole.end > draft->whole.end;
        if (owns && is_larger && outer->whole.end >= draft->whole.end)
            return outer;
    }
    return NULL;
}

/* The nearest name around it. */
static struct span find_owner(const struct nesting *nesting, const struct draft *outer)
{
    for (size_t i = nesting->depth; outer && i > 0; i--) {
        const struct draft *open = nesting->open[i - 1];
        if (open->kind != CAPTURE_SCOPE && open->whole.start <= outer->whole.start &&
            open->whole.end >= outer->whole.end)
            return open->name;
    }
    return (struct span){0};
}

/* Whether a definition counts beyond the function that it may stand in. */
static bool is_local(const struct draft *draft, const struct draft *outer)
{
    bool is_value = draft->kind == SYMBOL_VARIABLE || draft->kind == SYMBOL_CONSTANT ||
                    (draft->kind == SYMBOL_FUNCTION && !draft->body && !draft->head);

    return is_value && outer && is_function(outer);
}

/* A function in a type is a method, a variable a field. */
static enum symbol_kind kind_within(const struct draft *draft, const struct draft *outer)
{
    bool has_type = (outer && outer->kind == SYMBOL_TYPE) || draft->owner.end > draft->owner.start;

    if (draft->kind == SYMBOL_FUNCTION && has_type)
        return SYMBOL_METHOD;
    if (draft->kind == SYMBOL_VARIABLE && outer && outer->kind == SYMBOL_TYPE)
        return SYMBOL_FIELD;
    return (enum symbol_kind)draft->kind;
}

static struct span find_doc(const struct collection *all, const struct marks *comments,
                            const struct draft *draft)
{
    size_t index = spans_from(&all->docs, draft->body);

    if (draft->body && index < all->docs.count && all->docs.items[index].start == draft->body)
        return all->docs.items[index];
    struct span above = marks_comment_above(comments, all->text, draft->whole.start);
    return above.end > above.start ? above : (struct span){0};
}

static struct span signature_of(const char *text, const struct draft *draft)
{
    size_t end = draft->head ? draft->head : draft->body ? draft->body : draft->whole.end;

    while (end > draft->whole.start && strchr(" \t\r\n\f", text[end - 1]))
        end--;
    return (struct span){draft->whole.start, end};
}

/* Makes symbols of the drafts, which lie in order. */
static void fill_symbols(struct symbols *symbols, const struct collection *all,
                         const struct marks *comments)
{
    struct nesting nesting = {.depth = 0};

    for (size_t i = 0; i < all->count && symbols->count < SYMBOLS_LIMIT; i++) {
        const struct draft *draft = &all->drafts[i];
        const struct draft *outer = find_surroundings(&nesting, draft);
        struct span owner =
            draft->owner.end > draft->owner.start ? draft->owner : find_owner(&nesting, outer);

        if (draft->kind != CAPTURE_SCOPE && !is_local(draft, outer))
            symbols->items[symbols->count++] = (struct symbol){
                .kind = kind_within(draft, outer),
                .name = draft->name,
                .whole = draft->whole,
                .signature = signature_of(all->text, draft),
                .doc = find_doc(all, comments, draft),
                .owner = owner,
            };
        if (nesting.depth < SYMBOLS_DEPTH)
            nesting.open[nesting.depth++] = draft;
    }
}

static bool collect(struct collection *all, const struct syntax *syntax, size_t bytes)
{
    struct query_run run;
    TSQueryMatch match;
    bool done = true;

    if (!query_run_init(&run, syntax_language(syntax), QUERY_SYMBOLS, syntax_tree(syntax),
                        all->text, (struct span){0, bytes}))
        return false;
    while (done && all->count < SYMBOLS_PARTS_LIMIT && query_run_next(&run, &match))
        done = read_match(all, &run, &match);
    query_run_finish(&run);
    return done;
}

bool symbols_init(struct symbols *symbols, const struct syntax *syntax, const char *text,
                  size_t bytes)
{
    struct collection all = {.text = text};
    struct marks comments = {0};
    bool done = false;

    *symbols = (struct symbols){0};
    if (!syntax || !syntax_tree(syntax))
        return true;
    if (!collect(&all, syntax, bytes) ||
        !marks_init(&comments, syntax_language(syntax), syntax_tree(syntax), text,
                    (struct span){0, bytes}, 1u << MARK_COMMENT))
        goto clean;
    sort_wrappings(&all);
    sort_spans(&all.attributes);
    sort_spans(&all.docs);
    sort_spans(&all.imports);
    settle_drafts(&all);

    symbols->items = malloc((all.count + 1) * sizeof *symbols->items);
    if (!symbols->items)
        goto clean;
    fill_symbols(symbols, &all, &comments);
    symbols->imports = all.imports.items;
    symbols->import_count = all.imports.count;
    all.imports.items = NULL;
    done = true;

clean:
    marks_finish(&comments);
    free(all.imports.items);
    free(all.wrappings);
    free(all.attributes.items);
    free(all.docs.items);
    free(all.drafts);
    return done;
}

void symbols_finish(struct symbols *symbols)
{
    free(symbols->items);
    free(symbols->imports);
    *symbols = (struct symbols){0};
}

const struct symbol *symbols_enclosing(const struct symbols *symbols, size_t offset)
{
    const struct symbol *found = NULL;

    for (size_t i = 0; i < symbols->count && symbols->items[i].whole.start <= offset; i++) {
        const struct symbol *symbol = &symbols->items[i];
        bool encloses = symbol->kind != SYMBOL_VARIABLE && symbol->kind != SYMBOL_CONSTANT &&
                        symbol->kind != SYMBOL_FIELD;
        if (encloses && offset <= symbol->whole.end)
            found = symbol;
    }
    return found;
}
