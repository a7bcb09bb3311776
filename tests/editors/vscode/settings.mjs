// Settings while the editor runs: folders, languages, programs.
import { waitFor } from './editor.mjs';
import {
  FILE, TEXT, TYPED, hxqd, expect, expectMatch, ready, someGhost, typeAtEnd, typeForGhost, statusIs, chooseInMenu, test,
} from './suite.mjs';

// Waits until the status bar says with a crossed circle that completions are off here, or no longer says so.
function signIs(editor, isShown) {
  return waitFor(isShown ? 'the sign' : 'no sign',
    async () => /codicon-circle-slash/.test(await editor.statusHtml()) === isShown, () => editor.everything());
}

test('workspace_of_several_folders_has_its_settings_in_its_file', async (editor) => {
  await signIs(editor, true);
  await chooseInMenu(editor, 'Turn On for python');
  await signIs(editor, false);
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
  await signIs(editor, true);
  await editor.openFile(FILE);
  await editor.press('Control+End');
  await editor.type(TYPED);
  await chooseInMenu(editor, 'Turn On for python');
  await signIs(editor, false);
  expect(await editor.ghost(), '', 'ghost text while off');
  await editor.openFile(FILE);
  await editor.press('Control+End');
  await editor.type(' ');
  await someGhost(editor);
});

for (const [name, value] of Object.entries({ as_the_server_has_it: { enabled: false }, in_short: false })) {
  test(`language_set_off_${name}_shows_no_ghost_until_it_is_set_on`, async (editor) => {
    await signIs(editor, true);
    await typeAtEnd(editor);
    expect(await editor.settledGhost(), '', 'ghost text while off');
    editor.set({ 'hxqd.languages': { python: value === false ? true : { enabled: true } } });
    await signIs(editor, false);
    await editor.type(' ');
    await someGhost(editor);
  }, undefined, { settings: { 'hxqd.languages': { python: value } } });
}

test('language_set_to_nothing_leaves_the_menu_as_it_is', async (editor) => {
  await statusIs(editor, /hxqd: off/);
  await chooseInMenu(editor, 'Turn On Again');
  await ready(editor);
}, undefined, { settings: { 'hxqd.enabled': false, 'hxqd.languages': { python: null } } });

test('turning_off_everywhere_and_on_again_keeps_what_was_off', async (editor) => {
  await ready(editor);
  await chooseInMenu(editor, 'Turn Off Everywhere');
  await statusIs(editor, /hxqd: off/);
  await chooseInMenu(editor, 'Turn On Again');
  await ready(editor);
  const settings = JSON.parse(editor.saved('.vscode/settings.json'));
  expect(JSON.stringify(settings['hxqd.languages']), '{"json":{"enabled":false},"markdown":{}}', 'languages');
}, undefined, { settings: { 'hxqd.enabled': true, 'hxqd.languages': { json: false, markdown: true } } });

test('document_of_another_language_has_the_sign_of_that', async (editor) => {
  await ready(editor);
  await signIs(editor, false);
  await editor.command('Change Language Mode');
  await editor.page.locator('.quick-input-widget input').fill('Markdown');
  await editor.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Markdown' }).first().click();
  await signIs(editor, true);
});

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
