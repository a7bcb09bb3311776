/* A model that completes text: the door of the infer room.
 *
 * An engine holds one loaded checkpoint, its tokenizer, the computing backend and one session (the tokens that the
 * key-value cache stands for). Callers hand over text; the engine builds the prompt, reuses whatever prefix of it the cache
 * already holds, and gives text back. Hidden: tokens, tensors, caches, devices.
 *
 * Every call is synchronous and starts no thread of its own; one thread uses an engine at a time. The only thing another
 * thread may touch is the `cancel` flag of a running call: it is polled between layers, and the call then returns false
 * with ERROR_CANCELLED, leaving the cache at a clean prefix.
 *
 * A GPU may fail at any time. A call then fails with ERROR_DEVICE and a text that says what happened, and so does every later
 * call on that engine; the process goes on. Its owner closes it and opens another, on ENGINE_DEVICE_CPU for instance.
 * ERROR_DEVICE out of `engine_open` says that the GPU cannot be used as asked; with ENGINE_DEVICE_CPU it never occurs.
 *
 * Lifetimes: an engine lives until `engine_close`. Results own their memory until `engine_result_finish`.
 */
#ifndef INFER_ENGINE_H
#define INFER_ENGINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"
#include "infer/prompt.h"

struct engine;

enum engine_device {
    ENGINE_DEVICE_AUTO, /* CUDA where it works, else the CPU */
    ENGINE_DEVICE_CPU,
    ENGINE_DEVICE_CUDA, /* an error where there is none */
};

enum {
    ENGINE_DEFAULT_CONTEXT_TOKENS = 4096,
    /* Below, the file with the cursor needs the window for itself, and other files are not shown. */
    ENGINE_SHOWN_CONTEXT_TOKENS = 2048,
};

struct engine_options {
    const char *model; /* checkpoint directory */
    enum engine_device device;
    int threads;              /* 0: one per processor */
    int context_tokens;       /* 0: the model's, at most ENGINE_DEFAULT_CONTEXT_TOKENS */
    int64_t gpu_memory_bytes; /* of a GPU's memory at most; 0: what is free */
    bool no_fallback; /* what does not fit a GPU is an error, not a smaller context or the CPU */
    int draft_tokens; /* guessed ahead and verified together, at most; 0: as many as pay; -1: none */
    const char *draft_model;   /* directory of a smaller checkpoint that guesses too; NULL: none */
    bool exact;                /* nothing is rounded below float32 */
    const atomic_bool *cancel; /* NULL: cannot be cancelled */
    void (*on_progress)(void *user, double fraction); /* 0..1, on the calling thread; may be NULL */
    void *user;
};

/* Facts about an open engine; strings live as long as it does. */
struct engine_info {
    const char *model;         /* the directory it was opened from */
    const char *architecture;  /* "qwen2" */
    const char *device;        /* "cpu", "cuda" */
    const char *device_reason; /* why that one, as half a sentence for users */
    const char *hardware;      /* the GPU's name; "" on the CPU */
    const char *isa;           /* what the kernels were compiled for: "avx512", "sm_86" */
    int64_t device_bytes;      /* of the GPU's memory that is taken; 0 on the CPU */
    bool is_exact;             /* nothing is rounded below float32 */
    int threads;
    int layers, hidden_size, vocab_size, context_tokens;
    int64_t parameters;   /* weights, whatever their storage */
    int64_t weight_bytes; /* as stored */
    double load_ms;
    bool has_tokenizer, has_fim; /* fill-in-the-middle markers among the special tokens */
    bool has_chat;               /* an instruct model: it follows instructions */
    bool can_show; /* pieces of other files: those markers too, and a window that is large enough */
};

/* NULL with an error that names the file and tensor at fault. */
struct engine *engine_open(const struct engine_options *options, struct error *error);
void engine_close(struct engine *engine);
void engine_describe(const struct engine *engine, struct engine_info *info);

/* Why it computes where it does and what it takes there, see placement.h; valid as long as the engine. */
struct placement;
const struct placement *engine_placement(const struct engine *engine);

enum engine_stop {
    ENGINE_STOP_END,    /* the model said so */
    ENGINE_STOP_CALLER, /* on_text returned false */
    ENGINE_STOP_MAX_TOKENS,
    ENGINE_STOP_CONTEXT, /* the context window is full */
    ENGINE_STOP_TIME,    /* the budget is spent */
};

/* "end", "caller", "max_tokens", "context", "time". */
const char *engine_stop_name(enum engine_stop stop);

struct engine_request {
    /* Fill in the middle: the text around the cursor, tokenized as plain text. The prompt is prefix up to the start of the
     * cursor's line, suffix, middle marker, the beginning of the cursor's line. What does not fit the context is cut at line
     * starts, farthest from the cursor first. Without `fill`, `prefix` is continued and `suffix` ignored. */
    bool fill;
    const char *prefix;
    size_t prefix_bytes;
    const char *suffix;
    size_t suffix_bytes;
    struct prompt_shown shown; /* with `fill`; passed over where the engine cannot show */

    /* Instead of all of that: follow an instruction; an error where info.has_chat is false. NULL: none. */
    const struct prompt_chat *chat;

    /* With `fill`: the tokens at the cursor are those of the whole text, the prefix's last word included, not those that end
     * where the cursor happens to be. The text given out begins at the cursor all the same. */
    bool heal;
    bool special; /* without `fill`: literal special tokens in the prompt are special */
    int max_tokens;
    /* For all of it, the reading of the prompt included; 0: none. What is written by then is what there is, perhaps nothing;
     * what was read of the prompt by then need not be read again. */
    int budget_ms;
    float temperature; /* 0: greedy */
    float top_p;       /* 0..1; 1 keeps all */
    uint64_t seed;

    const atomic_bool *cancel; /* may be NULL */
    /* Called after each token that added text, with all the text so far, always whole code points, valid for the duration
     * of the call. False stops. May be NULL. */
    bool (*on_text)(void *user, const char *text, size_t bytes);
    /* Called before anything is evaluated with exactly what the model is given, markers as literal text, NUL-terminated too,
     * and with its tokens by part (zero without `fill`); valid for the duration of the call. May be NULL. */
    void (*on_prompt)(void *user, const char *text, size_t bytes,
                      const struct prompt_counts *counts);
    void *user;
};

struct engine_result {
    char *text; /* NUL-terminated too */
    size_t bytes;
    /* [completion_tokens]; the last is the stop token where stop is ENGINE_STOP_END. With `heal` the first ones begin before
     * the cursor. */
    int32_t *tokens;
    float *log_probabilities; /* [completion_tokens] natural, of each token after those before it */
    size_t *ends;             /* [completion_tokens] where the token's text ends in `text` */
    int prompt_tokens, reused_tokens, completion_tokens;
    int drafted_tokens;  /* guesses that were evaluated; they never change what is written */
    int accepted_tokens; /* of the completion's tokens, those that needed no pass of their own */
    double first_token_ms, total_ms;
    enum engine_stop stop;
};

/* Runs a request. The result need not be finished when false is returned. */
bool engine_complete(struct engine *engine, const struct engine_request *request,
                     struct engine_result *result, struct error *error);
void engine_result_finish(struct engine_result *result);

/* Ids of `text`; the caller frees *ids. */
bool engine_tokenize(const struct engine *engine, const char *text, size_t bytes, bool special,
                     int32_t **ids, size_t *count, struct error *error);

/* Text of ids, unknown ids being an error; the caller frees *text (NUL-terminated too). Needs a tokenizer, as everything
 * with text does: a checkpoint without one still gives logits. */
bool engine_detokenize(const struct engine *engine, const int32_t *ids, size_t count, char **text,
                       size_t *bytes, struct error *error);

/* Logits [vocab_size] after each of the `count` tokens, in order, handed to `on_row`; false from it stops with an error. */
bool engine_logits(struct engine *engine, const int32_t *tokens, size_t count,
                   const atomic_bool *cancel, bool (*on_row)(void *user, const float *logits),
                   void *user, struct error *error);

#endif
