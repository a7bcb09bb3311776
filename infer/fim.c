/* Cutting works on tokens. The split expression of these tokenizers never lets a piece of text run across a line end, so a
 * token whose text ends in '\n' is followed by a line start, and what stands after it is tokenized as if it stood alone. */
#include "infer/fim.h"

#include <stdlib.h>
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
    markers->repository = tokenizer_special(tokenizer, "<|repo_name|>");
    markers->file = tokenizer_special(tokenizer, "<|file_sep|>");
    if (markers->repository < 0 || markers->file < 0)
        markers->repository = markers->file = -1;
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

/* Number of tokens to keep at the beginning: all, or the largest that ends a line within `budget`, 0 where none does. */
static size_t lines_kept(const struct tokenizer *tokenizer, const struct token_list *tokens,
                         size_t budget)
{
    if (tokens->count <= budget)
        return tokens->count;
    while (budget > 0 && !ends_line(tokenizer, tokens->ids[budget - 1]))
        budget--;
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

/* A marker and `name`, a line end and `text`, as one piece, `text` ending in one line end; NULL stands for "". */
static bool append_named(const struct tokenizer *tokenizer, int32_t marker, const char *name,
                         const char *text, size_t bytes, struct token_list *out,
                         struct error *error)
{
    const size_t name_bytes = name ? strlen(name) : 0;
    char *piece = malloc(name_bytes + bytes + 2);
    size_t at = 0;

    if (!piece || !token_list_append(out, &marker, 1)) {
        free(piece);
        return error_set(error, ERROR_MEMORY, "not enough memory for the prompt");
    }
    memcpy(piece, name ? name : "", name_bytes);
    at += name_bytes;
    piece[at++] = '\n';
    memcpy(piece + at, bytes ? text : "", bytes);
    at += bytes;
    if (piece[at - 1] != '\n')
        piece[at++] = '\n';
    const bool appended = tokenizer_encode(tokenizer, piece, at, false, out, error);
    free(piece);
    return appended;
}

/* Bytes of the first `count` tokens. */
static size_t text_bytes(const struct tokenizer *tokenizer, const int32_t *ids, size_t count)
{
    size_t sum = 0, bytes;

    for (size_t i = 0; i < count; i++) {
        tokenizer_token_text(tokenizer, ids[i], &bytes);
        sum += bytes;
    }
    return sum;
}

/* Appends one file, cut at a line end to `budget` tokens; *kept is what it took, 0 when not even a line fits. */
static bool append_file(const struct tokenizer *tokenizer, const struct fim_markers *markers,
                        const struct prompt_file *file, size_t budget, struct token_list *out,
                        size_t *kept, bool *is_whole, struct error *error)
{
    struct token_list piece = {0};
    const char *path = file->path ? file->path : "";
    bool appended =
        append_named(tokenizer, markers->file, path, file->text, file->bytes, &piece, error);

    *kept = appended ? lines_kept(tokenizer, &piece, budget) : 0;
    *is_whole = *kept == piece.count;

    /* a path without a line of text says nothing; behind the marker stand the path and its line end */
    if (*kept > 0 && text_bytes(tokenizer, piece.ids + 1, *kept - 1) <= strlen(path) + 1)
        *kept = 0;
    if (appended && !token_list_append(out, piece.ids, *kept))
        appended = error_set(error, ERROR_MEMORY, "not enough memory for the prompt");
    token_list_finish(&piece);
    return appended;
}

/* Appends what the repository-level form has before the file-level one; nothing where no file fits. */
static bool append_shown(const struct tokenizer *tokenizer, const struct fim_markers *markers,
                         const struct prompt_shown *shown, size_t budget, struct token_list *out,
                         struct prompt_counts *counts, struct error *error)
{
    struct token_list target = {0};
    const size_t start = out->count;
    bool is_whole = true, appended = false;

    if (!append_named(tokenizer, markers->repository, shown->repository, NULL, 0, out, error) ||
        !append_named(tokenizer, markers->file, shown->path, NULL, 0, &target, error))
        goto done;

    /* the files in between, in order, until one does not fit */
    const size_t named = out->count - start + target.count;
    size_t left = budget - smaller(named, budget);
    for (size_t i = 0; i < shown->count && i < PROMPT_FILES_MAX && is_whole; i++) {
        size_t kept;
        if (!append_file(tokenizer, markers, &shown->files[i], left, out, &kept, &is_whole, error))
            goto done;
        counts->files[i] = (int)kept;
        left -= kept;
    }

    appended = true;
    if (out->count + target.count == start + named) {
        out->count = start;
        goto done;
    }
    counts->repository = (int)named;
    appended = token_list_append(out, target.ids, target.count) ||
               error_set(error, ERROR_MEMORY, "not enough memory for the prompt");

done:
    token_list_finish(&target);
    return appended;
}

/* Appends the file-level form, at most `budget` tokens. */
static bool append_text(const struct tokenizer *tokenizer, const struct fim_markers *markers,
                        const struct fim_text *text, size_t budget_tokens, struct token_list *out,
                        struct prompt_counts *counts, struct error *error)
{
    const size_t line = line_offset(text->prefix, text->prefix_bytes);
    const bool has_suffix = text->suffix_bytes > 0;
    struct token_list before = {0}, after = {0}, begun = {0};
    bool encoded = false;

    if (!tokenizer_encode(tokenizer, text->prefix, line, false, &before, error) ||
        !tokenizer_encode(tokenizer, has_suffix ? text->suffix : "\n",
                          has_suffix ? text->suffix_bytes : 1, false, &after, error) ||
        !tokenizer_encode(tokenizer, text->prefix + line, text->prefix_bytes - line, false, &begun,
                          error))
        goto done;

    /* a line that is longer than half the room loses its beginning */
    const size_t room = budget_tokens - MARKERS;
    const size_t line_cut = round_up(begun.count - smaller(begun.count, room / 2), LINE_STEP);
    const size_t line_kept = begun.count - smaller(begun.count, line_cut);
    const size_t budget = room - smaller(round_up(line_kept, LINE_STEP), room);

    /* the suffix gets its share, and more where the prefix is short */
    const size_t share = budget / SUFFIX_SHARE;
    const size_t spare = budget - smaller(budget, before.count);
    const size_t after_budget = spare > share ? spare : share;
    size_t kept = lines_kept(tokenizer, &after, after_budget);
    kept = kept > 0 ? kept : smaller(after.count, after_budget);
    const size_t cut = prefix_cut(tokenizer, &before, budget - kept);

    counts->prefix = 1 + (int)(before.count - cut);
    counts->suffix = 1 + (int)kept;
    counts->line = 1 + (int)line_kept;
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

bool fim_encode(const struct tokenizer *tokenizer, const struct fim_markers *markers,
                const struct fim_text *text, const struct prompt_shown *shown, size_t budget_tokens,
                struct token_list *out, struct prompt_counts *counts, struct error *error)
{
    const size_t start = out->count;

    *counts = (struct prompt_counts){0};
    if (shown && shown->count > 0 && markers->file >= 0 &&
        !append_shown(tokenizer, markers, shown, smaller(shown->budget_tokens, budget_tokens / 2),
                      out, counts, error))
        return false;
    return append_text(tokenizer, markers, text, budget_tokens - (out->count - start), out, counts,
                       error);
}
