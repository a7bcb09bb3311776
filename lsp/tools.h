/* The commands that do one thing and end: complete, generate, tokenize, logits, perplexity, compress, bench,
 * inspect, doctor.
 *
 * Each prints its result on standard output (one JSON object with --json) and is false with an error where it could not.
 */
#ifndef LSP_TOOLS_H
#define LSP_TOOLS_H

#include "lsp/command_line.h"

bool tool_complete(const struct command_line *line, struct error *error);
bool tool_generate(const struct command_line *line, struct error *error);
bool tool_tokenize(const struct command_line *line, struct error *error);
bool tool_logits(const struct command_line *line, struct error *error);
bool tool_perplexity(const struct command_line *line, struct error *error);
bool tool_compress(const struct command_line *line, struct error *error);
bool tool_bench(const struct command_line *line, struct error *error);
bool tool_inspect(const struct command_line *line, struct error *error);
bool tool_doctor(const struct command_line *line, struct error *error);

#endif
