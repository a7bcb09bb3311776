// hxqd in a real Helix with this repository's configuration: helix.mjs HXQD. Helix is $HELIX, else `hx` on $PATH. The server is
// hxqd_scripted, beside HXQD, which writes WRITTEN: the embedded model may answer a wish with nothing.
//
// Helix runs in a pseudo-terminal that script(1) makes, with a folder of its own as home. It draws only what changes, so what
// is expected is read from its log, which holds all that the two say to each other, and from the file that it saves. Exit 77,
// with the reason, where there is none (ctest counts that as skipped).

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// Patience with slow machines; nothing is timed.
const WAIT_MS = 60_000;
const STEP_MS = 200;
const CLOSE_MS = 5_000;
// Longer than a terminal takes an escape for the beginning of another key, and than a menu takes to open.
const PAUSE_MS = 500;

const ESCAPE = '\x1b';
const SAMPLE = 'def clamp(value, low, high):\n    # keep the value between low and high\n    \n';
const WRITTEN = 'return low';

const helix = process.env.HELIX ?? 'hx';
const hxqd = path.resolve(process.argv[2]);

function skipUnlessRunning(program, ...args) {
    const result = spawnSync(program, args, { encoding: 'utf8' });
    if (result.status !== 0) {
        console.log(`skipped: no ${program}`);
        process.exit(77);
    }
    return result.stdout.trim();
}

// Starts Helix on the sample; `log` and `file` are read as they are at the moment.
function start(home) {
    const [log, file] = [path.join(home, 'log'), path.join(home, 'sample.py')];
    fs.mkdirSync(path.join(home, 'helix'));
    fs.copyFileSync('editors/helix/languages.toml', path.join(home, 'helix/languages.toml'));
    fs.writeFileSync(file, SAMPLE);
    const server = path.join(path.dirname(hxqd), 'hxqd_scripted');
    fs.writeFileSync(path.join(home, 'hxqd'), `#!/bin/sh\nHXQD_SCRIPTED_TEXT='${WRITTEN}' exec "${server}" "$@"\n`, { mode: 0o755 });
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, TERM: 'xterm',
        PATH: `${home}:${process.env.PATH}` };
    const command = `stty rows 30 cols 100; exec "${helix}" -vv --log "${log}" "${file}"`;
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env, cwd: home, stdio: ['pipe', 'ignore', 'ignore'] });
    return {
        child,
        // Keys of normal mode, whatever mode or menu there was, then those of the menus that they open.
        press: async (...groups) => {
            for (const keys of [ESCAPE, ...groups]) {
                child.stdin.write(keys);
                await sleep(PAUSE_MS);
            }
        },
        log: () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : ''),
        file: () => fs.readFileSync(file, 'utf8'),
    };
}

// Waits until `condition` gives something true, pressing `keys` again every few steps, for Helix says nowhere that it is ready.
async function wait(editor, what, condition, ...keys) {
    for (let waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        if (keys.length > 0 && waited % (10 * STEP_MS) === 0) {
            await editor.press(...keys);
        }
        await sleep(STEP_MS);
        const found = await condition();
        if (found) {
            console.log(`ok   ${what}`);
            return found;
        }
    }
    throw new Error(`waited in vain for: ${what}\n${editor.log().slice(-4000)}`);
}

async function check(editor) {
    await wait(editor, 'server_is_told_of_the_file', () => /hxqd -> .*textDocument\/didOpen/.test(editor.log()));
    await wait(editor, 'hover_says_what_syntax_knows',
        () => /hxqd <- .*def clamp\(value, low, high\)/.test(editor.log()), 'gg4l k');
    await wait(editor, 'code_action_is_offered', () => /hxqd <- .*"kind":"refactor.rewrite"/.test(editor.log()), 'gg2jgl a');
    await wait(editor, 'code_action_is_taken', () => /hxqd <- .*"edit":/.test(editor.log()), 'gg2jgl a', '\r');
    await wait(editor, 'file_says_what_was_written', () => editor.file().includes(WRITTEN), ':w\r');
    // What a server writes to its standard error is all "ERROR" to Helix.
    const complaints = editor.log().split('\n').filter(
        (line) => /\[ERROR\]|panicked/.test(line) && /hxqd/.test(line) && !/hxqd err <- .* info /.test(line));
    if (complaints.length > 0) {
        throw new Error(`errors in Helix's log:\n${complaints.join('\n')}`);
    }
    console.log('ok   log_has_no_error_of_the_server');
}

skipUnlessRunning('script', '--version');
console.log(skipUnlessRunning(helix, '--version'));
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'hxqd-helix-'));
const editor = start(home);
const ended = new Promise((resolve) => editor.child.on('exit', resolve));
try {
    await check(editor);
} catch (problem) {
    console.log(`FAIL ${problem.message}`);
    process.exitCode = 1;
} finally {
    await editor.press(':qa!\r');
    await Promise.race([ended, sleep(CLOSE_MS)]);
    editor.child.kill();
    fs.rmSync(home, { recursive: true, force: true });
}
