/* A message is a marker, "role\n" with its text as one piece, and the end marker with "\n", as the template has it: so the
 * pieces between markers are the ones that the tokenizer saw in training. */
#include "infer/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/file.h"

/* --- which models ----------------------------------------------------------------------------------------------------- */

/* Whether a token id is, or is among, the value of eos_token_id. */
static bool ends_with(const json_t *value, int32_t id)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (json_is_integer(item) && json_integer_value(item) == id)
            return true;
    }
    return json_is_integer(value) && json_integer_value(value) == id;
}

/* What generation_config.json says about its end tokens; a new reference, NULL where it says nothing. */
static json_t *generation_end(const char *directory)
{
    struct error ignored = {0};
    char *path = file_path(directory, "generation_config.json", &ignored);
    json_t *json = path && file_exists(path) ? file_read_json(path, &ignored) : NULL;
    json_t *value = json_incref(json_object_get(json, "eos_token_id"));

    json_decref(json);
    free(path);
    return value;
}

bool chat_markers_find(struct chat_markers *markers, const struct tokenizer *tokenizer,
                       const struct config *config, const char *directory)
{
    markers->start = tokenizer_special(tokenizer, "<|im_start|>");
    markers->end = tokenizer_special(tokenizer, "<|im_end|>");
    if (markers->start < 0 || markers->end < 0)
        return false;

    json_t *value = generation_end(directory);
    bool ends = value && ends_with(value, markers->end);
    for (int i = 0; !value && i < config->end_token_count; i++)
        ends = ends || config->end_tokens[i] == markers->end;
    json_decref(value);
    return ends;
}

/* --- prompts ---------------------------------------------------------------------------------------------------------- */

/* A role's line and its text, as one piece. */
static bool append_piece(const struct tokenizer *tokenizer, const char *role, const char *text,
                         struct token_list *out, struct error *error)
{
    char *piece = NULL;
    const int bytes = asprintf(&piece, "%s\n%s", role, text ? text : "");

    if (bytes < 0)
        return error_set(error, ERROR_MEMORY, "not enough memory for the prompt");
    const bool appended = tokenizer_encode(tokenizer, piece, (size_t)bytes, false, out, error);
    free(piece);
    return appended;
}

static bool append_marker(int32_t marker, struct token_list *out, struct error *error)
{
    return token_list_append(out, &marker, 1) ||
           error_set(error, ERROR_MEMORY, "not enough memory for the prompt");
}

/* What ends a message. */
static bool append_end(const struct tokenizer *tokenizer, const struct chat_markers *markers,
                       struct token_list *out, struct error *error)
{
    return append_marker(markers->end, out, error) &&
           tokenizer_encode(tokenizer, "\n", 1, false, out, error);
}

/* Number of tokens to keep, from `least` to `room`: as many as end in a line end, else as many as fit. */
static size_t tokens_kept(const struct tokenizer *tokenizer, const struct token_list *tokens,
                          size_t least, size_t room)
{
    if (tokens->count <= room)
        return tokens->count;
    for (size_t kept = room; kept > least; kept--) {
        size_t bytes;
        const char *text = tokenizer_token_text(tokenizer, tokens->ids[kept - 1], &bytes);
        if (bytes > 0 && text[bytes - 1] == '\n')
            return kept;
    }
    return room;
}

bool chat_encode(const struct tokenizer *tokenizer, const struct chat_markers *markers,
                 const struct prompt_chat *chat, size_t budget_tokens, struct token_list *out,
                 struct error *error)
{
    const size_t start = out->count;
    struct token_list user = {0}, reply = {0};
    bool encoded = false;

    if (chat->system && (!append_marker(markers->start, out, error) ||
                         !append_piece(tokenizer, "system", chat->system, out, error) ||
                         !append_end(tokenizer, markers, out, error)))
        goto done;
    if (!append_marker(markers->start, out, error) ||
        !append_piece(tokenizer, "user", chat->user, &user, error) ||
        !append_end(tokenizer, markers, &reply, error) ||
        !append_marker(markers->start, &reply, error) ||
        !append_piece(tokenizer, "assistant", chat->reply, &reply, error))
        goto done;

    /* the user's message gets what the others leave; half of it may go for a line end */
    const size_t taken = out->count - start + reply.count;
    if (taken >= budget_tokens) {
        error_set(error, ERROR_LIMIT, "the context window has no room for an instruction");
        goto done;
    }
    const size_t room = budget_tokens - taken;
    const size_t kept = tokens_kept(tokenizer, &user, room / 2, room);
    encoded =
        token_list_append(out, user.ids, kept) && token_list_append(out, reply.ids, reply.count);
    if (!encoded)
        error_set(error, ERROR_MEMORY, "not enough memory for the prompt");

done:
    token_list_finish(&user);
    token_list_finish(&reply);
    return encoded;
}
