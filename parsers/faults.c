/* Tree-sitter marks what its grammar cannot read. The grammars of HTML and JSX can read more than is right: HTML's ends an
 * element wherever one around it ends, which is allowed for some names only (HTML, 13.1.2.4, "Optional tags"), and JSX's does
 * not compare names. An element without an end at all is an error to both. */
#include "parsers/faults.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES = 64 }; /* of an element; what is longer is compared as far as that */

/* Which nodes of a language are looked at; 0 where it has none. */
struct tags {
    TSSymbol stray;       /* a tag that closes nothing */
    TSSymbol element;     /* of HTML */
    TSSymbol jsx_element; /* of JSX */
};

static TSSymbol symbol_of(const TSTree *tree, const char *name)
{
    return ts_language_symbol_for_name(ts_tree_language(tree), name, (uint32_t)strlen(name), true);
}

/* Copies the text of a node, NUL-terminated and cut where it is too long. */
static void copy_text(char name[NAME_BYTES], const struct pieces *text, TSNode node)
{
    size_t start = ts_node_start_byte(node), left = ts_node_end_byte(node) - start, copied = 0;

    left = left < NAME_BYTES ? left : NAME_BYTES - 1;
    for (int i = 0; i < PIECES_MAX && left > 0; i++) {
        const struct piece *piece = &text->items[i];
        if (start >= piece->bytes) {
            start -= piece->bytes;
            continue;
        }
        const size_t room = piece->bytes - start, count = left < room ? left : room;
        memcpy(name + copied, piece->text + start, count);
        copied += count;
        left -= count;
        start = 0;
    }
    name[copied] = '\0';
}

/* Whether HTML lets an element of this name go without an end tag: it has none, or its end is understood. */
static bool may_stay_open(const char *name)
{
    static const char *const names[] = {
        "area",     "base",    "br",     "col",   "embed", "hr",   "img",  "input",  "link",
        "meta",     "param",   "source", "track", "wbr",   "html", "head", "body",   "p",
        "li",       "dt",      "dd",     "rb",    "rt",    "rtc",  "rp",   "option", "optgroup",
        "colgroup", "caption", "thead",  "tbody", "tfoot", "tr",   "td",   "th",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i]))
            return true;
    return false;
}

/* Whether an element of HTML begins and does not end. */
static bool stays_open(const struct pieces *text, TSNode element)
{
    const uint32_t count = ts_node_named_child_count(element);
    char name[NAME_BYTES];

    if (count == 0)
        return false;
    const TSNode start = ts_node_named_child(element, 0);
    const TSNode last = ts_node_named_child(element, count - 1);
    if (strcmp(ts_node_type(start), "start_tag") != 0 || !strcmp(ts_node_type(last), "end_tag"))
        return false;
    copy_text(name, text, ts_node_named_child(start, 0));
    return !may_stay_open(name);
}

/* Whether an element of JSX ends under another name than it began with. */
static bool is_ill_matched(const struct pieces *text, TSNode element)
{
    const TSNode open = ts_node_child_by_field_name(element, "open_tag", 8);
    const TSNode close = ts_node_child_by_field_name(element, "close_tag", 9);
    char names[2][NAME_BYTES] = {"", ""};

    if (ts_node_is_null(open) || ts_node_is_null(close))
        return false;
    const TSNode opened = ts_node_child_by_field_name(open, "name", 4);
    const TSNode closed = ts_node_child_by_field_name(close, "name", 4);
    if (!ts_node_is_null(opened))
        copy_text(names[0], text, opened);
    if (!ts_node_is_null(closed))
        copy_text(names[1], text, closed);
    return strcmp(names[0], names[1]) != 0;
}

/* Whether a node is an error as a whole, so that its insides are not counted again. */
static bool is_error(TSNode node, const struct tags *tags)
{
    return ts_node_is_missing(node) || !strcmp(ts_node_type(node), "ERROR") ||
           (tags->stray != 0 && ts_node_symbol(node) == tags->stray);
}

static bool has_bad_tags(TSNode node, const struct tags *tags, const struct pieces *text)
{
    const TSSymbol symbol = ts_node_symbol(node);

    return (tags->element != 0 && symbol == tags->element && stays_open(text, node)) ||
           (tags->jsx_element != 0 && symbol == tags->jsx_element && is_ill_matched(text, node));
}

/* Moves to the next node in order, skipping below the present one unless `enter`. False at the end. */
static bool cursor_advance(TSTreeCursor *cursor, bool enter)
{
    if (enter && ts_tree_cursor_goto_first_child(cursor))
        return true;
    while (!ts_tree_cursor_goto_next_sibling(cursor)) {
        if (!ts_tree_cursor_goto_parent(cursor))
            return false;
    }
    return true;
}

size_t faults_count(const TSTree *tree, const struct pieces *text)
{
    const struct tags tags = {
        .stray = symbol_of(tree, "erroneous_end_tag"),
        .element = symbol_of(tree, "element"),
        .jsx_element = symbol_of(tree, "jsx_element"),
    };
    const bool has_tags = tags.element != 0 || tags.jsx_element != 0;
    TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
    size_t faults = 0;
    TSNode node;
    bool enters;

    /* subtrees without any are skipped where that can be told */
    do {
        node = ts_tree_cursor_current_node(&cursor);
        const bool error = is_error(node, &tags);
        faults += error || has_bad_tags(node, &tags, text);
        enters = !error && (has_tags || ts_node_has_error(node));
    } while (faults < SYNTAX_ERROR_LIMIT && cursor_advance(&cursor, enters));
    ts_tree_cursor_delete(&cursor);
    return faults;
}
