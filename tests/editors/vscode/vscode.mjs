// The extension in a real VS Code with the real server and its embedded model: what a user sees and gets when typing.
//
// Run by ../vscode.sh: vscode.mjs VSIX [NAME ...]. NAMEs run only the tests with one in their names; --write makes the pictures
// of editors/pictures again.
import { runTests } from './suite.mjs';
import './typing.mjs';
import './asking.mjs';
import './life.mjs';
import './settings.mjs';

const [vsix, ...rest] = process.argv.slice(2);
const names = rest.filter((name) => name !== '--write');
process.exitCode = (await runTests(vsix, names, rest.includes('--write'))) === 0 ? 0 : 1;
