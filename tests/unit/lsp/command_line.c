/* command_line: which words mean what, and what is said about those that mean nothing. */
#include "tests/support/test.h"

#include <string.h>

#include "lsp/command_line.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { WORDS_MAX = 8 };

struct word_case {
    const char *name;
    char *words[WORDS_MAX]; /* behind the program's name */
    enum command command;
    const char *operand; /* NULL: none */
    const char *problem; /* part of the sentence; NULL: none */
};

static const struct word_case cases[] = {
    {"nothing", {NULL}, COMMAND_SERVE, NULL, NULL},
    {"only options", {"--stdio", "--threads", "2"}, COMMAND_SERVE, NULL, NULL},
    {"command first", {"complete", "a.c:1:1", "--json"}, COMMAND_COMPLETE, "a.c:1:1", NULL},
    {"option first", {"--json", "complete", "a.c:1:1"}, COMMAND_COMPLETE, "a.c:1:1", NULL},
    {"option with a value first",
     {"--model", "doctor", "inspect", "d"},
     COMMAND_INSPECT,
     "d",
     NULL},
    {"option with its value in one word", {"--model=d", "doctor"}, COMMAND_DOCTOR, NULL, NULL},
    {"option between", {"inspect", "--json", "d"}, COMMAND_INSPECT, "d", NULL},
    {"operand like an option", {"inspect", "--", "--d"}, COMMAND_INSPECT, "--d", NULL},
    {"help wins", {"complete", "--help"}, COMMAND_HELP, NULL, NULL},
    {"version", {"--version"}, COMMAND_VERSION, NULL, NULL},
    {"unknown command", {"compleat"}, 0, NULL, "unknown command compleat"},
    {"unknown option", {"--jsn"}, 0, NULL, "unknown option --jsn"},
    {"unknown option first", {"--jsn", "doctor"}, 0, NULL, "unknown option --jsn"},
    {"option of another command",
     {"doctor", "--seed", "1"},
     0,
     NULL,
     "doctor does not take --seed"},
    {"no operand", {"complete"}, 0, NULL, "complete needs FILE:LINE:COL"},
    {"one operand too many", {"inspect", "a", "b"}, 0, NULL, "inspect: unexpected b"},
    {"value missing", {"doctor", "--model"}, 0, NULL, "--model needs a value"},
    {"value empty", {"doctor", "--model", ""}, 0, NULL, "--model needs a value"},
    {"value empty in one word", {"serve", "--socket="}, 0, NULL, "--socket needs a value"},
    {"prompt empty", {"generate", "--prompt", ""}, COMMAND_GENERATE, NULL, NULL},
    {"number is a word", {"doctor", "--threads", "two"}, 0, NULL, "not two"},
    {"number too small", {"doctor", "--max-tokens", "0"}, 0, NULL, "from 1 to"},
    {"number not finite", {"generate", "--prompt", "a", "--top-p", "nan"}, 0, NULL, "from 0 to 1"},
    {"seed below zero", {"generate", "--prompt", "a", "--seed", "-1"}, 0, NULL, "--seed"},
    {"no prompt", {"generate"}, 0, NULL, "either --prompt or --file"},
    {"two prompts", {"generate", "--prompt", "a", "--file", "b"}, 0, NULL, "either --prompt or"},
    {"no tokens", {"logits"}, 0, NULL, "logits needs --tokens"},
    {"memory of a GPU",
     {"inspect", "--gpu-memory", "4G", "--no-gpu-fallback"},
     COMMAND_INSPECT,
     NULL,
     NULL},
    {"memory of a GPU is a word", {"doctor", "--gpu-memory", "all"}, 0, NULL, "not all"},
    {"log level unknown", {"--log-level", "loud"}, 0, NULL, "not loud"},
};

static void words_are_understood_or_refused(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct word_case *given = &cases[i];
        char program[] = "hxqd", *argv[WORDS_MAX + 2] = {program};
        struct command_line line;
        struct error error = {0};
        int argc = 1;

        for (; argc <= WORDS_MAX && given->words[argc - 1]; argc++)
            argv[argc] = given->words[argc - 1];
        bool parsed = command_line_parse(&line, argc, argv, &error);
        if (parsed != !given->problem || (!parsed && !strstr(error.text, given->problem)))
            fail_msg("%s: \"%s\"", given->name, error.text);
        if (parsed && line.command != given->command)
            fail_msg("%s: command %d", given->name, (int)line.command);
        if (parsed && (line.operand ? !given->operand || strcmp(line.operand, given->operand)
                                    : given->operand != NULL))
            fail_msg("%s: operand %s", given->name, line.operand ? line.operand : "missing");
        command_line_finish(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_understood_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
