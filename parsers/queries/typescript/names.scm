; Extends: ecmascript.
(type_identifier) @name
