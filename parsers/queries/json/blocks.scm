; The tokens that blocks of JSON are made of. See parsers/marks.h for what each capture means.

["{" "["] @open
["}" "]"] @close

(comment) @comment
(string) @string
