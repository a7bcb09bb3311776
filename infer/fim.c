/* Cutting works on tokens. The split expression of these tokenizers never lets a piece of text run across a line end, so a
 * token whose text ends in '\n' is followed by a line start, and what stands after it is tokenized as if it stood alone. */
#include "infer/fim.h"

#include <string.h>

enum {
    MARKERS = 3,
    CUT_STEPS = 8,    /* the prefix moves on by this fraction of its budget at a time */
    SUFFIX_SHARE = 4, /* the suffix may take one part in so many when both are long */
    LINE_STEP =
        32, /* room for the cursor's line is set aside in steps, so that typing does not move the cuts */
};

bool fim_markers_find(struct fim_markers *markers, const struct tokenizer *tokenizer)
{
    markers->prefix = tokenizer_special(tokenizer, "<|fim_prefix|>");
    markers->suffix = tokenizer_special(tokenizer, "<|fim_suffix|>");
    markers->middle = tokenizer_special(tokenizer, "<|fim_middle|>");
    return markers->prefix >= 0 && markers->suffix >= 0 && markers->middle >= 0;
}

static bool ends_line(const struct tokenizer *tokenizer, int32_t id)
{
    size_t bytes;
    const char *text = tokenizer_token_text(tokenizer, id, &bytes);

    return bytes > 0 && text[bytes - 1] == '\n';
}

/* First index, not below `from`, where a line starts; the count where there is none. */
static size_t line_start_from(const struct tokenizer *tokenizer, const struct token_list *tokens,
                              size_t from)
{
    while (from > 0 && from < tokens->count && !ends_line(tokenizer, tokens->ids[from - 1]))
        from++;
    return from;
}

/* Number of tokens to drop at the beginning so that at most `budget` stay; grows in steps, not with every token. */
static size_t prefix_cut(const struct tokenizer *tokenizer, const struct token_list *tokens,
                         size_t budget)
{
    if (tokens->count <= budget)
        return 0;

    const size_t step = budget / CUT_STEPS + 1;
    const size_t excess = tokens->count - budget;
    return line_start_from(tokenizer, tokens, (excess + step - 1) / step * step);
}

/* Number of tokens to keep at the beginning: the largest that ends a line within `budget`, or `budget` where none does. */
static size_t suffix_kept(const struct tokenizer *tokenizer, const struct token_list *tokens,
                          size_t budget)
{
    if (tokens->count <= budget)
        return tokens->count;
    for (size_t kept = budget; kept > 0; kept--)
        if (ends_line(tokenizer, tokens->ids[kept - 1]))
            return kept;
    return budget;
}

/* Offset of the cursor's line in the prefix. */
static size_t line_offset(const char *prefix, size_t bytes)
{
    const char *end = bytes ? memrchr(prefix, '\n', bytes) : NULL;

    return end ? (size_t)(end - prefix) + 1 : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Next multiple of a step. */
static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

bool fim_encode(const struct tokenizer *tokenizer, const struct fim_markers *markers,
                const char *prefix, size_t prefix_bytes, const char *suffix, size_t suffix_bytes,
                size_t budget_tokens, struct token_list *out, struct error *error)
{
    const size_t line = line_offset(prefix, prefix_bytes);
    struct token_list before = {0}, after = {0}, begun = {0};
    bool encoded = false;

    if (suffix_bytes == 0) {
        suffix = "\n";
        suffix_bytes = 1;
    }
    if (!tokenizer_encode(tokenizer, prefix, line, false, &before, error) ||
        !tokenizer_encode(tokenizer, suffix, suffix_bytes, false, &after, error) ||
        !tokenizer_encode(tokenizer, prefix + line, prefix_bytes - line, false, &begun, error))
        goto done;

    /* a line that is longer than half the room loses its beginning */
    const size_t room = budget_tokens - MARKERS;
    const size_t line_cut = round_up(begun.count - smaller(begun.count, room / 2), LINE_STEP);
    const size_t line_kept = begun.count - smaller(begun.count, line_cut);
    const size_t budget = room - smaller(round_up(line_kept, LINE_STEP), room);

    /* the suffix gets its share, and more where the prefix is short */
    const size_t share = budget / SUFFIX_SHARE;
    const size_t spare = budget - smaller(budget, before.count);
    const size_t kept = suffix_kept(tokenizer, &after, spare > share ? spare : share);
    const size_t cut = prefix_cut(tokenizer, &before, budget - kept);

    encoded = token_list_append(out, &markers->prefix, 1) &&
              token_list_append(out, before.ids + cut, before.count - cut) &&
              token_list_append(out, &markers->suffix, 1) &&
              token_list_append(out, after.ids, kept) &&
              token_list_append(out, &markers->middle, 1) &&
              token_list_append(out, begun.ids + begun.count - line_kept, line_kept);
    if (!encoded)
        error_set(error, ERROR_MEMORY, "not enough memory for the prompt");

done:
    token_list_finish(&before);
    token_list_finish(&after);
    token_list_finish(&begun);
    return encoded;
}
