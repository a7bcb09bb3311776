; The tokens that blocks of JavaScript and TypeScript are made of. See parsers/marks.h for what each capture means.

["{" "${"] @open
"}" @close

["(" "["] @bracket.open
[")" "]"] @bracket.close

(comment) @comment
[(string) (template_string) (string_fragment) (regex)] @string
(template_substitution) @code

; Many align the cases of a switch with it.
["case" "default"] @loose
(labeled_statement) @loose
