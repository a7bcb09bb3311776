/* Each kind comes down to the same two ways of asking. To fill: a text before, a text behind, and what form the gap has (a doc
 * comment or code; at the end of a file code may also go on from what stands there). In words: a role, an instruction with the
 * code, and how the answer begins, which for code is the fence of a block, so that nothing but code can follow. What is written
 * is looked at after each token, and stopped where it has said what belongs to the gap. */
#include "lsp/errand/writing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/errand/echo.h"
#include "lsp/errand/prose.h"
#include "lsp/lines.h"

enum { FENCE_BYTES = 64 };

void writing_finish(struct writing *writing)
{
    subject_finish(&writing->subject);
    free(writing->before);
    free(writing->after);
    free(writing->indent);
    free(writing->instruction);
    given_finish(&writing->given);
    *writing = (struct writing){0};
}

const char *writing_refusal(enum writing_kind kind, bool has_chat, const struct language *language)
{
    if (has_chat)
        return kind == WRITING_DOCUMENT && !language ? "comments of this language are not known"
                                                     : NULL;
    if (kind == WRITING_FIX)
        return "correcting needs an instruct model; this one only continues text";
    if (kind == WRITING_TEST)
        return "writing tests needs an instruct model; this one only continues text";
    return language || kind == WRITING_GENERATE
               ? NULL
               : "the syntax of this language is not known, and this model only continues text";
}

/* --- the form of a gap ---------------------------------------------------------------------------------------------------- */

enum form { FORM_ANSWER, FORM_COMMENT, FORM_BLOCK, FORM_FENCED };

static bool is_code(enum form form)
{
    return form == FORM_BLOCK || form == FORM_FENCED;
}

static enum form form_of(const struct writing *writing, bool has_chat)
{
    const bool is_prose = writing->kind == WRITING_EXPLAIN || writing->kind == WRITING_DOCUMENT;

    if (has_chat)
        return is_prose ? FORM_ANSWER : FORM_FENCED;
    return is_prose ? FORM_COMMENT : FORM_BLOCK;
}

static const struct comment_style *style_of(const struct writing *writing)
{
    static const struct comment_style plain = {"#", "", "", "", "", "", false};

    return writing->language ? language_comments(writing->language) : &plain;
}

/* What some code begins with that only repeats the comment which asked for it, in bytes. */
static size_t echo_of(const struct writing *writing, const char *code, size_t bytes)
{
    const char *asked = writing->instruction ? writing->instruction : writing->before;

    return writing->kind == WRITING_GENERATE ? echo_end(style_of(writing), asked, code, bytes) : 0;
}

/* What is written from `at` on below a comment ends where its paragraph does: at a line that is indented less than the first
 * one, or after an empty line at one that is not indented more. */
static size_t block_end(const char *text, size_t at, size_t bytes, size_t indent, bool *ended)
{
    bool was_empty = false, has_begun = false;

    *ended = true;
    while (at < bytes) {
        const char *newline = memchr(text + at, '\n', bytes - at);
        const size_t end = newline ? (size_t)(newline - text) : bytes;
        const size_t blank = at == 0 ? indent : lines_indent(text, end, at);
        const bool is_empty = at + lines_indent(text, end, at) == end;

        /* the last line may still grow: its indentation is known once anything else stands in it */
        if (!is_empty && has_begun && (blank < indent || (was_empty && blank <= indent)))
            return at;
        has_begun = has_begun || !is_empty;
        was_empty = is_empty && newline;
        at = end + 1;
    }
    *ended = false;
    return bytes;
}

/* Where a guessed comment begins to repeat the code that it is about; `bytes` where it does not. */
static size_t parrot_start(const struct subject *subject, const char *text, size_t bytes)
{
    enum { SAME_BYTES = 20 };

    for (size_t at = 0; at + SAME_BYTES <= bytes;) {
        const char *newline = memchr(text + at, '\n', bytes - at);
        const char *words = text + at + strspn(text + at, " \t*/#-\n");
        const size_t end = newline ? (size_t)(newline - text) : bytes;
        if (words + SAME_BYTES <= text + end &&
            memmem(subject->body, strlen(subject->body), words, SAME_BYTES))
            return at;
        at = end + 1;
    }
    return bytes;
}

/* What of the text belongs to the gap, in bytes. */
static size_t form_end(enum form form, const struct writing *writing, const char *text,
                       size_t bytes, bool *ended)
{
    const size_t stutter = prose_stutter(text, bytes);
    size_t end = bytes;

    /* what broke off into a stutter has no good end */
    if (stutter < bytes)
        end = is_code(form) ? lines_start(text, stutter) : prose_sentence_end(text, stutter);
    *ended = false;
    if (form == FORM_COMMENT) {
        end = prose_comment_end(language_comments(writing->language), text, end, ended);
        const size_t parrot = parrot_start(&writing->subject, text, end);
        *ended = *ended || parrot < end;
        end = parrot;
    } else if (form == FORM_BLOCK) {
        end = block_end(text, echo_of(writing, text, end), end, strlen(writing->indent), ended);
    } else if (form == FORM_FENCED) {
        end = prose_code_end(text, end, ended);
    }
    *ended = *ended || stutter < bytes;
    return end;
}

/* The indentation that code is to have. */
static const char *code_indent(const struct writing *writing)
{
    if (writing->kind == WRITING_TEST)
        return "";
    return writing->kind == WRITING_GENERATE ? writing->indent : writing->subject.indent;
}

/* Code as a block of its own: the bytes of a text that goes on from an indentation which is there already. */
static char *block_code(const char *text, size_t from, size_t to, const char *indent)
{
    char *whole = NULL;
    const int written =
        asprintf(&whole, "%s%.*s", from == 0 ? indent : "", (int)(to - from), text + from);

    if (written < 0)
        return NULL;
    char *code = prose_indent(whole, (size_t)written, indent);
    free(whole);

    /* a base model may go on with the comment: that is no code */
    if (code && code[strspn(code, " \t")] == '*')
        *code = '\0';
    return code;
}

/* The result, if the text ended here; NULL on exhausted memory. */
static char *form_result(enum form form, const struct writing *writing, const char *text,
                         size_t bytes)
{
    bool ended;
    const size_t end = form_end(form, writing, text, bytes, &ended);
    char *result;

    if (is_code(form)) {
        const size_t echo = echo_of(writing, text, end);
        return form == FORM_FENCED ? prose_indent(text + echo, end - echo, code_indent(writing))
                                   : block_code(text, echo, end, writing->indent);
    }
    result = form == FORM_ANSWER
                 ? prose_of_answer(text, end)
                 : prose_of_comment(language_comments(writing->language), text, end);
    if (!result || writing->kind == WRITING_EXPLAIN || !*result)
        return result;
    char *comment =
        prose_comment(language_comments(writing->language), writing->subject.indent, result);
    free(result);
    return comment;
}

/* --- filling -------------------------------------------------------------------------------------------------------------- */

/* A doc comment that has just been opened, and what stands behind it when it is closed. */
static bool fill_comment(const struct writing *writing, char **prefix, char **suffix)
{
    const struct subject *subject = &writing->subject;
    const struct comment_style *style = language_comments(writing->language);
    char *opening = prose_comment_opening(style, subject->indent);
    const bool closes = *style->doc_close != '\0';

    if (!opening)
        return false;
    if (asprintf(prefix, "%s%s%s", subject->before, subject->head, opening) < 0)
        *prefix = NULL;
    if (asprintf(suffix, "%s%s%s\n%s%s", closes && *style->doc_line ? "\n" : "",
                 closes && *style->doc_line ? subject->indent : "", style->doc_close, subject->body,
                 subject->after) < 0)
        *suffix = NULL;
    free(opening);
    return *prefix && *suffix;
}

/* A place below a comment: the one that is there, or one that says what is wanted. */
static bool fill_block(const struct writing *writing, char **prefix, char **suffix)
{
    const struct comment_style *style = style_of(writing);
    const char *instruction = writing->instruction;
    const bool has_line = *style->line != '\0';
    int written;

    if (instruction)
        written = asprintf(prefix, "%s%s%s %s%s%s\n%s", writing->before, writing->indent,
                           has_line ? style->line : style->open, instruction, has_line ? "" : " ",
                           has_line ? "" : style->close, writing->indent);
    else
        written = asprintf(prefix, "%s%s", writing->before, writing->indent);
    if (written < 0)
        *prefix = NULL;
    if (asprintf(suffix, "\n%s", writing->after) < 0)
        *suffix = NULL;
    return *prefix && *suffix;
}

/* --- asking --------------------------------------------------------------------------------------------------------------- */

static const char explain_role[] = "You explain source code to programmers. Answer in two to four "
                                   "short sentences of plain text, without headings, lists "
                                   "or code blocks.";
static const char document_role[] = "You write documentation comments. Answer with the text of the "
                                    "comment alone, one to four short sentences, without "
                                    "comment marks and without code.";
static const char code_role[] = "You write code that fits the file it is for, in its style. Answer "
                                "with one block of code and nothing else.";

/* What it is about, in words; the caller's. */
static char *topic_of(const struct subject *subject)
{
    char *text = NULL;

    if (!subject->name || !*subject->name)
        return strdup("this code");
    return asprintf(&text, "the %s %s", symbol_kind_name(subject->kind), subject->name) < 0 ? NULL
                                                                                            : text;
}

/* The instruction. */
static char *ask(const struct writing *writing)
{
    const struct subject *subject = &writing->subject;
    const char *language = writing->language ? language_name(writing->language) : "";
    const char *wanted = writing->instruction;
    char *topic = topic_of(subject), *text = NULL;
    int written = -1;

    switch (topic ? writing->kind : WRITING_KINDS) {
    case WRITING_EXPLAIN:
        written = asprintf(&text, "What does %s do?", topic);
        break;
    case WRITING_DOCUMENT:
        written = asprintf(&text, "Write the documentation comment of %s.", topic);
        break;
    case WRITING_FIX:
        written = asprintf(&text,
                           "Correct this code. Write all of it again and change as little as "
                           "possible. What is wrong: %s",
                           wanted);
        break;
    case WRITING_TEST:
        written = asprintf(&text, "Write a unit test of %s.", topic);
        break;
    case WRITING_GENERATE:
        written = asprintf(&text, "Write the code that belongs at the place <here>. %s%s",
                           wanted ? "It should do this: " : "The comment before it says what for.",
                           wanted ? wanted : "");
        break;
    case WRITING_KINDS:
        break;
    }
    free(topic);
    if (written < 0)
        return NULL;

    char *question = NULL;
    const bool is_place = writing->kind == WRITING_GENERATE;
    written = asprintf(&question, "%s\n\n```%s\n%s%s%s%s```\n", text, language,
                       is_place ? writing->before : subject->head, is_place ? writing->indent : "",
                       is_place ? "<here>\n" : subject->body, is_place ? writing->after : "");
    free(text);
    return written < 0 ? NULL : question;
}

/* --- running -------------------------------------------------------------------------------------------------------------- */

struct run {
    struct writing *writing;
    enum form form;
    writing_progress progress;
    void *user;
};

static bool on_text(void *user, const char *text, size_t bytes)
{
    const struct run *run = user;
    bool ended;

    form_end(run->form, run->writing, text, bytes, &ended);
    char *shown = run->progress ? form_result(run->form, run->writing, text, bytes) : NULL;
    if (shown && *shown)
        run->progress(run->user, shown, strlen(shown));
    free(shown);
    return !ended;
}

static void on_prompt(void *user, const char *text, size_t bytes,
                      const struct prompt_counts *counts)
{
    const struct run *run = user;

    given_keep(&run->writing->given, text, bytes, counts);
}

/* Runs a request and makes its text the result. */
static bool complete(const struct run *run, struct engine *engine, struct engine_request *request,
                     char **text, struct error *error)
{
    struct engine_result result;

    request->max_tokens = run->writing->max_tokens;
    request->on_text = on_text;
    request->on_prompt = on_prompt;
    request->user = (void *)(uintptr_t)run;
    if (!engine_complete(engine, request, &result, error))
        return false;
    given_read(&run->writing->given, &result);
    /* code that broke off loses its last line, prose its last sentence; a correction that did is none */
    const bool broke_off =
        result.stop == ENGINE_STOP_MAX_TOKENS || result.stop == ENGINE_STOP_CONTEXT;
    if (broke_off && run->writing->kind == WRITING_FIX) {
        engine_result_finish(&result);
        return error_set(error, ERROR_LIMIT, "the corrected code would be too long");
    }
    if (broke_off)
        result.bytes = is_code(run->form) ? lines_start(result.text, result.bytes)
                                          : prose_sentence_end(result.text, result.bytes);
    *text = form_result(run->form, run->writing, result.text, result.bytes);
    engine_result_finish(&result);
    return *text || error_set(error, ERROR_MEMORY, "no memory for what was written");
}

static bool run_chat(const struct run *run, struct engine *engine, const atomic_bool *cancel,
                     char **text, struct error *error)
{
    const struct writing *writing = run->writing;
    char fence[FENCE_BYTES];
    char *question = ask(writing);
    struct prompt_chat chat = {
        .system = writing->kind == WRITING_EXPLAIN    ? explain_role
                  : writing->kind == WRITING_DOCUMENT ? document_role
                                                      : code_role,
        .user = question,
    };
    struct engine_request request = {.chat = &chat, .top_p = 1, .cancel = cancel};

    if (!question)
        return error_set(error, ERROR_MEMORY, "no memory for a question");
    snprintf(fence, sizeof fence, "```%s\n",
             writing->language ? language_name(writing->language) : "");
    if (run->form == FORM_FENCED)
        chat.reply = fence;
    const bool is_written = complete(run, engine, &request, text, error);
    free(question);
    return is_written;
}

/* Whether a gap for code in which nothing was written may be tried as what it is at the end of a file: a text that goes on. A
 * model that fills it may say once more what asks for code, and take that for the end; one that goes on has no end to reach. */
static bool may_go_on(const struct run *run, const char *suffix, const char *text)
{
    return run->form == FORM_BLOCK && *text == '\0' && lines_are_blank(suffix, 0, strlen(suffix));
}

static bool run_fill(const struct run *run, struct engine *engine, const atomic_bool *cancel,
                     char **text, struct error *error)
{
    char *prefix = NULL, *suffix = NULL;
    bool is_written = false;

    if (run->form == FORM_COMMENT ? fill_comment(run->writing, &prefix, &suffix)
                                  : fill_block(run->writing, &prefix, &suffix)) {
        struct engine_request request = {
            .fill = true,
            .prefix = prefix,
            .prefix_bytes = strlen(prefix),
            .suffix = suffix,
            .suffix_bytes = strlen(suffix),
            .heal = true,
            .top_p = 1,
            .cancel = cancel,
        };
        is_written = complete(run, engine, &request, text, error);
        if (is_written && may_go_on(run, suffix, *text)) {
            free(*text);
            *text = NULL;
            request.fill = false;
            is_written = complete(run, engine, &request, text, error);
        }
    } else {
        error_set(error, ERROR_MEMORY, "no memory for a prompt");
    }
    free(prefix);
    free(suffix);
    return is_written;
}

bool writing_run(struct writing *writing, struct engine *engine, const atomic_bool *cancel,
                 writing_progress progress, void *user, char **text, struct error *error)
{
    struct engine_info info;

    engine_describe(engine, &info);
    const char *refusal = writing_refusal(writing->kind, info.has_chat, writing->language);
    if (refusal)
        return error_set(error, ERROR_INPUT, "%s", refusal);
    const struct run run = {writing, form_of(writing, info.has_chat), progress, user};
    return info.has_chat ? run_chat(&run, engine, cancel, text, error)
                         : run_fill(&run, engine, cancel, text, error);
}
