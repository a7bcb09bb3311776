/* hxqd: reads the command line, does what it says, turns failures into one line and an exit status. */
#include <signal.h>
#include <stdio.h>

#include "lsp/command_line.h"
#include "lsp/tools.h"

enum { EXIT_DONE = 0, EXIT_BAD_INPUT = 1, EXIT_USAGE = 2 };

static bool run_tool(const struct command_line *line, struct error *error)
{
    switch (line->command) {
    case COMMAND_COMPLETE:
        return tool_complete(line, error);
    case COMMAND_GENERATE:
        return tool_generate(line, error);
    case COMMAND_TOKENIZE:
        return tool_tokenize(line, error);
    case COMMAND_LOGITS:
        return tool_logits(line, error);
    case COMMAND_BENCH:
        return tool_bench(line, error);
    case COMMAND_PERPLEXITY:
        return tool_perplexity(line, error);
    case COMMAND_COMPRESS:
        return tool_compress(line, error);
    case COMMAND_INSPECT:
        return tool_inspect(line, error);
    case COMMAND_DOCTOR:
        return tool_doctor(line, error);
    case COMMAND_HELP:
        command_line_help(stdout);
        return true;
    case COMMAND_VERSION:
        puts("hxqd " HXQD_VERSION);
        return true;
    case COMMAND_SERVE:
        break;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct error error = {0};
    struct command_line line;
    int status = EXIT_DONE;

    /* a reader that went away and a file-size limit become errors of the write */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (!command_line_parse(&line, argc, argv, &error)) {
        fprintf(stderr, "hxqd: %s; see hxqd --help\n", error.text);
        status = EXIT_USAGE;
    } else if (line.command == COMMAND_SERVE) {
        status = server_run(&line.settings, &line.transport);
    } else {
        bool done = run_tool(&line, &error);
        if (fflush(stdout) != 0)
            done = error_set(&error, ERROR_SYSTEM, "standard output: cannot be written");
        if (!done) {
            fprintf(stderr, "hxqd: %s\n", error.text);
            status = EXIT_BAD_INPUT;
        }
    }
    command_line_finish(&line);
    return status;
}
