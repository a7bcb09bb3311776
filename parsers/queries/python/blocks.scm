; The tokens that blocks of Python are made of. See parsers/marks.h for what each capture means.

; A block ends where a line is not deeper than its header: there is nothing to close. Half-written code makes the parser read
; some of these words as names.
["def" "class" "if" "elif" "else" "for" "while" "try" "except" "except*" "finally" "with" "async" "match" "case"] @header
((identifier) @header
  (#any-of? @header "def" "class" "if" "elif" "else" "for" "while" "try" "except" "finally" "with" "async" "match" "case"))
":" @header.end

["(" "[" "{"] @bracket.open
[")" "]" "}"] @bracket.close

(comment) @comment
(string) @string
(interpolation) @code
