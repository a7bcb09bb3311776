; Extends: typescript.
