/* Options are one table for getopt_long; every command takes the common ones, and a second table says which commands take
 * the others. */
#include "lsp/command_line.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "infer/compress.h"
#include "lsp/options.h"

enum flag {
    OPTION_MODEL = 256,
    OPTION_DRAFT_MODEL,
    OPTION_DEVICE,
    OPTION_GPU_MEMORY,
    OPTION_NO_GPU_FALLBACK,
    OPTION_THREADS,
    OPTION_EXACT,
    OPTION_CONTEXT,
    OPTION_MAX_TOKENS,
    OPTION_JSON,
    OPTION_LOG,
    OPTION_LOG_LEVEL,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_STDIO,
    OPTION_SOCKET,
    OPTION_PIPE,
    OPTION_CLIENT_PROCESS_ID,
    OPTION_PROMPT,
    OPTION_FILE,
    OPTION_TEMPERATURE,
    OPTION_TOP_P,
    OPTION_SEED,
    OPTION_SPECIAL,
    OPTION_DECODE,
    OPTION_TOKENS,
    OPTION_OUTPUT,
    OPTION_WINDOW,
    OPTION_STRIDE,
    OPTION_SIDECAR,
    OPTION_PROMPT_TOKENS,
    OPTION_DECODE_TOKENS,
    OPTION_PROBLEMS,
    OPTION_RUNS,
};

static const struct option options[] = {
    {"model", required_argument, NULL, OPTION_MODEL},
    {"draft-model", required_argument, NULL, OPTION_DRAFT_MODEL},
    {"device", required_argument, NULL, OPTION_DEVICE},
    {"gpu-memory", required_argument, NULL, OPTION_GPU_MEMORY},
    {"no-gpu-fallback", no_argument, NULL, OPTION_NO_GPU_FALLBACK},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"exact", no_argument, NULL, OPTION_EXACT},
    {"context", required_argument, NULL, OPTION_CONTEXT},
    {"max-tokens", required_argument, NULL, OPTION_MAX_TOKENS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"log", required_argument, NULL, OPTION_LOG},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"stdio", no_argument, NULL, OPTION_STDIO},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"pipe", required_argument, NULL, OPTION_PIPE},
    {"clientProcessId", required_argument, NULL, OPTION_CLIENT_PROCESS_ID},
    {"prompt", required_argument, NULL, OPTION_PROMPT},
    {"file", required_argument, NULL, OPTION_FILE},
    {"temperature", required_argument, NULL, OPTION_TEMPERATURE},
    {"top-p", required_argument, NULL, OPTION_TOP_P},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"special", no_argument, NULL, OPTION_SPECIAL},
    {"decode", no_argument, NULL, OPTION_DECODE},
    {"tokens", required_argument, NULL, OPTION_TOKENS},
    {"output", required_argument, NULL, OPTION_OUTPUT},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"stride", required_argument, NULL, OPTION_STRIDE},
    {"sidecar", required_argument, NULL, OPTION_SIDECAR},
    {"prompt-tokens", required_argument, NULL, OPTION_PROMPT_TOKENS},
    {"decode-tokens", required_argument, NULL, OPTION_DECODE_TOKENS},
    {"problems", required_argument, NULL, OPTION_PROBLEMS},
    {"runs", required_argument, NULL, OPTION_RUNS},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    enum command command;
    const char *operand;   /* what they are called in messages */
    int least, most;       /* how many operands */
    enum flag first, last; /* options of its own; 0: none */
} commands[] = {
    {"serve", COMMAND_SERVE, NULL, 0, 0, OPTION_STDIO, OPTION_CLIENT_PROCESS_ID},
    {"complete", COMMAND_COMPLETE, "FILE:LINE:COL", 1, 1, 0, 0},
    {"generate", COMMAND_GENERATE, NULL, 0, 0, OPTION_PROMPT, OPTION_SPECIAL},
    {"tokenize", COMMAND_TOKENIZE, "FILE", 0, 1, OPTION_SPECIAL, OPTION_DECODE},
    {"logits", COMMAND_LOGITS, NULL, 0, 0, OPTION_TOKENS, OPTION_OUTPUT},
    {"perplexity", COMMAND_PERPLEXITY, "FILE", 1, 1, OPTION_WINDOW, OPTION_STRIDE},
    {"compress", COMMAND_COMPRESS, "SRC_DIR DST_DIR", 2, 2, OPTION_SIDECAR, OPTION_SIDECAR},
    {"bench", COMMAND_BENCH, NULL, 0, 0, OPTION_PROMPT_TOKENS, OPTION_RUNS},
    {"inspect", COMMAND_INSPECT, "DIR", 0, 1, 0, 0},
    {"doctor", COMMAND_DOCTOR, NULL, 0, 0, 0, 0},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static bool parse_int(const char *name, const char *text, long least, long most, int *value,
                      struct error *error)
{
    char *end;

    errno = 0;
    const long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < least || number > most)
        return error_set(error, ERROR_INPUT,
                         "--%s: a whole number from %ld to %ld is expected, not %s", name, least,
                         most, text);
    *value = (int)number;
    return true;
}

static bool parse_float(const char *name, const char *text, float least, float most, float *value,
                        struct error *error)
{
    char *end;
    const float number = strtof(text, &end);

    if (end == text || *end || !(number >= least && number <= most))
        return error_set(error, ERROR_INPUT, "--%s: a number from %g to %g is expected, not %s",
                         name, (double)least, (double)most, text);
    *value = number;
    return true;
}

static bool parse_unsigned(const char *name, const char *text, uint64_t *value, struct error *error)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-')
        return error_set(error, ERROR_INPUT, "--%s: a whole number is expected, not %s", name,
                         text);
    return true;
}

static bool parse_log_level(const char *text, enum settings_log_level *level, struct error *error)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *level = (enum settings_log_level)i;
            return true;
        }
    return error_set(error, ERROR_INPUT,
                     "--log-level: error, warn, info or debug is expected, not %s", text);
}

static bool set_string(char **field, const char *text, struct error *error)
{
    return settings_set_string(field, text) || error_set(error, ERROR_MEMORY, "not enough memory");
}

/* Options that every command takes; *known false for others. */
static bool apply_common(struct command_line *line, enum flag option, const char *text, bool *known,
                         struct error *error)
{
    struct settings *settings = &line->settings;

    switch (option) {
    case OPTION_MODEL:
        options_give(settings, &settings->model);
        return set_string(&settings->model, text, error);
    case OPTION_DRAFT_MODEL:
        options_give(settings, &settings->draft_model);
        return set_string(&settings->draft_model, text, error);
    case OPTION_DEVICE:
        options_give(settings, &settings->device);
        return settings_parse_device(text, &settings->device) ||
               error_set(error, ERROR_INPUT, "--device: auto, cpu or cuda is expected, not %s",
                         text);
    case OPTION_GPU_MEMORY:
        options_give(settings, &settings->gpu_memory_bytes);
        return settings_parse_memory(text, &settings->gpu_memory_bytes) ||
               error_set(error, ERROR_INPUT, "--gpu-memory: a size such as 4G is expected, not %s",
                         text);
    case OPTION_NO_GPU_FALLBACK:
        options_give(settings, &settings->gpu_fallback);
        settings->gpu_fallback = false;
        return true;
    case OPTION_THREADS:
        options_give(settings, &settings->threads);
        return parse_int("threads", text, 0, 1024, &settings->threads, error);
    case OPTION_EXACT:
        options_give(settings, &settings->exact);
        settings->exact = true;
        return true;
    case OPTION_CONTEXT:
        options_give(settings, &settings->context_tokens);
        return parse_int("context", text, 16, 1 << 20, &settings->context_tokens, error);
    case OPTION_MAX_TOKENS:
        options_give(settings, &settings->max_tokens);
        return parse_int("max-tokens", text, 1, 1 << 20, &settings->max_tokens, error);
    case OPTION_JSON:
        settings->json = true;
        return true;
    case OPTION_LOG:
        return set_string(&settings->log_path, text, error);
    case OPTION_LOG_LEVEL:
        return parse_log_level(text, &settings->log_level, error);
    case OPTION_HELP:
        line->command = COMMAND_HELP;
        return true;
    case OPTION_VERSION:
        line->command = COMMAND_VERSION;
        return true;
    default:
        *known = false;
        return true;
    }
}

static bool apply_own(struct command_line *line, enum flag option, const char *text,
                      struct error *error)
{
    uint64_t number;

    switch (option) {
    case OPTION_STDIO:
        return true;
    case OPTION_SOCKET:
    case OPTION_PIPE:
        line->transport.kind = option == OPTION_SOCKET ? SERVER_LISTEN : SERVER_CONNECT;
        line->transport.path = text;
        return true;
    case OPTION_CLIENT_PROCESS_ID:
        if (!parse_unsigned("clientProcessId", text, &number, error))
            return false;
        line->transport.client_process_id = number <= INT_MAX ? (int64_t)number : 0;
        return true;
    case OPTION_PROMPT:
        line->prompt = text;
        return true;
    case OPTION_FILE:
        line->file = text;
        return true;
    case OPTION_TEMPERATURE:
        return parse_float("temperature", text, 0.0f, 10.0f, &line->temperature, error);
    case OPTION_TOP_P:
        return parse_float("top-p", text, 0.0f, 1.0f, &line->top_p, error);
    case OPTION_SEED:
        return parse_unsigned("seed", text, &line->seed, error);
    case OPTION_SPECIAL:
        line->settings.special = true;
        return true;
    case OPTION_DECODE:
        line->decode = true;
        return true;
    case OPTION_TOKENS:
        line->tokens = text;
        return true;
    case OPTION_WINDOW:
        return parse_int("window", text, 2, 1 << 20, &line->window, error);
    case OPTION_STRIDE:
        return parse_int("stride", text, 1, 1 << 20, &line->stride, error);
    case OPTION_PROMPT_TOKENS:
        return parse_int("prompt-tokens", text, 1, 1 << 20, &line->prompt_tokens, error);
    case OPTION_DECODE_TOKENS:
        return parse_int("decode-tokens", text, 1, 1 << 20, &line->decode_tokens, error);
    case OPTION_PROBLEMS:
        line->problems = text;
        return true;
    case OPTION_RUNS:
        return parse_int("runs", text, 1, 100, &line->runs, error);
    case OPTION_SIDECAR:
        return parse_int("sidecar", text, 0, COMPRESS_SIDECAR_MAX, &line->sidecar, error);
    default:
        line->output = text;
        return true;
    }
}

/* Brings the first word that is no option, nor the value of one, to the front: "--json doctor" is "doctor --json". Whether
 * there is such a word. */
static bool move_command(int argc, char **argv)
{
    int option;

    opterr = 0;
    optind = 0; /* scan afresh, with the order that the call names */
    do
        option = getopt_long(argc, argv, "+:", options, NULL);
    while (option != -1 && option != '?' && option != ':');
    if (option != -1 || optind >= argc)
        return false;

    char *word = argv[optind];
    memmove(argv + 2, argv + 1, (size_t)(optind - 1) * sizeof *argv);
    argv[1] = word;
    return true;
}

/* Index of the command that a word names; -1 for an unknown one. */
static int find_command(const char *word)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(word, commands[i].name) == 0)
            return i;
    return -1;
}

/* Operands, and options that a command cannot do without. */
static bool check_needs(const struct command_line *line, int index, int given, struct error *error)
{
    if (given < commands[index].least)
        return error_set(error, ERROR_INPUT, "%s needs %s", commands[index].name,
                         commands[index].operand);
    if (line->command == COMMAND_GENERATE && !line->prompt == !line->file)
        return error_set(error, ERROR_INPUT, "generate needs either --prompt or --file");
    if (line->command == COMMAND_LOGITS && !line->tokens)
        return error_set(error, ERROR_INPUT, "logits needs --tokens 1,2,3");
    return true;
}

static bool parse_options(struct command_line *line, int index, int argc, char **argv,
                          struct error *error)
{
    int option, which = 0;

    opterr = 0;
    optind = 0; /* scan afresh, with the order that the call names */
    while ((option = getopt_long(argc, argv, ":", options, &which)) != -1) {
        bool known = true;
        if (option == ':')
            return error_set(error, ERROR_INPUT, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return error_set(error, ERROR_INPUT, "unknown option %s", argv[optind - 1]);
        if (options[which].has_arg && !*optarg && option != OPTION_PROMPT)
            return error_set(error, ERROR_INPUT, "--%s needs a value", options[which].name);
        if (!apply_common(line, (enum flag)option, optarg, &known, error))
            return false;
        if (known)
            continue;
        if (option < (int)commands[index].first || option > (int)commands[index].last)
            return error_set(error, ERROR_INPUT, "%s does not take --%s", commands[index].name,
                             options[which].name);
        if (!apply_own(line, (enum flag)option, optarg, error))
            return false;
    }
    return true;
}

bool command_line_parse(struct command_line *line, int argc, char **argv, struct error *error)
{
    *line = (struct command_line){.top_p = 1.0f, .sidecar = COMPRESS_SIDECAR_DEFAULT};
    if (!settings_init(&line->settings))
        return error_set(error, ERROR_MEMORY, "not enough memory");
    if (line->settings.model) /* of the environment */
        options_give(&line->settings, &line->settings.model);

    const int words = move_command(argc, argv) ? 1 : 0;
    const int index = words ? find_command(argv[1]) : 0;
    if (index < 0)
        return error_set(error, ERROR_INPUT, "unknown command %s", argv[1]);
    line->command = commands[index].command;

    /* the command's word takes the place of the program's name */
    if (!parse_options(line, index, argc - words, argv + words, error))
        return false;
    if (line->command == COMMAND_HELP || line->command == COMMAND_VERSION)
        return true;

    const int given = argc - words - optind;
    if (given > commands[index].most)
        return error_set(error, ERROR_INPUT, "%s: unexpected %s", commands[index].name,
                         argv[argc - given + commands[index].most]);
    if (!check_needs(line, index, given, error))
        return false;
    line->operand = given > 0 ? argv[argc - given] : NULL;
    line->destination = given > 1 ? argv[argc - given + 1] : NULL;
    return true;
}

void command_line_finish(struct command_line *line)
{
    settings_finish(&line->settings);
}

void command_line_help(FILE *out)
{
    fputs(
        "hxqd: completes code with a model that runs inside it\n"
        "\n"
        "  hxqd [serve] [--stdio] [--socket PATH] [--pipe PATH]   language server\n"
        "  hxqd complete FILE:LINE:COL                            the text to insert there\n"
        "  hxqd generate --prompt TEXT | --file F                 continue a text, streamed\n"
        "      [--temperature T] [--top-p P] [--seed N] [--special]\n"
        "  hxqd tokenize [FILE|-] [--special] [--decode]          text to ids, or ids to text\n"
        "  hxqd logits --tokens 1,2,3 [--output F]                float32 [tokens, vocabulary]\n"
        "  hxqd perplexity FILE [--window N] [--stride N]         how well the model predicts a "
        "text\n"
        "  hxqd compress SRC_DIR DST_DIR [--sidecar N]            dense checkpoint to HXQ\n"
        "  hxqd bench [--prompt-tokens N] [--decode-tokens N]     how fast it is here\n"
        "      [--problems FILE] [--runs N]\n"
        "  hxqd inspect [DIR] [--gpu-memory 4G]                   what a checkpoint holds, and "
        "whether\n"
        "                                                         it fits a GPU of that size\n"
        "  hxqd doctor                                            what will be used, and why\n"
        "\n"
        "  --model DIR           checkpoint; else $HXQD_MODEL, else the one that is built in\n"
        "  --draft-model DIR     a smaller checkpoint that guesses ahead; never changes what is "
        "written\n"
        "  --device auto|cpu|cuda\n"
        "  --gpu-memory SIZE     of a GPU's memory at most, such as 3.5G\n"
        "  --no-gpu-fallback     what does not fit the GPU is an error, not a smaller context\n"
        "                        or the CPU\n"
        "  --threads N           0: one per processor\n"
        "  --exact               no rounding beyond the golden numerics\n"
        "  --context N           tokens of the context window\n"
        "  --max-tokens N        longest completion\n"
        "  --json                one JSON object on standard output\n"
        "  --log FILE  --log-level error|warn|info|debug\n"
        "  --help  --version\n"
        "\n"
        "Lines and columns count from 1, columns in bytes. Exit status: 0, 1 bad input, 2 usage.\n",
        out);
}
