// What the tests of the extension share: the sample, what is waited for and expected in a window, and how the tests are run.
//
// What the model writes is its own affair: each expectation is made from the ghost text that was shown.
import { existsSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { CodeServer, waitFor } from './editor.mjs';
import { describePicture, takePicture } from './picture.mjs';

// Code where even a small model is sure to have something to say: the end of this file, then TYPED.
export const FILE = 'sample.py';
export const TEXT = 'def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n';
export const TYPED = '    return';

export const hxqd = resolve(process.env.HXQD);

// A program beside this file that stands in for it.
export const standIn = (name) => resolve('tests/editors/vscode', name);

export function expect(actual, expected, what) {
  if (actual === expected) return;
  throw new Error(`${what}: got ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
}

export function expectMatch(text, pattern) {
  if (!pattern.test(text)) throw new Error(`no ${pattern} in:\n${text}`);
}

// The model is loaded, and the status bar names it.
export function ready(editor) {
  return waitFor('the model', async () => /built-in/.test(await editor.status()), () => editor.everything());
}

// Any ghost text, perhaps the beginning of a longer one.
export function firstGhost(editor) {
  return waitFor('ghost text', () => editor.ghost(), () => editor.everything());
}

// A ghost text that stays.
export async function someGhost(editor) {
  await firstGhost(editor);
  return editor.settledGhost();
}

export function noGhost(editor) {
  return waitFor('no ghost text', async () => (await editor.ghost()) === '', () => editor.everything());
}

// Types at the end of the file.
export async function typeAtEnd(editor, typed = TYPED) {
  await ready(editor);
  await editor.press('Control+End');
  await editor.type(typed);
}

// The same, and the ghost text.
export async function typeForGhost(editor, typed = TYPED) {
  await typeAtEnd(editor, typed);
  return someGhost(editor);
}

// Saves, and waits until the file is what is expected.
export async function expectSaved(editor, expected, name = FILE) {
  await editor.press('Control+s');
  await waitFor(`a file of ${JSON.stringify(expected)}`, () => editor.saved(name) === expected,
    () => `but ${JSON.stringify(editor.saved(name))}`);
}

// Saves until the file is as `condition` wants it; its text.
export function savedText(editor, condition, name = FILE) {
  return waitFor('another file', async () => {
    await editor.press('Control+s');
    const text = editor.saved(name);
    return condition(text) && text;
  }, () => editor.everything());
}

// Process ids of the servers that this code-server has started.
export function serverPids(codeServer) {
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
export function wideModel(codeServer) {
  const model = resolve('infer/default_model');
  const config = JSON.parse(readFileSync(`${model}/config.json`, 'utf8'));
  const folder = resolve(codeServer.write('wide/config.json', JSON.stringify({ ...config, max_position_embeddings: 1 << 20 })), '..');
  for (const name of ['model.safetensors', 'tokenizer.json']) {
    if (!existsSync(`${folder}/${name}`)) symlinkSync(`${model}/${name}`, `${folder}/${name}`);
  }
  return folder;
}

// Waits until the status bar says something.
export function statusIs(editor, pattern) {
  return waitFor(`a status of ${pattern}`, async () => pattern.test(await editor.status()), () => editor.everything());
}

// Takes an entry of the status-bar item's menu; `look` may look at the menu first.
export async function chooseInMenu(editor, entry, look = () => {}) {
  await editor.page.locator('.statusbar-item[aria-label^="hxqd"]').click();
  const row = editor.page.locator('.quick-input-list .monaco-list-row', { hasText: entry });
  await row.waitFor();
  await look();
  await row.click();
}

// A test gets a window on the sample; `options` are those of CodeServer.newWindow.
const tests = [];
export function test(name, run, files = { [FILE]: TEXT }, options = {}) {
  tests.push({ name, run, files, options });
}

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

// A picture is made again, or compared with what can be read in the window.
async function checkPicture(editor, name, isWriting) {
  const path = `editors/pictures/${name}`;
  await editor.rest();
  const text = await editor.visibleText();
  if (isWriting) await takePicture(editor.page, path, text);
  else if (!existsSync(path) || describePicture(path) !== text) {
    throw new Error(`${path} shows something else; tests/editors/README.md says how to make it again:\n${text}`);
  }
}

/** Runs the tests with one of `names` in theirs, all where there is none; how many failed. */
export async function runTests(vsix, names, isWriting) {
  const isWanted = ({ name }) => names.length === 0 || names.some((part) => name.includes(part));
  const codeServer = await CodeServer.start(vsix, { 'hxqd.path': hxqd });
  let failed = 0;
  try {
    for (const one of tests.filter(isWanted)) {
      const problem = await run(codeServer, one, (editor, name) => checkPicture(editor, name, isWriting));
      failed += problem ? 1 : 0;
      console.log(problem ? `FAIL ${one.name}\n${problem}` : `ok   ${one.name}`);
    }
  } finally {
    await codeServer.stop();
  }
  return failed;
}
