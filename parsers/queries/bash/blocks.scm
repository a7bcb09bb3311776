; The tokens that blocks of shell scripts are made of. See parsers/marks.h for what each capture means.

["do" "then" "else" "{"] @open
["done" "fi" "esac" "}"] @close
(case_statement "in" @open)
(ERROR "case" "in" @open)
["else" "elif"] @branch

; What a pattern of a case selects ends with semicolons, which the last may lack.
(case_item ")" @open)
[";;" ";&" ";;&"] @close
(case_item . (_) @loose)

["(" "[" "((" "[[" "$("] @bracket.open
[")" "]" "))" "]]"] @bracket.close
"${" @open

(comment) @comment
[(string) (raw_string) (ansi_c_string) (heredoc_redirect) (regex)] @string
[(herestring_redirect) (arithmetic_expansion)] @text
[(command_substitution) (expansion)] @code
