; Extends: ecmascript jsx.
