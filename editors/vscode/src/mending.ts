// What went wrong, said with buttons that mend it.
import * as vscode from 'vscode';
import { changeSetting, setting } from './settings.js';

// The window that "smaller context" begins from where none is set, and the smallest that is any use.
const CONTEXT_DEFAULT = 4096;
const CONTEXT_LEAST = 1024;

// A button and what it does.
type Remedy = [title: string, mend: () => unknown];

const showLog: Remedy = ['Show Log', () => vscode.commands.executeCommand('hxqd.showLog')];
const restart: Remedy = ['Restart', () => vscode.commands.executeCommand('hxqd.restart')];
const chooseModel: Remedy = ['Choose Model Folder…', () => vscode.commands.executeCommand('hxqd.chooseModel')];
const chooseProgram: Remedy = ['Choose File…', () => vscode.commands.executeCommand('hxqd.chooseProgram')];

async function offer(
  show: (message: string, ...titles: string[]) => Thenable<string | undefined>, message: string, remedies: Remedy[],
): Promise<void> {
  const chosen = await show(message, ...remedies.map(([title]) => title));
  await remedies.find(([title]) => title === chosen)?.[1]();
}

export function reportNoProgram(problem: string): void {
  void offer(vscode.window.showErrorMessage, `${problem}. It completes code; this extension only shows what it says.`, [
    chooseProgram,
    ['How to Get It', () => vscode.commands.executeCommand('hxqd.walkthrough')],
  ]);
}

export function reportNoStart(problem: string): void {
  void offer(vscode.window.showErrorMessage, `hxqd does not start: ${problem}`, [restart, chooseProgram, showLog]);
}

export function reportCrash(isRestarted: boolean): void {
  if (isRestarted) {
    void offer(vscode.window.showWarningMessage, 'hxqd stopped and was started again.', [showLog]);
  } else {
    void offer(vscode.window.showErrorMessage, 'hxqd keeps stopping and stays off.', [restart, showLog]);
  }
}

/** The model cannot be used; the server's sentence says why, and decides what may help. */
export function reportNoModel(problem: string): void {
  // The buttons stand for what the sentence advises on the command line.
  const cause = problem.replace(/;[^;]* --[a-z][^;]*$/, '');
  const remedies: Remedy[] = [];
  if (/gpu|cuda/i.test(problem) && setting<string>('device') !== 'cpu') {
    remedies.push(['Use the CPU', () => changeSetting('device', 'cpu')]);
  }
  const context = setting<number>('context.tokens') || CONTEXT_DEFAULT;
  if (/memory|context/i.test(problem) && context > CONTEXT_LEAST) {
    const smaller = Math.max(CONTEXT_LEAST, Math.floor(context / 2));
    remedies.push([`Context of ${smaller} Tokens`, () => changeSetting('context.tokens', smaller)]);
  }
  remedies.push(chooseModel);
  if (setting<string>('model')) remedies.push(['Use the Built-in Model', () => changeSetting('model', undefined)]);
  void offer(vscode.window.showErrorMessage, `hxqd cannot use the model: ${cause}`, [...remedies, showLog]);
}
