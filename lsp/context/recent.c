/* Rings of so few members are arrays whose first one falls out. */
#include "lsp/context/recent.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/secrets.h"

static void yank_finish(struct recent_yank *yank)
{
    free(yank->path);
    free(yank->text);
}

void recent_finish(struct recent *recent)
{
    for (size_t i = 0; i < recent->edit_count; i++)
        free(recent->edits[i].uri);
    for (size_t i = 0; i < recent->yank_count; i++)
        yank_finish(&recent->yanks[i]);
    *recent = (struct recent){0};
}

static void edit_remove(struct recent *recent, size_t i)
{
    free(recent->edits[i].uri);
    memmove(&recent->edits[i], &recent->edits[i + 1],
            (--recent->edit_count - i) * sizeof *recent->edits);
}

void recent_note_edit(struct recent *recent, const char *uri, size_t line)
{
    char *copy = strdup(uri);
    if (!copy)
        return;

    /* a place near it moves to here */
    for (size_t i = recent->edit_count; i > 0; i--) {
        const struct recent_edit *edit = &recent->edits[i - 1];
        const size_t distance = edit->line > line ? edit->line - line : line - edit->line;
        if (distance <= RECENT_NEAR_LINES && strcmp(edit->uri, uri) == 0)
            edit_remove(recent, i - 1);
    }
    if (recent->edit_count == RECENT_EDITS)
        edit_remove(recent, 0);
    recent->edits[recent->edit_count++] = (struct recent_edit){copy, line};
}

static void yank_remove(struct recent *recent, size_t i)
{
    yank_finish(&recent->yanks[i]);
    memmove(&recent->yanks[i], &recent->yanks[i + 1],
            (--recent->yank_count - i) * sizeof *recent->yanks);
}

/* Whole lines of a text up to a limit, those with secrets left out; NULL where fewer than two are left. */
static char *yank_clean(const char *text, size_t bytes, size_t *kept)
{
    size_t lines = 0;

    if (bytes > RECENT_YANK_BYTES) {
        const char *end = memrchr(text, '\n', RECENT_YANK_BYTES);
        bytes = end ? (size_t)(end - text) + 1 : 0;
    }
    char *clean = secrets_clean(text, bytes, kept);
    for (size_t i = 0; clean && i < *kept; i++)
        lines += clean[i] == '\n';
    if (lines >= RECENT_YANK_LINES)
        return clean;
    free(clean);
    return NULL;
}

bool recent_note_yank(struct recent *recent, const char *path, const char *text, size_t bytes)
{
    size_t kept = 0;
    char *clean = yank_clean(text, bytes, &kept), *copy = strdup(path ? path : "");
    bool is_new = true;

    if (!clean || !copy) {
        free(clean);
        free(copy);
        return false;
    }
    for (size_t i = 0; i < recent->yank_count && is_new; i++) {
        if (recent->yanks[i].bytes == kept && memcmp(recent->yanks[i].text, clean, kept) == 0) {
            yank_remove(recent, i);
            is_new = false;
        }
    }
    if (recent->yank_count == RECENT_YANKS)
        yank_remove(recent, 0);
    recent->yanks[recent->yank_count++] = (struct recent_yank){copy, clean, kept};
    return is_new;
}
