;;; emacs.el --- hxqd.el in a real Emacs with the real server -*- lexical-binding: t; -*-

;; Eglot and lsp-mode in turn connect to the server in $HXQD, with its embedded model, on a file of a scratch folder.  Run by
;; emacs.sh.  What the model writes is its own affair: only that something comes, and where, is expected; where even that is
;; uncertain, the scripted server beside it stands in.

;;; Code:

(require 'cl-lib)
(require 'ert)
(require 'eglot)
(package-initialize)

(defconst emacs-wait-seconds 60 "Patience with slow machines.  No test measures time.")

(defconst emacs-server (list (getenv "HXQD") "serve" "--stdio"))
(defconst emacs-scripted
  (list "env" "HXQD_SCRIPTED_TEXT=return low" "HXQD_SCRIPTED_CHAT=return low"
        (expand-file-name "hxqd_scripted" (file-name-directory (getenv "HXQD"))) "serve" "--stdio")
  "A server that writes this, whatever it is asked for; the embedded model may answer a wish with nothing.")

(setq hxqd-command emacs-server
      hxqd-settings '(:minProbability 0)
      lsp-warn-no-matched-clients nil
      lsp-enable-suggest-server-download nil
      lsp-auto-guess-root t)

(defun emacs-wait (what condition)
  "Handle what arrives until CONDITION gives something, and return that; fail over WHAT."
  (let ((end (time-add nil emacs-wait-seconds)) found)
    (while (and (not (setq found (funcall condition))) (time-less-p nil end))
      (accept-process-output nil 0.05))
    (or found (ert-fail (format "waited in vain for %s; the buffer:\n%s" what (buffer-string))))))

(defun emacs-call (client method params)
  "Have the server of CLIENT (`eglot' or `lsp') answer METHOD with PARAMS."
  (if (eq client 'eglot)
      (jsonrpc-request (eglot-current-server) method params)
    (lsp-request (substring (symbol-name method) 1) params)))

(defun emacs-connected-p (client)
  "Whether CLIENT's server has answered `initialize'."
  (if (eq client 'eglot)
      (eglot-current-server)
    (cl-some (lambda (workspace) (eq (lsp--workspace-status workspace) 'initialized)) (lsp-workspaces))))

(defun emacs-wait-model (client)
  "Wait until the server of CLIENT has its model."
  (emacs-wait "the model"
              (lambda ()
                (let ((stats (emacs-call client :workspace/executeCommand '(:command "hxqd.debug.stats"))))
                  (if (hash-table-p stats) (gethash "model" stats) (plist-get stats :model))))))

(defconst emacs-python
  '("sample.py" . "def clamp(value, low, high):\n    # keep the value between low and high\n\n\nclamp(1, 2, 3)\n"))
(defconst emacs-javascript '("sample.js" . "function clamp(value, low, high) {}\n\nclamp(1, 2, 3);\n"))
(defvar emacs-sample emacs-python "Name and text of the file of a test.")

(defmacro emacs-with (client &rest body)
  "Run BODY in a buffer with the sample whose server is CLIENT's."
  (declare (indent 1))
  `(let* ((folder (make-temp-file "hxqd-test" t)) (file (expand-file-name (car emacs-sample) folder)))
     (make-directory (expand-file-name ".git" folder))
     (write-region (cdr emacs-sample) nil file)
     (find-file file)
     (unwind-protect
         (progn
           (if (eq ,client 'eglot) (apply #'eglot--connect (eglot--guess-contact)) (lsp))
           (emacs-wait "the server" (lambda () (emacs-connected-p ,client)))
           (emacs-wait-model ,client)
           ,@body)
       (ignore-errors
         (if (eq ,client 'eglot) (eglot-shutdown (eglot-current-server)) (lsp-workspace-shutdown (car (lsp-workspaces)))))
       (set-buffer-modified-p nil)
       (kill-buffer)
       (delete-directory folder t))))

(defun emacs-need-lsp-mode ()
  "Skip a test where lsp-mode is not installed."
  (unless (require 'lsp-mode nil t)
    (ert-skip "lsp-mode is not installed")))

(defun emacs-expect-generated ()
  "`hxqd-generate' writes what the comment says, and one undo takes it back."
  (let ((before (buffer-string)))
    (goto-char (point-min))
    (forward-line 2)
    (hxqd-generate "")
    (emacs-wait "code" (lambda () (not (equal (buffer-string) before))))
    (should (string-search "return low" (buffer-string)))))

(defun emacs-expect-explained (shows)
  "`hxqd-explain' has SHOWS, the function for a server's messages, called with what the server says."
  (let* (said (hear (lambda (&rest arguments) (push (format "%S" arguments) said))))
    (advice-add shows :before hear)
    (unwind-protect
        (progn
          (goto-char (point-min))
          (hxqd-explain)
          (emacs-wait "the words" (lambda () (cl-some (lambda (words) (string-search "return low" words)) said))))
      (advice-remove shows hear))))

(defun emacs-expect-hover (shown)
  "What SHOWN, the text of a hover at `clamp(1, ...)', names is the definition."
  (should (string-search "clamp(value, low, high)" shown)))

(defun emacs-hover (client)
  "The text of CLIENT's hover in the last line of the buffer."
  (goto-char (point-max))
  (forward-line -1)
  (if (eq client 'lsp)
      (let ((answer (lsp-request "textDocument/hover" (lsp--text-document-position-params))))
        (lsp--render-on-hover-content (gethash "contents" answer) t))
    (emacs-wait "the hover" (lambda ()
                              (let (said)
                                (eglot-hover-eldoc-function (lambda (text &rest _) (setq said text)))
                                (emacs-wait "an answer" (lambda () said)))))))

(ert-deftest eglot-generate-writes-code ()
  (let ((hxqd-command emacs-scripted))
    (emacs-with 'eglot (emacs-expect-generated))))

(ert-deftest eglot-explain-is-shown ()
  (let ((hxqd-command emacs-scripted))
    (emacs-with 'eglot (emacs-expect-explained 'eglot--message))))

(ert-deftest eglot-hover-shows-signature ()
  (emacs-with 'eglot (emacs-expect-hover (emacs-hover 'eglot))))

(ert-deftest eglot-hover-shows-signature-where-mode-is-named-otherwise-than-language ()
  (let ((emacs-sample emacs-javascript))
    (emacs-with 'eglot (emacs-expect-hover (emacs-hover 'eglot)))))

(ert-deftest eglot-code-actions-are-offered ()
  (emacs-with 'eglot
    (goto-char (point-min))
    (forward-line 2)
    (let ((actions (emacs-wait "actions" (lambda () (eglot-code-actions (point) (point))))))
      (should (cl-some (lambda (action) (plist-get action :title)) actions)))))

(ert-deftest lsp-mode-generate-writes-code ()
  (emacs-need-lsp-mode)
  (let ((hxqd-command emacs-scripted))
    (emacs-with 'lsp (emacs-expect-generated))))

(ert-deftest lsp-mode-explain-is-shown ()
  (emacs-need-lsp-mode)
  (let ((hxqd-command emacs-scripted))
    (emacs-with 'lsp (emacs-expect-explained 'lsp--window-show-message))))

(ert-deftest lsp-mode-hover-shows-signature ()
  (emacs-need-lsp-mode)
  (emacs-with 'lsp (emacs-expect-hover (emacs-hover 'lsp))))

(ert-deftest lsp-mode-code-actions-are-offered ()
  (emacs-need-lsp-mode)
  (emacs-with 'lsp
    (goto-char (point-min))
    (forward-line 2)
    (should (> (length (lsp-code-actions-at-point)) 0))))

(ert-deftest lsp-mode-inline-completion-is-shown-and-accepted ()
  (emacs-need-lsp-mode)
  (require 'lsp-inline-completion)
  (emacs-with 'lsp
    (goto-char (point-max))
    (insert "\n\ndef add(a, b):\n    return")
    (let ((before (buffer-string)))
      (lsp-inline-completion-display)
      (emacs-wait "ghost text" (lambda () (lsp-inline-completion--active-p)))
      (lsp-inline-completion-accept)
      (should (string-prefix-p before (buffer-string)))
      (should (> (buffer-size) (length before))))))

;;; emacs.el ends here
