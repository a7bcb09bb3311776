/* Symbols are drafts of which it is known where they stand.
 *
 * Owners follow from nesting: drafts are sorted by place and walked with a stack of those that are still open. What is local to
 * a function is dropped on the way, what stands in a type becomes a method or field of it.
 */
#include "parsers/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/drafts.h"
#include "parsers/marks.h"

enum {
    SYMBOLS_DEPTH = 64, /* of nesting; what is deeper has the owner at this depth */
};

const char *symbol_kind_name(enum symbol_kind kind)
{
    return draft_kind_name(kind);
}

/* Definitions that are open at one place, the innermost last. */
struct nesting {
    const struct draft *open[SYMBOLS_DEPTH];
    size_t depth;
};

static bool is_function(const struct draft *draft)
{
    return draft->kind == SYMBOL_FUNCTION || draft->kind == SYMBOL_METHOD ||
           draft->kind == DRAFT_SCOPE;
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
        if (open->kind != DRAFT_SCOPE && open->whole.start <= outer->whole.start &&
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

static struct span find_doc(const struct drafts *drafts, const struct marks *comments,
                            const char *text, const struct draft *draft)
{
    size_t index = spans_from(&drafts->docs, draft->body);

    if (draft->body && index < drafts->docs.count && drafts->docs.items[index].start == draft->body)
        return drafts->docs.items[index];
    struct span above = marks_comment_above(comments, text, draft->whole.start);
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
static void fill_symbols(struct symbols *symbols, const struct drafts *drafts,
                         const struct marks *comments, const char *text)
{
    struct nesting nesting = {.depth = 0};

    for (size_t i = 0; i < drafts->count && symbols->count < SYMBOLS_LIMIT; i++) {
        const struct draft *draft = &drafts->items[i];
        const struct draft *outer = find_surroundings(&nesting, draft);
        struct span owner =
            draft->owner.end > draft->owner.start ? draft->owner : find_owner(&nesting, outer);

        if (draft->kind != DRAFT_SCOPE && !is_local(draft, outer))
            symbols->items[symbols->count++] = (struct symbol){
                .kind = kind_within(draft, outer),
                .name = draft->name,
                .whole = draft->whole,
                .signature = signature_of(text, draft),
                .doc = find_doc(drafts, comments, text, draft),
                .owner = owner,
            };
        if (nesting.depth < SYMBOLS_DEPTH)
            nesting.open[nesting.depth++] = draft;
    }
}

bool symbols_init(struct symbols *symbols, const struct syntax *syntax, const char *text,
                  size_t bytes)
{
    const TSTree *tree = syntax ? syntax_tree(syntax) : NULL;
    struct drafts drafts = {0};
    struct marks comments = {0};
    bool done = false;

    *symbols = (struct symbols){0};
    if (!tree)
        return true;
    if (!drafts_init(&drafts, syntax, text, bytes) ||
        !marks_init(&comments, syntax_language(syntax), tree, text, (struct span){0, bytes},
                    1u << MARK_COMMENT))
        goto clean;
    symbols->items = malloc((drafts.count + 1) * sizeof *symbols->items);
    if (!symbols->items)
        goto clean;
    fill_symbols(symbols, &drafts, &comments, text);
    symbols->imports = drafts.imports.items;
    symbols->import_count = drafts.imports.count;
    drafts.imports = (struct spans){0};
    done = true;

clean:
    marks_finish(&comments);
    drafts_finish(&drafts);
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
