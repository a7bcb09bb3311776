// A VS Code under test: code-server with the packed extension in scratch folders of its own, and Chromium in front of it,
// driven as a user's keys and pointer would drive it. Waits are for states, and end with an error after WAIT_MS.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';

// Patience with slow machines and sanitizers; no test measures time.
export const WAIT_MS = 120_000;
const STEP_MS = 50;

const CODE_SERVER = 'tests/editors/vscode/node_modules/code-server/out/node/entry.js';

// Nothing leaves the machine, nothing pops up in front of what is looked at.
const SETTINGS = {
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
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

/** Waits until `condition` gives something other than undefined, null or false, and returns that. */
export async function waitFor(what, condition, describe = () => '') {
  const end = Date.now() + WAIT_MS;
  while (Date.now() < end) {
    const result = await condition();
    if (result !== undefined && result !== null && result !== false) return result;
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
    server.write('user/User/settings.json', JSON.stringify({ ...SETTINGS, ...settings }));
    server.write('config.yaml', '');
    // No gallery: the public one is not for tests.
    const environment = { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}', HOME: server.folder, PATH: '/usr/bin:/bin' };
    const common = [CODE_SERVER, '--config', inside('config.yaml'), '--user-data-dir', inside('user'),
      '--extensions-dir', inside('extensions')];
    const installed = spawnSync(process.execPath, [...common, '--install-extension', vsix], { env: environment, encoding: 'utf8' });
    if (installed.status !== 0) throw new Error(`cannot install ${vsix}: ${installed.stdout}${installed.stderr}`);

    server.process = spawn(process.execPath, [...common, '--auth', 'none', '--bind-addr', '127.0.0.1:0', '--disable-telemetry',
      '--disable-update-check', '--disable-getting-started-override', '--disable-workspace-trust'], { env: environment });
    server.output = '';
    for (const stream of [server.process.stdout, server.process.stderr]) {
      stream.on('data', (data) => (server.output += data));
    }
    server.address = await waitFor('code-server', () => server.output.match(/listening on (http\S+?)\/?\s/)?.[1], () => server.output);
    server.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'],
    });
    return server;
  }

  async stop() {
    await this.browser?.close();
    this.process?.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Writes a file below the scratch folder and returns its path. */
  write(name, text) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** A window on a new workspace with `files`, name → text; the first is open. */
  async open(files, { settings = {}, size = { width: 1000, height: 640 } } = {}) {
    this.windows = (this.windows ?? 0) + 1;
    const name = `window-${this.windows}`;
    for (const [file, text] of Object.entries(files)) this.write(`${name}/hxqd-test/${file}`, text);
    this.write(`${name}/hxqd-test/.vscode/settings.json`, JSON.stringify(settings));
    const editor = new Editor();
    editor.folder = join(this.folder, name, 'hxqd-test');
    editor.context = await this.browser.newContext({ viewport: size });
    editor.page = await editor.context.newPage();
    editor.page.setDefaultTimeout(WAIT_MS);
    await editor.page.goto(`${this.address}/?folder=${editor.folder}`);
    await editor.page.locator('.monaco-workbench').waitFor();
    await editor.openFile(Object.keys(files)[0]);
    return editor;
  }
}

/** One window. */
export class Editor {
  async close() {
    await this.context.close();
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
    await waitFor('the quick input', async () => {
      await this.press(key);
      return input.waitFor({ timeout: 3000 }).then(() => true, () => false);
    });
    await input.fill(text);
    await this.page.locator('.quick-input-list .monaco-list-row').first().waitFor();
    await this.page.locator('.quick-input-list .monaco-list-row').first().click();
  }

  /** The ghost text that is shown, or ''. */
  async ghost() {
    const pieces = await this.page.locator('.ghost-text-decoration, .ghost-text-decoration-preview, .ghost-text, .suggest-preview-text .view-line').allTextContents();
    return pieces.join('|');
  }

  async status() {
    return (await this.page.locator('[id="hxqd.hxqd.hxqd.status"], .statusbar-item[aria-label^="hxqd"]').allTextContents()).join('');
  }

  saved(name) {
    return readFileSync(join(this.folder, name), 'utf8');
  }
}
