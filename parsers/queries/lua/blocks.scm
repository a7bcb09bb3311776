; The tokens that blocks of Lua are made of. See parsers/marks.h for what each capture means.

; A function's body begins behind its parameters.
["do" "then" "repeat" "else"] @open
(parameters ")" @open)
["end" "until"] @close

; These end a block without ending the statement; the "then" behind "elseif" opens the next one.
["else" "elseif"] @branch

"{" @open
"}" @close
["(" "["] @bracket.open
[")" "]"] @bracket.close

(comment) @comment
(string) @string
