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

(defconst hxqd-modes '(c-mode c-ts-mode c++-mode c++-ts-mode python-mode python-ts-mode js-mode js-ts-mode)
  "Where Eglot offers the server.")

(defvar eglot-server-programs)
(declare-function eglot-current-server "eglot")
(declare-function eglot-execute "eglot")
(declare-function eglot--TextDocumentPositionParams "eglot")
(declare-function lsp-register-client "lsp-mode")
(declare-function make-lsp-client "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function lsp-activate-on "lsp-mode")
(declare-function lsp-workspace-command-execute "lsp-mode")
(declare-function lsp--text-document-position-params "lsp-mode")

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               `(,hxqd-modes . ,(lambda (&rest _) (append hxqd-command (list :initializationOptions hxqd-settings))))))

(with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection (lambda () hxqd-command))
                    :activation-fn (lsp-activate-on "c" "cpp" "python" "javascript" "typescript" "go" "rust" "java")
                    :initialization-options (lambda () hxqd-settings)
                    :add-on? t
                    :server-id 'hxqd)))

(defun hxqd--execute (command &optional instruction)
  "Have the server run COMMAND at point, with INSTRUCTION if it is not empty."
  (let ((wish (unless (member instruction '(nil "")) (list :instruction instruction))))
    (cond
     ((and (fboundp 'eglot-current-server) (eglot-current-server))
      (eglot-execute (eglot-current-server)
                     (list :command command
                           :arguments (vector (append (eglot--TextDocumentPositionParams) wish)))))
     ((bound-and-true-p lsp-mode)
      (lsp-workspace-command-execute command (vector (append (lsp--text-document-position-params) wish))))
     (t (user-error "No language server here; M-x eglot or M-x lsp starts one")))))

(defun hxqd-generate (instruction)
  "Write code below point that does INSTRUCTION, or what the comment at point says."
  (interactive "sWhat is wanted (empty: what the comment says): ")
  (hxqd--execute "hxqd.generate" instruction))

(defun hxqd-document ()
  "Write the comment of the definition around point."
  (interactive)
  (hxqd--execute "hxqd.document"))

(defun hxqd-test ()
  "Write a test of the definition around point."
  (interactive)
  (hxqd--execute "hxqd.test"))

(provide 'hxqd)
;;; hxqd.el ends here
