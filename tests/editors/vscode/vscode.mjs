// The extension in a real VS Code with the real server and its embedded model: what a user sees and gets when typing.
//
// Run by ../vscode.sh: vscode.mjs VSIX [NAME ...]. What the model writes is its own affair: each expectation is made from the
// ghost text that was shown. NAMEs run only the tests with one in their names; --write makes the pictures of editors/pictures again.
import { existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { CodeServer, waitFor } from './editor.mjs';
import { describePicture, takePicture } from './picture.mjs';

// Code where even a small model is sure to have something to say: the end of this file, then TYPED.
const FILE = 'sample.py';
const TEXT = 'def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n';
const TYPED = '    return';

// A comment that asks for code.
const ASKING_TEXT = 'def add(a, b):\n    return a + b\n\n\n# Returns the difference of a and b.\n';

// Code where it says something that grows: the pieces differ.
const LONG_FILE = 'stack.py';
const LONG_TEXT = 'class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n';
const LONG_TYPED = '        ';

const C_TEXT = 'int add(int left, int right)\n{\n    return left + right;\n}\n\nint twice(int value)\n{\n';

const hxqd = resolve(process.env.HXQD);
const slow = resolve('tests/editors/vscode/slow.mjs');
const dying = resolve('tests/editors/vscode/dying.sh');
const scripted = resolve('tests/editors/vscode/scripted.sh');
const modest = resolve('tests/editors/vscode/modest.sh');

function expect(actual, expected, what) {
  if (actual === expected) return;
  throw new Error(`${what}: got ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
}

function expectMatch(text, pattern) {
  if (!pattern.test(text)) throw new Error(`no ${pattern} in:\n${text}`);
}

// The model is loaded, and the status bar names it.
function ready(editor) {
  return waitFor('the model', async () => /built-in/.test(await editor.status()), () => editor.everything());
}

// Any ghost text, perhaps the beginning of a longer one.
function firstGhost(editor) {
  return waitFor('ghost text', () => editor.ghost(), () => editor.everything());
}

// A ghost text that stays.
async function someGhost(editor) {
  await firstGhost(editor);
  return editor.settledGhost();
}

function noGhost(editor) {
  return waitFor('no ghost text', async () => (await editor.ghost()) === '', () => editor.everything());
}

// Types at the end of the file.
async function typeAtEnd(editor, typed = TYPED) {
  await ready(editor);
  await editor.press('Control+End');
  await editor.type(typed);
}

// The same, and the ghost text.
async function typeForGhost(editor, typed = TYPED) {
  await typeAtEnd(editor, typed);
  return someGhost(editor);
}

// Saves, and waits until the file is what is expected.
async function expectSaved(editor, expected, name = FILE) {
  await editor.press('Control+s');
  await waitFor(`a file of ${JSON.stringify(expected)}`, () => editor.saved(name) === expected,
    () => `but ${JSON.stringify(editor.saved(name))}`);
}

// Saves until the file is as `condition` wants it; its text.
function savedText(editor, condition, name = FILE) {
  return waitFor('another file', async () => {
    await editor.press('Control+s');
    const text = editor.saved(name);
    return condition(text) && text;
  }, () => editor.everything());
}

// Process ids of the servers that this code-server has started.
function serverPids(codeServer) {
  const parentOf = (pid) => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[1]);
  const isOurs = (pid) => {
    for (let ancestor = pid; ancestor > 1; ancestor = parentOf(ancestor)) {
      if (ancestor === codeServer.process.pid) return true;
    }
    return false;
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/exe`) === hxqd && isOurs(pid);
    } catch {
      return false; // gone, or not ours to look at
    }
  });
}

// The built-in model with a window that it was not trained for, larger than any memory; its folder.
function wideModel(codeServer) {
  const model = resolve('infer/default_model');
  const config = JSON.parse(readFileSync(`${model}/config.json`, 'utf8'));
  const folder = resolve(codeServer.write('wide/config.json', JSON.stringify({ ...config, max_position_embeddings: 1 << 20 })), '..');
  for (const name of ['model.safetensors', 'tokenizer.json']) {
    if (!existsSync(`${folder}/${name}`)) symlinkSync(`${model}/${name}`, `${folder}/${name}`);
  }
  return folder;
}

// Waits until the status bar says something.
function statusIs(editor, pattern) {
  return waitFor(`a status of ${pattern}`, async () => pattern.test(await editor.status()), () => editor.everything());
}

// A test gets a window on the sample; `options` are those of CodeServer.newWindow.
const tests = [];
function test(name, run, files = { [FILE]: TEXT }, options = {}) {
  tests.push({ name, run, files, options });
}

test('tab_after_typing_saves_what_was_shown', async (editor) => {
  const ghost = await typeForGhost(editor);
  await editor.picture('vscode-ghost.png');
  await editor.press('Tab');
  await noGhost(editor);
  await expectSaved(editor, TEXT + TYPED + ghost);
});

test('typing_something_else_takes_that_ghost_away', async (editor) => {
  const ghost = await typeForGhost(editor);
  await editor.type('~');
  // What fits the new text may come.
  await waitFor('another text or none', async () => (await editor.settledGhost()) !== ghost, () => editor.everything());
  await expectSaved(editor, `${TEXT}${TYPED}~`);
});

test('escape_hides_ghost', async (editor) => {
  await typeForGhost(editor);
  await editor.press('Escape');
  await noGhost(editor);
  await expectSaved(editor, TEXT + TYPED);
});

test('accepting_a_word_leaves_the_rest', async (editor) => {
  const ghost = await typeForGhost(editor);
  await editor.press('Control+ArrowRight');
  const rest = await waitFor('a shorter text', async () => {
    const shown = await editor.ghost();
    return shown.length < ghost.length && shown;
  }, () => editor.everything());
  expect(ghost.endsWith(rest), true, `${ghost} ends with ${rest}`);
  await expectSaved(editor, TEXT + TYPED + ghost.slice(0, -rest.length));
});

test('accepting_a_line_takes_one_line', async (editor) => {
  const ghost = await typeForGhost(editor);
  await editor.press('Control+Alt+ArrowDown');
  await expectSaved(editor, TEXT + TYPED + ghost.split('\n')[0]);
});

test('c_with_a_bracket_closed_by_the_editor_saves_what_was_shown', async (editor) => {
  // The editor sets the closing bracket; the text writes it again, and what is shown stands around it.
  await typeForGhost(editor, '    if (value');
  const shown = await editor.lastLine();
  expect(shown.split('(').length, shown.split(')').length, `what opens and what closes in ${shown}`);
  await editor.press('Tab');
  await noGhost(editor);
  await expectSaved(editor, `${C_TEXT}${shown}`, 'twice.c');
}, { 'twice.c': C_TEXT }, { settings: { 'hxqd.minProbability': 0 } });

test('hover_shows_the_definition', async (editor) => {
  await ready(editor);
  await editor.page.locator('.view-line span', { hasText: /^total$/ }).last().hover();
  const hover = editor.page.locator('.monaco-hover:visible .hover-contents').first();
  await hover.waitFor();
  expectMatch(await hover.innerText(), /def total\(prices, tax=0\.2\)/);
  expectMatch(await hover.innerText(), /with the tax on top/);
  await editor.picture('vscode-hover.png');
}, {
  'shop.py': '# What a basket costs, with the tax on top.\ndef total(prices, tax=0.2):\n    return sum(prices) * (1 + tax)\n\n\n' +
    'print(total([3, 4]))\n',
});

test('hover_shows_what_syntax_knows_before_what_the_model_says', async (editor) => {
  await ready(editor);
  await editor.page.locator('.view-line span', { hasText: /^total$/ }).last().hover();
  const parts = editor.page.locator('.monaco-hover:visible .hover-row .hover-contents');
  const texts = () => parts.allInnerTexts();
  await waitFor('the definition', async () => /def total/.test((await texts())[0]), () => editor.everything());
  expect(/It adds up/.test((await texts()).join()), false, 'that the model has said something');
  await waitFor('the explanation', async () => /what things cost/.test((await texts()).at(-1)), () => editor.everything());
  const [facts, explanation, ...others] = await texts();
  expectMatch(facts, /def total\(prices\)/);
  expect(explanation.trim().replace(/\s+/g, ' '), 'It adds up what things cost. explained by the model', 'the second part');
  expect(others.length, 0, 'other parts');
}, { 'shop.py': 'def total(prices):\n    return sum(prices)\n\n\nprint(total([3, 4]))\n' }, { settings: { 'hxqd.path': scripted } });

test('command_in_the_palette_writes_what_a_comment_asks_for', async (editor) => {
  await ready(editor);
  await editor.press('Control+End');
  await editor.command('hxqd: Generate Code');
  // No instruction: the comment is one.
  await editor.page.locator('.quick-input-widget', { hasText: 'What is to be written?' }).waitFor();
  await editor.press('Enter');
  await editor.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  const saved = await savedText(editor, (text) => text.length > ASKING_TEXT.length);
  expect(saved.startsWith(ASKING_TEXT), true, `${JSON.stringify(saved)} goes on from the comment`);
  await editor.press('Control+z');
  await expectSaved(editor, ASKING_TEXT);
}, { [FILE]: ASKING_TEXT });

test('code_action_writes_what_a_comment_asks_for_and_one_undo_takes_it_back', async (editor) => {
  await ready(editor);
  await editor.press('Control+End', 'ArrowUp', 'End');
  const titles = await editor.codeActions();
  expect(titles.join(), 'Write the code that this comment asks for', 'what is offered at a comment');
  await editor.picture('vscode-actions.png');
  await editor.takeCodeAction(titles[0]);
  const saved = await savedText(editor, (text) => text.length > ASKING_TEXT.length);
  expect(saved.startsWith(ASKING_TEXT), true, `${JSON.stringify(saved)} goes on from the comment`);
  await editor.press('Control+z');
  await expectSaved(editor, ASKING_TEXT);
}, { [FILE]: ASKING_TEXT });

test('code_action_documents_a_definition_and_one_undo_takes_it_back', async (editor) => {
  await ready(editor);
  await editor.press('Control+Home', 'ArrowDown');
  expect((await editor.codeActions()).join(), 'Document add,Explain add', 'what is offered in a function');
  await editor.takeCodeAction('Document add');
  const saved = await savedText(editor, (text) => text !== ASKING_TEXT);
  expect(saved.replace(/^ *""".*?"""\n/ms, ''), ASKING_TEXT, `without its comments ${JSON.stringify(saved)}`);
  await editor.press('Control+z');
  await expectSaved(editor, ASKING_TEXT);
}, { [FILE]: ASKING_TEXT });

test('code_action_explains_on_a_page', async (editor) => {
  await ready(editor);
  await editor.press('Control+Home', 'ArrowDown');
  await editor.codeActions();
  await editor.takeCodeAction('Explain add');
  await editor.page.locator('.tab[data-resource-name="Explanation.md"]').waitFor();
  await expectSaved(editor, ASKING_TEXT);
}, { [FILE]: ASKING_TEXT });

test('what_the_model_cannot_do_is_told', async (editor) => {
  await ready(editor);
  await editor.command('hxqd: Write a Test');
  await editor.notification('writing tests needs an instruct model');
});

test('show_prompt_opens_what_the_model_was_given', async (editor) => {
  await typeForGhost(editor);
  await editor.command('hxqd: Show Prompt');
  await waitFor('the prompt', async () => (await editor.visibleText()).includes('<|fim_prefix|>def add'),
    () => editor.everything());
});

test('context_menu_offers_the_commands', async (editor) => {
  await ready(editor);
  await editor.page.locator('.view-line span', { hasText: 'add' }).first().click({ button: 'right' });
  await editor.page.locator('.monaco-menu .action-label', { hasText: /^hxqd$/ }).hover();
  await editor.page.locator('.monaco-menu .action-label', { hasText: 'Write a Test' }).waitFor();
  await editor.picture('vscode-commands.png');
});

test('reloaded_window_completes_again', async (editor) => {
  await ready(editor);
  await editor.page.reload();
  await editor.page.locator('.monaco-workbench').waitFor();
  await editor.openFile(FILE);
  const ghost = await typeForGhost(editor);
  await editor.press('Tab');
  await expectSaved(editor, TEXT + TYPED + ghost);
});

test('killed_server_is_started_again', async (editor, codeServer) => {
  await typeForGhost(editor);
  await editor.press('Escape');
  for (const pid of serverPids(codeServer)) process.kill(pid, 'SIGKILL');
  await editor.notification('hxqd stopped and was started again');
  await ready(editor);
  await editor.type(' ');
  const ghost = await someGhost(editor);
  await editor.press('Tab');
  await expectSaved(editor, `${TEXT}${TYPED} ${ghost}`);
});

test('server_that_dies_at_once_is_told_once', async (editor) => {
  await editor.notification('hxqd does not start');
  expect(await editor.page.locator('.notification-toast').count(), 1, 'notifications');
  editor.set({ 'hxqd.path': hxqd });
  await ready(editor);
}, undefined, { settings: { 'hxqd.path': dying } });

test('missing_program_is_told_with_a_way_out', async (editor) => {
  const notification = await editor.notification('/nonexistent/hxqd, named by hxqd.path, is no program');
  await notification.getByText('Choose File…').waitFor();
  expectMatch(await editor.status(), /failed/);
  await editor.picture('vscode-no-program.png');
  await notification.getByText('How to Get It').click();
  await editor.page.getByText('Code completion on your own machine').first().waitFor();
  await editor.page.getByText('Look Again').first().waitFor();
  await editor.picture('vscode-walkthrough.png');
}, undefined, { settings: { 'hxqd.path': '/nonexistent/hxqd' } });

test('missing_model_is_told_and_mended_by_a_button', async (editor) => {
  const notification = await editor.notification('hxqd cannot use the model');
  await notification.getByText('Choose Model Folder…').waitFor();
  await notification.getByText('Use the Built-in Model').click();
  await editor.openFile(FILE);
  await typeForGhost(editor);
}, undefined, { settings: { 'hxqd.model': '/nonexistent/model' } });

test('unusable_gpu_is_mended_by_a_button', async (editor) => {
  const notification = await editor.notification('hxqd cannot use the model');
  await notification.getByText('Use the CPU').click();
  await editor.openFile(FILE);
  await typeForGhost(editor);
}, undefined, { settings: { 'hxqd.device': 'cuda', 'hxqd.gpuFallback': false, 'hxqd.gpuMemory': '1M' } });

test('context_too_large_for_memory_is_mended_by_a_button', async (editor, codeServer) => {
  const settings = { 'hxqd.model': wideModel(codeServer), 'hxqd.context.tokens': 1 << 19 };
  editor.set({ ...settings, 'hxqd.path': modest });
  const notification = await editor.notification('hxqd cannot use the model: a context of 524288 tokens: not enough memory');
  expect(/--context/.test(await notification.innerText()), false, 'advice for the command line');
  await statusIs(editor, /failed/);
  await notification.getByText('Context of 262144 Tokens').click();
  await statusIs(editor, /wide · cpu/);
  await editor.openFile(FILE);
  await editor.press('Control+End');
  await editor.type(TYPED);
  await someGhost(editor);
});

test('context_larger_than_the_model_has_is_mended_by_a_button', async (editor) => {
  const notification = await editor.notification("a context of 4096 tokens is more than the model's 768");
  await notification.getByText("Use the Model's Own Context").click();
  await ready(editor);
}, undefined, { settings: { 'hxqd.context.tokens': 4096 } });

test('status_bar_follows_model_and_settings', async (editor, codeServer) => {
  await statusIs(editor, /^\s*built-in · cpu/);
  editor.set({ 'hxqd.enabled': false });
  await statusIs(editor, /hxqd: off/);
  editor.set({ 'hxqd.model': wideModel(codeServer) });
  await statusIs(editor, /^\s*wide · cpu/);
  editor.set({ 'hxqd.model': '/nonexistent/model' });
  await statusIs(editor, /hxqd: failed/);
  await editor.notification('hxqd cannot use the model: /nonexistent/model');
});

test('window_without_code_starts_no_server_until_it_has_some', async (editor, codeServer) => {
  // A command that the extension answers has it running.
  await editor.command('hxqd: Show Log');
  await waitFor('its output channel', async () => (await editor.outputChannel()) === 'hxqd',
    async () => `instead of ${await editor.outputChannel()} ${await editor.everything()}`);
  expect(await editor.status(), '', 'status');
  const before = serverPids(codeServer).length;
  editor.write(FILE, TEXT);
  await editor.openFile(FILE);
  await ready(editor);
  expect(serverPids(codeServer).length, before + 1, 'servers');
}, { 'notes.md': '# Notes\n' });

test('restricted_window_takes_no_program_from_its_workspace_until_it_is_trusted', async (editor) => {
  await typeForGhost(editor);
  await editor.command('Workspaces: Manage Workspace Trust');
  await editor.page.locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' }).first().click();
  await editor.notification('/nonexistent/hxqd, named by hxqd.path, is no program');
}, undefined, { settings: { 'hxqd.path': '/nonexistent/hxqd', 'hxqd.model': '/nonexistent/model' }, isRestricted: true });

// Takes an entry of the status-bar item's menu; `look` may look at the menu first.
async function chooseInMenu(editor, entry, look = () => {}) {
  await editor.page.locator('.statusbar-item[aria-label^="hxqd"]').click();
  const row = editor.page.locator('.quick-input-list .monaco-list-row', { hasText: entry });
  await row.waitFor();
  await look();
  await row.click();
}

test('workspace_of_several_folders_has_its_settings_in_its_file', async (editor) => {
  await waitFor('the sign', async () => /codicon-circle-slash/.test(await editor.statusHtml()), () => editor.everything());
  await chooseInMenu(editor, 'Turn On for python');
  await waitFor('no sign', async () => !/codicon-circle-slash/.test(await editor.statusHtml()), () => editor.everything());
  const { settings } = JSON.parse(editor.saved('test.code-workspace'));
  expect(JSON.stringify(settings), '{"hxqd.languages":{"python":{"enabled":true}}}', 'settings of the workspace');
  // What another folder defines is known here.
  const definition = editor.page.locator('.monaco-hover:visible .hover-contents', { hasText: 'def total(prices)' });
  await waitFor('the definition', async () => {
    await editor.page.locator('.view-line', { hasText: 'total([3, 4])' }).hover({ position: { x: 1, y: 1 } });
    await editor.page.locator('.view-line span', { hasText: /^total$/ }).last().hover();
    return definition.waitFor({ timeout: 2000 }).then(() => true, () => false);
  }, () => editor.everything());
  await editor.openFile('tool.py');
  await editor.press('Control+End');
  await editor.type(TYPED);
  await someGhost(editor);
}, {
  'tools/tool.py': `from shop import total\n\nprint(total([3, 4]))\n\n\n${TEXT}`,
  'shop/shop.py': 'def total(prices):\n    return sum(prices)\n',
}, { folders: ['shop', 'tools'], settings: { 'hxqd.languages': { python: false } } });

test('language_turned_off_in_the_menu_shows_no_ghost', async (editor) => {
  await ready(editor);
  await chooseInMenu(editor, 'Turn Off for python', () => editor.picture('vscode-menu.png'));
  await waitFor('the sign', async () => /codicon-circle-slash/.test(await editor.statusHtml()));
  await editor.openFile(FILE);
  await editor.press('Control+End');
  await editor.type(TYPED);
  await chooseInMenu(editor, 'Turn On for python');
  await waitFor('the sign', async () => !/codicon-circle-slash/.test(await editor.statusHtml()));
  expect(await editor.ghost(), '', 'ghost text while off');
  await editor.openFile(FILE);
  await editor.press('Control+End');
  await editor.type(' ');
  await someGhost(editor);
});

for (const [name, value] of Object.entries({ as_the_server_has_it: { enabled: false }, in_short: false })) {
  test(`language_set_off_${name}_shows_no_ghost_until_it_is_set_on`, async (editor) => {
    await waitFor('the sign', async () => /codicon-circle-slash/.test(await editor.statusHtml()), () => editor.everything());
    await typeAtEnd(editor);
    expect(await editor.settledGhost(), '', 'ghost text while off');
    editor.set({ 'hxqd.languages': { python: value === false ? true : { enabled: true } } });
    await waitFor('no sign', async () => !/codicon-circle-slash/.test(await editor.statusHtml()), () => editor.everything());
    await editor.type(' ');
    await someGhost(editor);
  }, undefined, { settings: { 'hxqd.languages': { python: value } } });
}

test('language_named_by_the_user_is_completed', async (editor) => {
  await typeForGhost(editor, '    return');
}, { 'notes.md': '# Notes\n\n    def add(a, b):\n' }, { settings: { 'hxqd.languages': { markdown: true }, 'hxqd.minProbability': 0 } });

test('program_named_at_run_time_is_started', async (editor) => {
  await editor.notification('is no program');
  editor.set({ 'hxqd.path': hxqd });
  await typeForGhost(editor);
}, undefined, { settings: { 'hxqd.path': '/nonexistent/hxqd' } });

test('another_setting_leaves_a_failure_as_it_is', async (editor) => {
  await editor.notification('hxqd cannot use the model');
  const settings = { 'hxqd.model': '/nonexistent/model' };
  editor.set({ ...settings, 'hxqd.maxTokens': 64 });
  await editor.page.waitForTimeout(2000);
  expectMatch(await editor.status(), /failed/);
  editor.set({});
  await ready(editor);
}, undefined, { settings: { 'hxqd.model': '/nonexistent/model' } });

// Each text is the model's anew: one that was kept would be shown whole.
const GROWING = { 'hxqd.path': slow, 'hxqd.minProbability': 0, 'hxqd.timeBudget': 0, 'hxqd.responseCache': false };

test('slow_text_grows_and_is_accepted_whole', async (editor) => {
  await typeAtEnd(editor, LONG_TYPED);
  const first = await firstGhost(editor);
  expectMatch(await editor.statusHtml(), /codicon-loading/);
  const last = await editor.settledGhost();
  expect(last.startsWith(first) && last.length > first.length, true, `${last} goes on from ${first}`);
  await editor.press('Tab');
  await noGhost(editor);
  await expectSaved(editor, LONG_TEXT + LONG_TYPED + last, LONG_FILE);
}, { [LONG_FILE]: LONG_TEXT }, { settings: GROWING });

test('escape_ends_a_growing_text', async (editor) => {
  await typeAtEnd(editor, LONG_TYPED);
  const first = await firstGhost(editor);
  await editor.press('Escape');
  await noGhost(editor);
  // Longer than the rest would take.
  for (let i = 0; i < 30; i++) {
    await editor.page.waitForTimeout(100);
    expect(await editor.ghost(), '', `ghost text after ${first} was hidden`);
  }
}, { [LONG_FILE]: LONG_TEXT }, { settings: GROWING });

// Runs one test in a window of its own; the problem as a string, or undefined.
async function run(codeServer, { run, files, options }, onPicture) {
  const editor = await codeServer.newWindow(options);
  editor.picture = (name) => onPicture(editor, name);
  try {
    await editor.open(files);
    await run(editor, codeServer);
    return undefined;
  } catch (problem) {
    return problem.stack;
  } finally {
    await editor.close();
  }
}

const [vsix, ...rest] = process.argv.slice(2);
const isWriting = rest.includes('--write');
const names = rest.filter((name) => name !== '--write');
const isWanted = ({ name }) => names.length === 0 || names.some((part) => name.includes(part));

async function onPicture(editor, name) {
  const path = `editors/pictures/${name}`;
  await editor.rest();
  const text = await editor.visibleText();
  if (isWriting) await takePicture(editor.page, path, text);
  else if (!existsSync(path) || describePicture(path) !== text) {
    throw new Error(`${path} shows something else; tests/editors/README.md says how to make it again:\n${text}`);
  }
}

const codeServer = await CodeServer.start(vsix, { 'hxqd.path': hxqd });
let failed = 0;
try {
  for (const one of tests.filter(isWanted)) {
    const problem = await run(codeServer, one, onPicture);
    failed += problem ? 1 : 0;
    console.log(problem ? `FAIL ${one.name}\n${problem}` : `ok   ${one.name}`);
  }
} finally {
  await codeServer.stop();
}
process.exitCode = failed === 0 ? 0 : 1;
