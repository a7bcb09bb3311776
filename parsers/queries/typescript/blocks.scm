; Extends: ecmascript.
