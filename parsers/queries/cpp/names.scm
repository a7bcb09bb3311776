; Extends: c.
(namespace_identifier) @name
