; What Python calls things by.
(identifier) @name
