; What Lua calls things by.
(identifier) @name
