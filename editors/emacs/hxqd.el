;;; hxqd.el --- Completions from a local hxqd server -*- lexical-binding: t; -*-

;; What Eglot and lsp-mode have to know to start the server, and the server's commands as commands of Emacs.  Load it, then
;; use `eglot' or `lsp' as usual.  With lsp-mode the server runs beside another one and completes inline
;; (`lsp-inline-completion-mode'); Eglot runs one server for a buffer and shows no inline completions.

;;; Code:

(defgroup hxqd nil "Completions from a local hxqd server." :group 'tools)

(defcustom hxqd-command '("hxqd" "serve" "--stdio")
  "How the server is started."
  :type '(repeat string))

(defcustom hxqd-settings nil
  "Settings of the server as a property list, such as (:maxTokens 96).
lsp/SETTINGS.md of the sources describes them."
  :type 'plist)

(defcustom hxqd-languages
  '(("c" c-mode c-ts-mode)
    ("cpp" c++-mode c++-ts-mode)
    ("go" go-mode go-ts-mode)
    ("java" java-mode java-ts-mode)
    ("javascript" js-mode js-ts-mode)
    ("javascriptreact" js-jsx-mode)
    ("lua" lua-mode lua-ts-mode)
    ("python" python-mode python-ts-mode)
    ("rust" rust-mode rust-ts-mode)
    ("shellscript" sh-mode bash-ts-mode)
    ("typescript" typescript-mode typescript-ts-mode)
    ("typescriptreact" tsx-ts-mode))
  "Where the server is offered: languages as the protocol names them, their modes.
Eglot runs one server for a buffer: leave out those for which it should be
another.  To be set before this file is loaded."
  :type '(alist :key-type string :value-type (repeat symbol)))

(defvar eglot-server-programs)
(defvar lsp--cur-workspace)
(declare-function eglot-current-server "eglot")
(declare-function eglot--TextDocumentPositionParams "eglot")
(declare-function eglot--signal-textDocument/didChange "eglot")
(declare-function jsonrpc-async-request "jsonrpc")
(declare-function lsp-register-client "lsp-mode")
(declare-function make-lsp-client "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function lsp-activate-on "lsp-mode")
(declare-function lsp-find-workspace "lsp-mode")
(declare-function lsp-request-async "lsp-mode")
(declare-function lsp--text-document-position-params "lsp-mode")

(with-eval-after-load 'eglot
  ;; A name that Eglot makes from a mode's, such as "js", is not always the protocol's.
  (add-to-list 'eglot-server-programs
               (cons (mapcan (lambda (language)
                               (mapcar (lambda (mode) (list mode :language-id (car language))) (cdr language)))
                             hxqd-languages)
                     (lambda (&rest _) (append hxqd-command (list :initializationOptions hxqd-settings))))))

(with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection (lambda () hxqd-command))
                    :activation-fn (apply #'lsp-activate-on (mapcar #'car hxqd-languages))
                    :initialization-options (lambda () hxqd-settings)
                    :add-on? t
                    :server-id 'hxqd)))

(defun hxqd--execute (command &rest options)
  "Have the server run COMMAND with OPTIONS for the place at point.
Emacs goes on meanwhile, for a model may take longer than a language client
waits: the server sends what comes of it, an edit or a message."
  (cond
   ((and (fboundp 'eglot-current-server) (eglot-current-server))
    (eglot--signal-textDocument/didChange)
    (jsonrpc-async-request (eglot-current-server) :workspace/executeCommand
                           (hxqd--call command (append (eglot--TextDocumentPositionParams) options))
                           :success-fn #'ignore
                           :error-fn (lambda (problem) (message "hxqd: %s" (plist-get problem :message)))
                           :timeout nil))
   ((bound-and-true-p lsp-mode)
    ;; Not to the other servers of the buffer.
    (let ((lsp--cur-workspace (or (lsp-find-workspace 'hxqd (buffer-file-name)) (user-error "No hxqd here; M-x lsp"))))
      (lsp-request-async "workspace/executeCommand"
                         (hxqd--call command (append (lsp--text-document-position-params) options))
                         #'ignore :mode 'detached)))
   (t (user-error "No language server here; M-x eglot or M-x lsp starts one"))))

(defun hxqd--call (command argument)
  "What `workspace/executeCommand' is sent for COMMAND with one ARGUMENT."
  (list :command command :arguments (vector argument)))

(defun hxqd-generate (instruction)
  "Write code below point that does INSTRUCTION, or what the comment at point says."
  (interactive "sWhat is wanted (empty: what the comment says): ")
  (apply #'hxqd--execute "hxqd.generate" (unless (string-empty-p instruction) (list :instruction instruction))))

(defun hxqd-document ()
  "Write the comment of the definition around point."
  (interactive)
  (hxqd--execute "hxqd.document"))

(defun hxqd-test ()
  "Write a test of the definition around point."
  (interactive)
  (hxqd--execute "hxqd.test"))

(defun hxqd-explain ()
  "Say what the definition around point does, in the echo area."
  (interactive)
  (hxqd--execute "hxqd.explain" :show t))

(provide 'hxqd)
;;; hxqd.el ends here
