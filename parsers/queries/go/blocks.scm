; The tokens that blocks of Go are made of. See parsers/marks.h for what each capture means.

"{" @open
"}" @close

; Declarations in a group are a block in parentheses.
(import_spec_list "(" @open)
(import_spec_list ")" @close)
(const_declaration "(" @open)
(const_declaration ")" @close)
(var_spec_list "(" @open)
(var_spec_list ")" @close)
(type_declaration "(" @open)
(type_declaration ")" @close)
(ERROR ["const" "var" "type" "import"] . "(" @open)

["(" "["] @bracket.open
[")" "]"] @bracket.close

(comment) @comment
[(interpreted_string_literal) (raw_string_literal) (rune_literal)] @string

; Cases are aligned with their switch, labels with less than their block.
["case" "default"] @loose
(labeled_statement) @loose
(ERROR (identifier) @loose . ":")
