// A VS Code under test: code-server with the packed extension in scratch folders of its own, and Chromium in front of it,
// driven as a user's keys and pointer would drive it. Waits are for states, and end with an error after WAIT_MS.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

// Patience with slow machines and sanitizers; no test measures time.
export const WAIT_MS = Number(process.env.HXQD_WAIT_MS ?? 120_000);
const STEP_MS = 50;

// An answer to the last key may still take the place of one to the key before it.
const SETTLE_MS = 400;

// After which the server of a window that is closed ends.
const GRACE_SECONDS = '10';

const LOG_WRITER = 'tests/editors/vscode/spdlog.cjs';
const CODE_SERVER = 'tests/editors/vscode/node_modules/code-server/out/node/entry.js';

// Nothing leaves the machine, nothing pops up in front of what is looked at. Workspaces are trusted unless a test restricts them.
const SETTINGS = {
  'security.workspace.trust.enabled': false,
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'workbench.reduceMotion': 'on',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.colorTheme': 'Default Dark Modern',
  'chat.disableAIFeatures': true,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'npm.autoDetect': 'off',
  'editor.cursorBlinking': 'solid',
  'editor.minimap.enabled': false,
  'editor.wordBasedSuggestions': 'off',
  'editor.hover.delay': 100,
  'files.autoSave': 'off',
};

const GHOST = '.ghost-text-decoration, .ghost-text-decoration-preview, .ghost-text .view-line';
const STATUS = '.statusbar-item[id="hxqd.hxqd.hxqd.status"]';

// Where there is something to be read that a picture is about.
const READABLE = ['.view-lines', '.notification-toast', '.monaco-hover:visible .hover-contents', '.monaco-menu', '.action-widget',
  '.quick-input-widget:visible', '.gettingStartedContainer', STATUS].join(', ');

// Editors draw spaces as other characters.
function plain(text) {
  return text.replace(/[\u00a0\u00b7]/g, ' ');
}

/** Waits until `condition` gives something other than nothing, and returns that. */
export async function waitFor(what, condition, describe = () => '') {
  const end = Date.now() + WAIT_MS;
  while (Date.now() < end) {
    const result = await condition();
    if (result) return result;
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  throw new Error(`waited in vain for ${what} ${await describe()}`);
}

/** code-server with the extension installed. Whoever starts one stops it. */
export class CodeServer {
  static async start(vsix, settings) {
    const server = new CodeServer();
    server.folder = mkdtempSync(join(tmpdir(), 'hxqd-vscode-'));
    const inside = (name) => join(server.folder, name);
    server.settings = { ...SETTINGS, ...settings };
    server.write('user/User/settings.json', JSON.stringify(server.settings));
    // What belongs to a machine is read from here where the machine is a remote one, as it is for a browser.
    server.write('user/Machine/settings.json', JSON.stringify(settings));
    // VS Code has commands for them and no keys.
    server.write('user/User/keybindings.json', JSON.stringify([
      { key: 'ctrl+alt+down', command: 'editor.action.inlineSuggest.acceptNextLine', when: 'inlineSuggestionVisible' },
      { key: 'ctrl+alt+enter', command: 'editor.action.inlineSuggest.trigger', when: 'editorTextFocus' },
    ]));
    server.write('config.yaml', '');
    // No gallery: the public one is not for tests.
    // A program that is installed on this machine is not the one to be tested.
    const path = process.env.PATH.split(delimiter).filter((folder) => !existsSync(join(folder, 'hxqd'))).join(delimiter);
    const environment = { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}', HOME: server.folder, PATH: path };
    const common = [CODE_SERVER, '--config', inside('config.yaml'), '--user-data-dir', inside('user'),
      '--extensions-dir', inside('extensions')];
    const installed = spawnSync(process.execPath, [...common, '--install-extension', vsix],
      { env: environment, encoding: 'utf8' });
    if (installed.status !== 0) throw new Error(`cannot install ${vsix}: ${installed.stdout}${installed.stderr}`);

    server.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'],
    });
    server.process = spawn(process.execPath, ['--require', resolve(LOG_WRITER), ...common, '--auth', 'none', '--bind-addr', '127.0.0.1:0', '--disable-telemetry',
      '--disable-update-check', '--disable-getting-started-override', '--reconnection-grace-time', GRACE_SECONDS],
    { env: environment });
    server.output = '';
    for (const stream of [server.process.stdout, server.process.stderr]) {
      stream.on('data', (data) => (server.output += data));
    }
    const address = () => server.output.match(/listening on (http\S+?)\/?\s/)?.[1];
    server.address = await waitFor('code-server', address, () => server.output);
    return server;
  }

  async stop() {
    await this.browser?.close();
    if (this.process?.kill()) await once(this.process, 'exit'); // it writes until then
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Writes a file below the scratch folder and returns its path. */
  write(name, text) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** An empty window of a new workspace: a folder, or some of its `folders`. Whoever asks for one closes it. */
  async newWindow({ settings = {}, folders, isRestricted = false, size = { width: 1000, height: 640 } } = {}) {
    this.windows = (this.windows ?? 0) + 1;
    // A setting of the user alone, read when a window opens.
    this.write('user/User/settings.json', JSON.stringify({ ...this.settings, 'security.workspace.trust.enabled': isRestricted }));
    const editor = new Editor();
    editor.folder = join(this.folder, `window-${this.windows}`, 'hxqd-test');
    editor.folders = folders;
    editor.settingsFile = join(editor.folder, folders ? 'test.code-workspace' : '.vscode/settings.json');
    editor.address = `${this.address}/?${folders ? `workspace=${editor.settingsFile}` : `folder=${editor.folder}`}`;
    mkdirSync(dirname(editor.settingsFile), { recursive: true });
    editor.set(settings);
    editor.context = await this.browser.newContext({ viewport: size });
    editor.page = await editor.context.newPage();
    editor.page.setDefaultTimeout(WAIT_MS);
    return editor;
  }
}

/** One window. */
export class Editor {
  async close() {
    await this.context.close();
  }

  /** Shows the workspace, with `files`, name → text, in it; the first is open. */
  async open(files) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    await this.page.goto(this.address);
    await this.page.locator('.monaco-workbench').waitFor();
    if (this.folders) await this.showFolders();
    await this.openFile(basename(Object.keys(files)[0]));
  }

  // A window in a browser misses the folders of its workspace's file now and then, without any extension too, until the file
  // is written again.
  async showFolders() {
    const shown = this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: this.folders.at(-1) }).first();
    await waitFor('the folders', () => {
      this.set(this.settings);
      return shown.waitFor({ timeout: 10_000 }).then(() => true, () => false);
    }, () => this.everything());
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text) {
    await this.page.keyboard.type(text, { delay: 30 });
  }

  /** Opens a file by its name, as quick open does. */
  async openFile(name) {
    await this.quickInput('Control+p', name);
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator('.editor-instance .monaco-editor.focused').waitFor();
  }

  /** Runs a command by its title. */
  async command(title) {
    await this.quickInput('F1', `>${title}`);
  }

  async quickInput(key, text) {
    const input = this.page.locator('.quick-input-widget input');
    const entry = this.page.locator('.quick-input-list .monaco-list-row', { hasText: text.replace('>', '') }).first();
    // A window that is still being set up may close it again.
    await waitFor(`${JSON.stringify(text)} in the quick input`, async () => {
      await this.press('Escape', key);
      const patience = { timeout: 10_000 };
      return input.fill(text, patience).then(() => entry.click(patience)).then(() => true, () => false);
    }, () => this.everything());
  }

  /** The ghost text that is shown, or ''. */
  async ghost() {
    const pieces = await this.page.locator(GHOST).allTextContents();
    return plain(pieces.join(''));
  }

  /** The ghost text when nothing more comes, '' where there is none. */
  async settledGhost() {
    let ghost = '';
    await waitFor('a text that stays', async () => {
      ghost = await this.ghost();
      await this.page.waitForTimeout(SETTLE_MS);
      return (await this.ghost()) === ghost && !/codicon-loading/.test(await this.statusHtml());
    }, () => this.everything());
    return ghost;
  }

  /** Opens the list of code actions at the cursor; their titles. */
  async codeActions() {
    const titles = this.page.locator('.action-widget .monaco-list-row.action .title');
    await waitFor('code actions', async () => {
      await this.press('Escape', 'Control+.');
      return titles.first().waitFor({ timeout: 10_000 }).then(() => true, () => false);
    }, () => this.everything());
    return titles.allInnerTexts();
  }

  /** Takes one of the list of code actions that is open. */
  async takeCodeAction(title) {
    await this.page.locator('.action-widget .monaco-list-row.action', { hasText: title }).click();
  }

  /** The last line as it is shown, with ghost text. */
  async lastLine() {
    return plain(await this.page.locator('.editor-instance .view-lines').evaluate((lines) => {
      const top = (line) => Number.parseInt(line.style.top, 10);
      return [...lines.querySelectorAll('.view-line')].sort((left, right) => top(left) - top(right)).at(-1).textContent;
    }));
  }

  async status() {
    return (await this.page.locator(STATUS).allTextContents()).join('');
  }

  async statusHtml() {
    return this.page.locator(STATUS).first().innerHTML();
  }

  /** Waits for a notification with a text. */
  async notification(text) {
    const found = this.page.locator('.notification-toast', { hasText: text }).first();
    await found.waitFor().catch(async () => {
      throw new Error(`waited in vain for ${JSON.stringify(text)} ${await this.everything()}`);
    });
    return found;
  }

  /** Waits until the editor itself is ready, which it tells in the status bar until then. */
  async rest() {
    await this.page.locator('.statusbar-item', { hasText: 'Activating Extensions' }).waitFor({ state: 'hidden' });
  }

  /** What can be read in the window, but for the latency, which is another one each time. */
  async visibleText() {
    const parts = await this.page.locator(READABLE).allInnerTexts();
    return plain(parts.join('\n')).replace(/\d+ ms/g, '0 ms');
  }

  /** For a test that failed: what the user would see. */
  async everything() {
    return `in this window:\n${plain(await this.page.locator('body').innerText())}`;
  }

  /** Writes the settings of the workspace. */
  set(settings) {
    this.settings = settings;
    const folders = this.folders?.map((path) => ({ path }));
    // The editor may read at any time, and never half a file.
    writeFileSync(`${this.settingsFile}.new`, JSON.stringify(folders ? { folders, settings } : settings));
    renameSync(`${this.settingsFile}.new`, this.settingsFile);
  }

  /** The output channel that is shown below, or ''. */
  async outputChannel() {
    return this.page.locator('.part.panel select')
      .evaluateAll(([box]) => box?.options[box.selectedIndex]?.text.trim() ?? '');
  }

  /** Has the channel of the extension shown, with all that is said between editor and server from now on. */
  async trace() {
    await this.command('hxqd: Show Log');
    await this.command('Developer: Set Log Level');
    for (const entry of [/^hxqd/, /^Trace/]) {
      await this.page.locator('.quick-input-list .monaco-list-row', { hasText: entry }).first().click();
    }
  }

  /** The text of that channel, as far as it is in sight. */
  async output() {
    return plain((await this.page.locator('.part.panel .view-lines').allInnerTexts()).join('\n'));
  }

  /** Writes a file of the workspace. */
  write(name, text) {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  saved(name) {
    return readFileSync(join(this.folder, name), 'utf8');
  }
}
