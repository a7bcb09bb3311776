; The tokens that blocks of Java are made of. See parsers/marks.h for what each capture means.

"{" @open
"}" @close

["(" "["] @bracket.open
[")" "]"] @bracket.close

[(line_comment) (block_comment)] @comment
[(string_literal) (character_literal)] @string

; Many align the cases of a switch with it.
["case" "default"] @loose
(labeled_statement) @loose
(ERROR (identifier) @loose . ":")
