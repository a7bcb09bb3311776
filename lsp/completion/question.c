/* The range is made when the question is asked, because positions belong to the text of that moment. */
#include "lsp/completion/question.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "lsp/protocol/partial.h"

enum { TRIGGER_INVOKED = 1 }; /* LSP InlineCompletionTriggerKind */

/* Where a completion goes: the text range it replaces, and the text that it must begin with. */
struct target {
    size_t start, end; /* equal to the cursor unless an entry is selected */
    const char *lead;
    size_t lead_bytes;
};

/* The entry selected in the editor's own list stands for what is typed: its text replaces its range, and ours must begin with
 * it (LSP, SelectedCompletionInfo). One that does not hold the cursor within one line is not taken into account. */
static void target_select(struct target *target, const struct document *document,
                          enum text_encoding encoding, const json_t *selected, size_t cursor)
{
    const struct text *text = document_text(document);
    const json_t *range = json_object_get(selected, "range");
    const json_t *lead = json_object_get(selected, "text");
    struct text_position start, end;
    if (!position_parse(json_object_get(range, "start"), &start) ||
        !position_parse(json_object_get(range, "end"), &end) || !json_is_string(lead))
        return;

    size_t first = text_offset(text, encoding, start);
    size_t last = text_offset(text, encoding, end);
    bool is_plain = strlen(json_string_value(lead)) == json_string_length(lead);
    if (start.line == end.line && first <= cursor && cursor <= last && is_plain)
        *target = (struct target){first, last, json_string_value(lead), json_string_length(lead)};
}

/* The context as it would be if the target had been replaced by its lead already. */
static bool target_context(const struct target *target, struct document *document,
                           struct context *context)
{
    const struct text *text = document_text(document);
    const char *bytes = text_bytes(text);
    size_t size = text_size(text);
    const struct language *language = document_language(document);
    if (target->lead_bytes == 0 && target->start == target->end)
        return context_init(context, language, document_syntax(document), bytes, size,
                            target->start);

    /* the tree does not know the lead: the context does without it */
    char *changed = malloc(size - (target->end - target->start) + target->lead_bytes + 1);
    if (!changed)
        return false;
    size_t cursor = target->start + target->lead_bytes;
    memcpy(changed, bytes, target->start);
    memcpy(changed + target->start, target->lead, target->lead_bytes);
    memcpy(changed + cursor, bytes + target->end, size - target->end);
    bool is_made =
        context_init(context, language, NULL, changed, cursor + size - target->end, cursor);
    free(changed);
    return is_made;
}

bool question_init(struct question *question, const struct client *client,
                   const struct rpc_message *message, struct document *document,
                   struct text_position position)
{
    const json_t *circumstances = json_object_get(message->params, "context");
    enum text_encoding encoding = documents_encoding(client->documents);
    const struct text *text = document_text(document);
    size_t cursor = text_offset(text, encoding, position);
    struct target target = {cursor, cursor, "", 0};
    target_select(&target, document, encoding,
                  json_object_get(circumstances, "selectedCompletionInfo"), cursor);

    *question = (struct question){
        .id = json_copy((json_t *)(uintptr_t)message->id),
        .range = json_pack("{s:o, s:o}", "start",
                           position_write(text_position_at(text, encoding, target.start)), "end",
                           position_write(text_position_at(text, encoding, target.end))),
        .target = {target.start, target.end},
        .token = json_incref(partial_token(message->params)),
        .uri = strdup(document_uri(document)),
        .stamp = document_stamp(document),
        .lead = strndup(target.lead, target.lead_bytes),
        .is_invoked =
            json_integer_value(json_object_get(circumstances, "triggerKind")) == TRIGGER_INVOKED,
        .asked_ns = uv_hrtime(),
    };
    question->wanted =
        question->is_invoked ? client_settings(client, question->uri)->candidates : 1;
    return question->id && question->range && question->uri && question->lead &&
           target_context(&target, document, &question->context);
}

void question_finish(struct question *question)
{
    json_decref(question->id);
    json_decref(question->range);
    json_decref(question->token);
    free(question->uri);
    free(question->lead);
    context_finish(&question->context);
    *question = (struct question){0};
}

bool question_is_current(const struct question *question, const struct client *client)
{
    const struct document *document = documents_find(client->documents, question->uri);
    return document && document_stamp(document) == question->stamp;
}

struct graft *question_graft(const struct question *question, const struct client *client)
{
    struct document *document = documents_find(client->documents, question->uri);
    if (!document || document_stamp(document) != question->stamp)
        return NULL;

    const struct text *text = document_text(document);
    return graft_borrow(document_syntax(document), text_bytes(text), text_size(text),
                        question->target, question->lead, strlen(question->lead));
}

/* The question's range with what is replaced behind it: closers, which take one unit each in every encoding. */
static json_t *question_range(const struct question *question, size_t replaced_bytes)
{
    json_t *range = json_deep_copy(question->range);
    json_t *end = json_object_get(range, "end");
    json_int_t character = json_integer_value(json_object_get(end, "character"));

    json_object_set_new(end, "character", json_integer(character + (json_int_t)replaced_bytes));
    return range;
}

void question_item(const struct question *question, json_t *items, const struct place_text *text)
{
    json_t *whole = json_sprintf("%s%.*s", question->lead, (int)text->bytes, text->text);
    if (whole)
        json_array_append_new(items, json_pack("{s:o, s:o}", "insertText", whole, "range",
                                               question_range(question, text->replaced_bytes)));
}
