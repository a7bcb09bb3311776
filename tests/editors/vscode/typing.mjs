// Ghost text: shown, accepted whole or in part, refused, and growing.
import { waitFor } from './editor.mjs';
import {
  TEXT, TYPED, standIn, expect, expectMatch, firstGhost, noGhost, typeAtEnd, typeForGhost, expectSaved, test,
} from './suite.mjs';

// What tests/editors/vscode/scripted.sh writes here, word by word.
const LONG_FILE = 'stack.py';
const LONG_TEXT = 'class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n';
const LONG_TYPED = '        ';
const LONG_GHOST = 'self.items.append(item if item else None)';

const C_TEXT = 'int add(int left, int right)\n{\n    return left + right;\n}\n\nint twice(int value)\n{\n';

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

// Each text is written anew: one that was kept would be shown whole.
const GROWING = { 'hxqd.path': standIn('scripted.sh'), 'hxqd.timeBudget': 0, 'hxqd.responseCache': false };

test('slow_text_grows_and_is_accepted_whole', async (editor) => {
  await typeAtEnd(editor, LONG_TYPED);
  const shown = [await firstGhost(editor)];
  expectMatch(await editor.statusHtml(), /codicon-loading/);
  await waitFor('a text that stays', async () => {
    const text = await editor.ghost();
    if (text !== shown.at(-1)) shown.push(text);
    return !/codicon-loading/.test(await editor.statusHtml());
  }, () => editor.everything());
  expect(shown.length >= 3, true, `${JSON.stringify(shown)} are at least three`);
  expect(shown.every((text) => LONG_GHOST.startsWith(text)), true, `${JSON.stringify(shown)} lead to ${LONG_GHOST}`);
  await editor.press('Tab');
  await noGhost(editor);
  await expectSaved(editor, LONG_TEXT + LONG_TYPED + LONG_GHOST, LONG_FILE);
}, { [LONG_FILE]: LONG_TEXT }, { settings: GROWING });

test('slow_text_that_may_not_grow_is_shown_whole', async (editor) => {
  await typeAtEnd(editor, LONG_TYPED);
  expect(await firstGhost(editor), LONG_GHOST, 'the first text');
}, { [LONG_FILE]: LONG_TEXT }, { settings: { ...GROWING, 'hxqd.growingText': false, 'hxqd.patience': 0 } });

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

test('asking_by_key_where_a_text_has_grown_gives_others_to_choose_from', async (editor) => {
  await typeAtEnd(editor, LONG_TYPED);
  await firstGhost(editor);
  expect(await editor.settledGhost(), LONG_GHOST, 'the text that grew');
  await editor.press('Escape');
  await noGhost(editor);
  await editor.press('Control+Alt+Enter');
  await firstGhost(editor);
  await editor.press('Alt+]');
  await waitFor('another text', async () => ![LONG_GHOST, ''].includes(await editor.ghost()), () => editor.everything());
}, { [LONG_FILE]: LONG_TEXT }, { settings: GROWING });
