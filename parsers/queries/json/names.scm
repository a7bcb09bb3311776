; What JSON calls things by: keys.
(pair key: (string (string_content) @name))
