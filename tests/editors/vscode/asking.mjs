// What is asked for: hovers, commands, code actions, and the menus that they stand in.
import { waitFor } from './editor.mjs';
import { FILE, standIn, expect, expectMatch, ready, typeForGhost, expectSaved, savedText, test } from './suite.mjs';

// Code, and a comment that asks for more.
const CODE_TEXT = 'def add(a, b):\n    return a + b\n\n\n';
const ASKING_TEXT = `${CODE_TEXT}# Returns the difference of a and b.\n`;

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
}, { 'shop.py': 'def total(prices):\n    return sum(prices)\n\n\nprint(total([3, 4]))\n' }, { settings: { 'hxqd.path': standIn('scripted.sh') } });

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

test('command_in_the_palette_writes_what_is_asked_for_in_words', async (editor) => {
  await ready(editor);
  await editor.press('Control+End');
  await editor.command('hxqd: Generate Code');
  await editor.page.locator('.quick-input-widget', { hasText: 'What is to be written?' }).waitFor();
  await editor.type('Returns the difference of a and b.');
  await editor.press('Enter');
  await savedText(editor, (text) => text.length > CODE_TEXT.length);
}, { [FILE]: CODE_TEXT });

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
  await waitFor('the explanation', async () => (await editor.visibleText()).includes('It adds up what things cost.'),
    () => editor.everything());
  await expectSaved(editor, ASKING_TEXT);
}, { [FILE]: ASKING_TEXT }, { settings: { 'hxqd.path': standIn('scripted.sh') } });

test('what_the_model_cannot_do_is_told', async (editor) => {
  await ready(editor);
  await editor.command('hxqd: Write a Test');
  await editor.notification('writing tests needs an instruct model');
});

test('fixing_where_no_problem_is_says_so', async (editor) => {
  await ready(editor);
  await editor.command('hxqd: Fix the Problem');
  await editor.notification('There is no problem at the cursor to fix.');
});

test('copied_text_is_told_to_the_server', async (editor) => {
  await ready(editor);
  await editor.trace();
  await editor.openFile(FILE);
  await editor.press('Control+a', 'Control+c');
  await waitFor('what was copied', async () => /Sending notification 'hxqd\/didYank'/.test(await editor.output()),
    () => editor.everything());
});

test('show_prompt_opens_what_the_model_was_given', async (editor) => {
  await typeForGhost(editor);
  await editor.command('hxqd: Show Prompt');
  await waitFor('the prompt', async () => (await editor.visibleText()).includes('<|fim_prefix|>def add'),
    () => editor.everything());
  // Asked for on that page, it stays one.
  await editor.page.locator('.view-line', { hasText: /What.the.model/ }).click();
  await editor.command('hxqd: Show Prompt');
  await editor.page.waitForTimeout(1000);
  expect(await editor.page.locator('.tab[data-resource-name="Prompt.md"]').count(), 1, 'pages');
});

test('context_menu_offers_the_commands', async (editor) => {
  await ready(editor);
  await editor.page.locator('.view-line span', { hasText: 'add' }).first().click({ button: 'right' });
  await editor.page.locator('.monaco-menu .action-label', { hasText: /^hxqd$/ }).hover();
  await editor.page.locator('.monaco-menu .action-label', { hasText: 'Write a Test' }).waitFor();
  await editor.picture('vscode-commands.png');
});

test('window_offers_commands_only_where_there_is_code', async (editor) => {
  await ready(editor);
  await editor.openFile('notes.md');
  await editor.page.locator('.view-line span', { hasText: 'Notes' }).first().click({ button: 'right' });
  await editor.page.locator('.monaco-menu .action-label', { hasText: 'Command Palette' }).waitFor();
  expect(await editor.page.locator('.monaco-menu .action-label', { hasText: /^hxqd$/ }).count(), 0, 'menus of hxqd in Markdown');
  await editor.press('Escape', 'F1');
  await editor.page.locator('.quick-input-widget input').fill('>hxqd: ');
  const entries = editor.page.locator('.quick-input-list .monaco-list-row');
  await entries.filter({ hasText: 'hxqd: Restart' }).waitFor();
  expect(await entries.filter({ hasText: 'hxqd: Write a Test' }).count(), 0, 'entries of the palette in Markdown');
}, { [FILE]: ASKING_TEXT, 'notes.md': '# Notes\n' });
