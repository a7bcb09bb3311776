// Stands in for the native half of @vscode/spdlog, which writes VS Code's logs and which nobody compiles here; without it output
// channels stay empty. For node --require; VS Code's processes hand that on to each other.
const { appendFileSync } = require('node:fs');
const Module = require('node:module');

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];

class Logger {
  constructor(_type, _name, path) {
    this.path = path;
    this.level = LEVELS.indexOf('info');
  }

  setLevel(level) {
    this.level = level;
  }
}
LEVELS.forEach((name, level) => {
  Logger.prototype[name] = function log(text) {
    if (level >= this.level) appendFileSync(this.path, `[${name}] ${text}\n`);
  };
});
for (const name of ['setPattern', 'clearFormatters', 'flush', 'drop']) Logger.prototype[name] = () => {};

const writer = { Logger, version: 0, setLevel() {}, setFlushOn() {} };
const load = Module._load;
Module._load = (request, ...rest) => {
  const loaded = load(request, ...rest);
  return request === 'bindings' ? (name) => (name === 'spdlog' ? writer : loaded(name)) : loaded;
};
