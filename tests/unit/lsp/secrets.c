/* What counts as a secret, and what must not: a mask over ordinary code would spoil every completion. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/secrets.h"

static void files_are_secret_by_their_names(void **state)
{
    static const struct {
        const char *path;
        bool is_secret;
    } cases[] = {
        {"/p/.env", true},
        {"/p/.env.local", true},
        {"/p/prod.env", true},
        {"/p/ID_RSA", true},
        {"/p/id_ed25519.pub", true},
        {"/p/server.PEM", true},
        {"/p/store.p12", true},
        {"/u/.npmrc", true},
        {"/u/.netrc", true},
        {"/u/.ssh/config", true},
        {"/u/.aws/credentials", true},
        {"/p/.git/config", true},
        {"/p/kubeconfig", true},
        {"/p/config/secrets.yml", true},
        {"/p/secrets/db.txt", true},
        {"/p/terraform.tfvars", true},
        {"/p/secrets/store.c", false},
        {"/p/lsp/secrets.c", false},
        {"/p/environment.py", false},
        {"/p/keyboard.c", false},
        {"/p/token.go", false},
        {"/p/.gitignore", false},
        {"main.c", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (secrets_path(cases[i].path) != cases[i].is_secret)
            fail_msg("%s", cases[i].path);
}

static const struct {
    const char *text, *masked;
} mask_cases[] = {
    /* shapes */
    {"id = AKIAIOSFODNN7EXAMPLE;", "id = xxxxxxxxxxxxxxxxxxxx;"},
    {"t='ghp_abcdefghijklmnopqrst'", "t='xxxxxxxxxxxxxxxxxxxxxxxx'"},
    {"x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_d y",
     "x xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx y"},
    {"sk_live_12345678", "xxxxxxxxxxxxxxxx"},
    {"-----BEGIN RSA PRI"
     "VATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nint a;\n",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nxxxx\nxxx\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nint a;\n"},
    {"-----BEGIN PRI"
     "VATE KEY-----\nab",
     "xxxxxxxxxxxxxxxxxxxxxxxxxxx\nxx"},
    /* random words */
    {"k: 9f86d081884c7d659a2feaa0c55ad015", "k: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    {"\"8Kd0fQ2mZp7/vRtX5yLbN3wHs1JcGu9+AeTqYiVo\"",
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""},
    {"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
     "aws_secret_access_key = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    {"https://hooks/T0/q8Zr2LxW4tYvB6nM1kPd3s", "https://hooks/T0/xxxxxxxxxxxxxxxxxxxxxx"},
    /* passwords */
    {"postgres://me:geheim@host/db", "postgres://me:xxxxxx@host/db"},
    {"password = \"open sesame\"", "password = \"xxxxxxxxxxx\""},
    {"{\"api_key\": 'abcd'}", "{\"api_key\": 'xxxx'}"},
    {"DB_PASSWORD=hunter2222\n", "DB_PASSWORD=xxxxxxxxxx\n"},
    {"  accessToken: s3cr3t-value\n", "  accessToken: xxxxxxxxxxxx\n"},
    {"s.password := \"a\\\"bcd\"", "s.password := \"xxxxxx\""},
    {"DB_PASS=hunter2x", "DB_PASS=xxxxxxxx"},
    {"SECRET_KEY_BASE: a1b2c3d4e5\n", "SECRET_KEY_BASE: xxxxxxxxxx\n"},
    {"let apiKey: string = \"abcd1234\";", "let apiKey: string = \"xxxxxxxx\";"},
    {"var apiKey string = \"abcd1234\"", "var apiKey string = \"xxxxxxxx\""},
    {"char password[] = \"abcd\";", "char password[] = \"xxxx\";"},
    {"os.environ['API_KEY'] = 'abcd'", "os.environ['API_KEY'] = 'xxxx'"},
    {"#define WIFI_PASSWORD \"hunter22\"", "#define WIFI_PASSWORD \"xxxxxxxx\""},
    {"ENV API_KEY abc123def456\n", "ENV API_KEY xxxxxxxxxxxx\n"},
    {"<password>hunter</password>", "<password>xxxxxx</password>"},
    {"Authorization: Bearer abcdef12", "Authorization: Bearer xxxxxxxx"},
    {"-H 'Authorization: Basic dXNlcjpwYXNz'", "-H 'Authorization: Basic xxxxxxxxxxxx'"},
    /* code */
    {"<password>", NULL},
    {"<token>\n</token>", NULL},
    {"Basic knowledge of the Bearer protocols", NULL},
    {"if (token[0] == '#')", NULL},
    {"case TOKEN_SECRET: return 1;", NULL},
    {"let token: string;", NULL},
    {"CHECK(PASSWORD", NULL},
    {"TOKEN ", NULL},
    {"size_t text_position_at(const struct text *text);", NULL},
    {"enum { CONTEXT_PREFIX_BYTES_2024_01 = 64 * 1024 };", NULL},
    {"myVeryLongCamelCaseIdentifierName2Test3();", NULL},
    {"#include \"tests/unit/infer/v2/tokenizer3/utf8.h\"", NULL},
    {"token = next_token(lexer);", NULL},
    {"token=self.token)", NULL},
    {"if (password == NULL) return;", NULL},
    {"const char *token = strtok(line, \" \");", NULL},
    {"https://example.org/a/b?c=d", NULL},
    {"key = \"value\"", NULL},
    {"0x12345678, 0x9abcdef0, 3.14159265358979323846", NULL},
    {"2026-11-24T10:20:30.123456Z", NULL},
    {"-----BEGIN CERTIFICATE-----\n", NULL},
    {"token, value = next_token(value)", NULL},
    {"printf(\"password: \"); puts(\"abcd\");", NULL},
    {"password = password.encode(\"utf-8\")", NULL},
    {"password = getenv(\"DB_PASSWORD\")", NULL},
    {"getPassword(\"database\")", NULL},
    {"input(\"password: \")", NULL},
    {"password: string\n", NULL},
    {"token: Token\n", NULL},
    {"{\"password\": \"${DB_PASSWORD}\"}", NULL},
    {"--password <password>", NULL},
    {"dsn = f\"password={password} host\"", NULL},
    {"enum { LAST_TOKEN=abcdef, OTHER };", NULL},
    {"fetch(url, { credentials: 'include' })", NULL},
    {"docker run -u 1000:1000 -p 8080:80 image", NULL},
    {"mkdir -p/tmp/abcdef", NULL},
    {"we pass `NULL` as the loop pass 'lpass' says", NULL},
    {"machine code, as the passphrase tells", NULL},
    {"headers.authorization = make_header(user)", NULL},
    {"int nvvm_mma_m8n8k16_row_col_s8(void);", NULL},
    {"git@example.org:me/project.git ssh://git@host/a", NULL},
    {"@user on line 3: see http://host:80/x", NULL},
    {"", NULL},
};

static void secrets_are_masked_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mask_cases / sizeof *mask_cases; i++) {
        const size_t bytes = strlen(mask_cases[i].text);
        char *text =
            malloc(bytes + 1 - (bytes > 0)); /* exactly, so that reads behind it are seen */
        memcpy(text, mask_cases[i].text, bytes);
        if (secrets_has(text, bytes) != (mask_cases[i].masked != NULL))
            fail_msg("secrets_has %s", mask_cases[i].text);
        const size_t masked = secrets_mask(text, bytes);
        const char *wanted = mask_cases[i].masked ? mask_cases[i].masked : mask_cases[i].text;
        if (memcmp(text, wanted, bytes) != 0)
            fail_msg("%s became %.*s", mask_cases[i].text, (int)bytes, text);
        assert_int_equal(masked > 0, mask_cases[i].masked != NULL);
        free(text);
    }
}

/* What is between the marks is all that is masked. */
static const char *const form_cases[] = {
    "user.setPassword(\"⟦canary⟧\");",
    "builder.password(\"⟦canary⟧\")",
    "client.withToken('⟦canary7⟧')",
    "api.setApiKey(\"⟦canary⟧\")",
    "login(user, password=\"⟦canary⟧\")",
    "mysql -u root -p⟦canary⟧ db",
    "mysqldump --password ⟦canary⟧ db",
    "mysqldump --password=⟦canary⟧ db",
    "tool --api-token ⟦canary7⟧ run",
    "run([\"tool\", \"--password\", \"⟦canary⟧\"])",
    "sshpass -p ⟦canary⟧ ssh host",
    "sshpass -p '⟦canary⟧' ssh host",
    "docker login -u me -p ⟦canary⟧ registry",
    "redis-cli -a ⟦canary⟧ ping",
    "openssl enc -passin pass:⟦canary⟧ -in a",
    "curl -u me:⟦canary⟧ https://host/",
    "curl --user me:⟦canary⟧ https://host/",
    "curl -u \"me:⟦canary⟧\" https://host/",
    "curl -H \"Authorization: Bearer ⟦canary⟧\" x",
    "curl -H 'X-Api-Key: ⟦canary7x⟧' x",
    "https://me:⟦canary⟧@host/path",
    "redis://:⟦canary⟧@host:6379/0",
    "https://⟦canarycanary⟧@host/a",
    "\"amqp://me:⟦canary⟧@host\"",
    "Authorization: Bearer ⟦canary⟧",
    "Authorization: Basic ⟦Y2FuYXJ5⟧",
    "headers[\"Authorization\"] = \"Bearer ⟦canary⟧\"",
    "  \"Authorization\": `token ⟦canary⟧`,",
    "req.Header.Set(\"Authorization\", \"Bearer ⟦canary⟧\")",
    "{\"password\": \"⟦canary⟧\", \"a\": 1}",
    "{\"user\":{\"api_key\":\"⟦canary⟧\"}}",
    "\"{\\\"password\\\": \\\"⟦canary⟧\\\"}\"",
    "password: ⟦canary⟧",
    "  db_password: \"⟦canary⟧\"",
    "password: '⟦canary⟧'",
    "  - DB_PASSWORD=⟦canary⟧",
    "- name: DB_PASSWORD\n  value: ⟦canary⟧",
    "{\"name\": \"DB_PASSWORD\", \"value\": \"⟦canary⟧\"}",
    "password: |\n  ⟦canary⟧\nuser: a\n",
    "<password>⟦canary⟧</password>",
    "<ns:password>⟦canary⟧</ns:password>",
    "<server password=\"⟦canary⟧\"/>",
    "<add key=\"Password\" value=\"⟦canary⟧\"/>",
    "<property name=\"hibernate.password\" value='⟦canary⟧'/>",
    "password = \"⟦canary⟧\"",
    "password = \"\"\"⟦canary⟧\"\"\"",
    "token = '⟦canary7⟧'",
    "db.password=⟦canary⟧",
    "spring.datasource.password=⟦canary⟧",
    "CREATE USER me IDENTIFIED BY '⟦canary⟧';",
    "ALTER USER me IDENTIFIED WITH caching_sha2 BY '⟦canary⟧';",
    "CREATE USER me IDENTIFIED BY ⟦canary⟧;",
    "CREATE ROLE me WITH LOGIN PASSWORD '⟦canary⟧';",
    "SET PASSWORD FOR me = PASSWORD('⟦canary⟧');",
    "\"Server=a;User Id=b;Password=⟦canary⟧;Database=c\"",
    "Server=a;User Id=b;Password=⟦canary⟧;Database=c",
    "\"AccountName=a;AccountKey=⟦canary⟧;x\"",
    "\"host=a user=b password=⟦canary⟧ dbname=c\"",
    "ENV DB_PASSWORD ⟦canary7x⟧",
    "ENV DB_PASSWORD=⟦canary⟧",
    "ARG NPM_TOKEN=⟦canary⟧",
    "export API_TOKEN=⟦canary⟧",
    "export API_TOKEN='⟦canary⟧'",
    "set DB_PASSWORD=⟦canary⟧",
    "${DB_PASSWORD:-⟦canary⟧}",
    "process.env.DB_PASSWORD || '⟦canary⟧'",
    "os.environ.get(\"DB_PASSWORD\", \"⟦canary⟧\")",
    "os.environ[\"DB_PASSWORD\"] = \"⟦canary⟧\"",
    "os.Setenv(\"API_TOKEN\", \"⟦canary⟧\")",
    "props.put(\"db.password\", \"⟦canary⟧\");",
    "if (password == \"⟦canary⟧\")",
    "if (password.equals(\"⟦canary⟧\"))",
    "strcmp(password, \"⟦canary⟧\")",
    "password => '⟦canary⟧',",
    ":password => \"⟦canary⟧\"",
    "password := `⟦canary⟧`",
    "char *password = \"⟦canary⟧\";",
    "const std::string kPassword{\"⟦canary⟧\"};",
    "static const char PASSWORD[] = \"⟦canary⟧\";",
    "let password: &str = \"⟦canary⟧\";",
    "val password: String = \"⟦canary⟧\"",
    "String password = new String(\"⟦canary⟧\");",
    "password = b\"⟦canary⟧\"",
    "password = r#\"⟦canary⟧\"#",
    "password = @\"⟦canary⟧\"",
    "db_password_prod = \"⟦canary⟧\"",
    "PASSWORD_1 = \"⟦canary⟧\"",
    "machine host login me password ⟦canary⟧",
    "machine host\n  login me\n  password ⟦canary⟧\n",
    "requirepass ⟦canary⟧",
    "#define WIFI_PASSWORD \"⟦canary⟧\"",
    "-Dkeystore.password=⟦canary⟧",
    "java -Dtoken=⟦canary7⟧ -jar",
    "https://host/x?access_token=⟦canary⟧&b=1",
    "aws_access_key_id = ⟦AKIAIOSFODNN7CANARY7⟧",
    "aws_secret_access_key = ⟦wJalrXUtnFEMI/K7MDENG/bPxRfiCYcanary⟧",
    "//registry.example/:_auth"
    "Token=⟦canary⟧",
    "password: ⟦p@$$w0rd,canary!⟧",
    "DB_PASSWORD=⟦ca\"n(ary⟧",
    "user_pass: \"⟦canary⟧\"",
    "auth: { user: \"me\", pass: \"⟦canary⟧\" }",
    "wget --http-password=⟦canary⟧ x",
    "$password = '⟦canary⟧';",
    "self.password = '⟦canary⟧'",
    "password=\"⟦canary⟧\"",
    "password='⟦canary⟧' # note",
    "Password: ⟦canary7x⟧",
    "'password' : u'⟦canary⟧',",
    "password: \"⟦canary⟧\" # comment",
    "PGPASSWORD=⟦canary⟧ psql -h host",
};

/* Takes the marks out of `marked`; `masked` becomes what is to be left of it. */
static size_t form_read(const char *marked, char *text, char *masked)
{
    static const char opening[] = "⟦", closing[] = "⟧";
    size_t bytes = 0;
    bool is_secret = false;

    for (const char *at = marked; *at;) {
        const bool opens = strncmp(at, opening, sizeof opening - 1) == 0;
        if (opens || strncmp(at, closing, sizeof closing - 1) == 0) {
            is_secret = opens;
            at += sizeof opening - 1;
            continue;
        }
        text[bytes] = *at++;
        masked[bytes] = is_secret ? 'x' : text[bytes];
        bytes++;
    }
    return bytes;
}

static void secrets_in_every_form_are_masked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof form_cases / sizeof *form_cases; i++) {
        char text[256], masked[256];
        const size_t bytes = form_read(form_cases[i], text, masked);
        size_t kept;
        char *clean = secrets_clean(text, bytes, &kept);
        assert_non_null(clean);
        if (strstr(clean, "canary"))
            fail_msg("%s is not left out", form_cases[i]);
        free(clean);
        secrets_mask(text, bytes);
        if (memcmp(text, masked, bytes) != 0)
            fail_msg("%s became %.*s", form_cases[i], (int)bytes, text);
    }
}

/* The sources of this program hold nothing secret, but for the table above. */
static void masking_leaves_real_code_alone(void **state)
{
    static const char *const paths[] = {"lsp/complete.c",
                                        "lsp/text.c",
                                        "infer/engine.c",
                                        "kernels/kernels.h",
                                        "tests/fixtures/demo/debounce.js",
                                        "tests/fixtures/demo/files.py"};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        static char text[256 * 1024];
        FILE *file = fopen(paths[i], "r");
        assert_non_null(file);
        const size_t bytes = fread(text, 1, sizeof text, file);
        fclose(file);
        const size_t masked = secrets_mask(text, bytes);
        if (masked > 0)
            fail_msg("%s: %zu bytes masked, the first at %td", paths[i], masked,
                     strstr(text, "xxxx") - text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_secret_by_their_names),
        cmocka_unit_test(secrets_are_masked_and_nothing_else),
        cmocka_unit_test(secrets_in_every_form_are_masked),
        cmocka_unit_test(masking_leaves_real_code_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
