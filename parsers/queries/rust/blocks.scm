; The tokens that blocks of Rust are made of. See parsers/marks.h for what each capture means.

"{" @open
"}" @close

["(" "["] @bracket.open
[")" "]"] @bracket.close

[(line_comment) (block_comment)] @comment
[(string_literal) (raw_string_literal) (char_literal)] @string
