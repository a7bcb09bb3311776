/* What an engine is made of: shared by the files that open it and that run requests on it, and nobody else. */
#ifndef INFER_ENGINE_PARTS_H
#define INFER_ENGINE_PARTS_H

#include "infer/chat.h"
#include "infer/draft.h"
#include "infer/draft_model.h"
#include "infer/engine.h"
#include "infer/fim.h"
#include "infer/model.h"
#include "infer/placement.h"
#include "infer/session.h"
#include "infer/tokenizer.h"

struct engine {
    char *directory;
    struct placement placement;
    struct model *model;
    struct tokenizer *tokenizer; /* NULL where the checkpoint has none */
    bool has_fim;
    struct fim_markers markers;
    bool has_chat;
    struct chat_markers chat_markers;
    struct session *session;
    struct draft *draft;         /* follows the session's tokens */
    int draft_tokens;            /* below 1: none */
    struct draft_model *drafter; /* asked where the text proposes nothing; NULL: none */
    double load_ms;
};

/* Whether pieces of other files may stand in a prompt. */
bool engine_can_show(const struct engine *engine);

/* False with an error where the checkpoint has none. */
bool engine_need_tokenizer(const struct engine *engine, struct error *error);

#endif
