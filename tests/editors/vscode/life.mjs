// The server from start to end: reloads, deaths, missing programs and models, windows that need none or may have none.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { waitFor } from './editor.mjs';
import {
  FILE, TEXT, TYPED, hxqd, standIn, expect, expectMatch, ready, someGhost, typeForGhost, expectSaved, serverPids,
  wideModel, statusIs, test,
} from './suite.mjs';

async function trust(editor) {
  await editor.command('Workspaces: Manage Workspace Trust');
  await editor.page.locator('.workspace-trust-editor .monaco-button', { hasText: 'Trust' }).first().click();
}

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
}, undefined, { settings: { 'hxqd.path': standIn('dying.sh') } });

test('killed_server_whose_program_is_gone_is_told', async (editor, codeServer) => {
  await editor.notification('is no program');
  const program = `${codeServer.folder}/hxqd`;
  symlinkSync(hxqd, program);
  editor.set({ 'hxqd.path': '~/hxqd' });
  await ready(editor);
  rmSync(program);
  for (const pid of serverPids(codeServer)) process.kill(pid, 'SIGKILL');
  await editor.notification(`${program}, named by hxqd.path, is no program`);
  await statusIs(editor, /failed/);
}, undefined, { settings: { 'hxqd.path': '/nonexistent/hxqd' } });

test('server_that_keeps_dying_stays_off_until_a_button_is_pressed', async (editor, codeServer) => {
  for (let deaths = 1; deaths <= 4; deaths++) {
    await ready(editor);
    const pids = serverPids(codeServer);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    if (deaths < 4) {
      await waitFor('another server', () => serverPids(codeServer).some((pid) => !pids.includes(pid)), () => editor.everything());
    }
  }
  const notification = await editor.notification('hxqd keeps stopping and stays off');
  await statusIs(editor, /failed/);
  await notification.getByText('Restart').click();
  await ready(editor);
});

test('program_is_found_in_a_clone_that_is_open', async (editor) => {
  await editor.notification('The program hxqd was not found');
  mkdirSync(`${editor.folder}/build`);
  symlinkSync(hxqd, `${editor.folder}/build/hxqd`);
  await editor.command('hxqd: Restart');
  await ready(editor);
}, undefined, { settings: { 'hxqd.path': '' } });

test('server_that_never_answers_gives_way_to_another_program', async (editor) => {
  await statusIs(editor, /starting/);
  await editor.page.waitForTimeout(2000); // until it was asked
  editor.set({ 'hxqd.path': hxqd });
  await ready(editor);
  expect(await editor.page.locator('.notification-toast').count(), 0, 'notifications');
  await typeForGhost(editor);
}, undefined, { settings: { 'hxqd.path': standIn('silent.sh') } });

test('setting_that_cannot_be_written_is_told', async (editor) => {
  const notification = await editor.notification('hxqd cannot use the model');
  editor.write('.vscode/settings.json', '{"hxqd.model": "/nonexistent/model", "oh');
  await notification.getByText('Use the Built-in Model').click();
  await editor.notification('Unable to write into');
}, undefined, { settings: { 'hxqd.model': '/nonexistent/model' } });

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
  editor.set({ ...settings, 'hxqd.path': standIn('modest.sh') });
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

test('log_names_the_program_and_has_what_is_said_where_asked_for', async (editor) => {
  await ready(editor);
  await editor.command('hxqd: Show Log');
  await waitFor('the program', async () => (await editor.output()).includes(`: ${hxqd}`), () => editor.everything());
  await editor.trace();
  await editor.openFile(FILE);
  await typeForGhost(editor);
  await waitFor('a question', async () => /Sending request 'textDocument\/inlineCompletion/.test(await editor.output()),
    () => editor.everything());
});

test('restricted_window_runs_no_program_of_its_folder_until_it_is_trusted', async (editor, codeServer) => {
  await ready(editor);
  mkdirSync(`${editor.folder}/build`);
  symlinkSync(hxqd, `${editor.folder}/build/hxqd`);
  try {
    for (const place of ['User', 'Machine']) {
      codeServer.write(`user/${place}/settings.json`, JSON.stringify({ 'security.workspace.trust.enabled': true }));
    }
    await editor.notification('The program hxqd was not found');
    await trust(editor);
    await ready(editor);
  } finally {
    codeServer.write('user/Machine/settings.json', JSON.stringify({ 'hxqd.path': hxqd }));
  }
}, undefined, { isRestricted: true });

test('restricted_window_takes_no_program_from_its_workspace_until_it_is_trusted', async (editor) => {
  await typeForGhost(editor);
  await trust(editor);
  await editor.notification('/nonexistent/hxqd, named by hxqd.path, is no program');
}, undefined, { settings: { 'hxqd.path': '/nonexistent/hxqd', 'hxqd.model': '/nonexistent/model' }, isRestricted: true });
