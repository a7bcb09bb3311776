; What a JSON document names at its top level. See parsers/drafts.h for what each capture means.

(document (object (pair key: (string (string_content) @name)) @field))
