-- The pictures of Emacs for its page: a real Emacs in a terminal, which is $EMACS or `emacs` on $PATH, with this repository's
-- hxqd.el and the real server. Run by neovim.sh; --write replaces them.

package.path = 'tests/editors/?.lua;' .. package.path
local gallery = require('gallery')
local terminal = require('terminal')

local EMACS = terminal.need('EMACS', 'emacs', 'GNU Emacs 30')

-- What a user has in init.el, without what differs between machines: the packages and servers of others, process ids. It
-- lacks the folder of this source tree and the function that starts the server.
local INIT = [[
  (package-initialize)
  (load "%s/editors/emacs/hxqd.el" nil t)
  (add-hook 'c-mode-hook #'%s)
  (setq inhibit-startup-screen t c-default-style "linux" c-basic-offset 4
        eglot-stay-out-of '(flymake) eglot-report-progress nil
        lsp-enabled-clients '(hxqd) lsp-auto-guess-root t lsp-enable-suggest-server-download nil
        lsp-headerline-breadcrumb-enable nil lsp-diagnostics-provider :none lsp-completion-provider :none)
  (setq-default mode-line-format '("  %%b  " mode-name))
  (menu-bar-mode -1)
  (load-theme 'modus-vivendi-tinted t)
]]

-- Picture → its lines and rows, what starts the server, what is pressed, and what that brings.
local PICTURES = {
  ['emacs.svg'] = {
    lines = vim.list_extend(
      vim.list_extend(vim.list_slice(gallery.UNFINISHED, 1, 4), { '    for (int i = 0;' }),
      vim.list_slice(gallery.UNFINISHED, 5)),
    rows = 11, start = 'lsp',
    keys = '<M-g><M-g>5<CR><C-e><M-x>lsp-inline-completion-display<CR>', brings = 'Accept',
  },
  ['emacs-hover.svg'] = {
    lines = gallery.FINISHED, rows = 17, start = 'eglot-ensure',
    keys = '<M-g><M-g>12<CR><C-s>sum<CR><M-b><C-h>.', brings = 'sum.c:2',
  },
}

local function make_picture(one)
  local init = INIT:format(vim.fn.getcwd(), one.start)
  local emacs = terminal.open({
    command = { EMACS, '-nw' }, lines = one.lines, rows = one.rows,
    files = { ['emacs/init.el'] = vim.split(init, '\n') },
  })
  emacs:press_for(one.keys, one.brings)
  local picture = gallery.draw(emacs.shown)
  emacs:close()
  return picture
end

-- Packages are the user's affair: without lsp-mode's inline completion there is one picture less.
vim.fn.system({ EMACS, '--batch', '-f', 'package-initialize', '-l', 'lsp-inline-completion' })
if vim.v.shell_error ~= 0 then
  io.write('skipped: emacs.svg needs lsp-mode with lsp-inline-completion\n')
  PICTURES['emacs.svg'] = nil
end

gallery.run(PICTURES, make_picture)
