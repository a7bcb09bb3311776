; The tokens that blocks of CSS are made of. See parsers/marks.h for what each capture means.

"{" @open
"}" @close

["(" "["] @bracket.open
[")" "]"] @bracket.close

[(comment) (js_comment)] @comment
(string_value) @string
