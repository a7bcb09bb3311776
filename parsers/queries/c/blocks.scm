; The tokens that blocks of C are made of. See parsers/marks.h for what each capture means.

"{" @open
"}" @close

["(" "["] @bracket.open
[")" "]"] @bracket.close

(comment) @comment
[(string_literal) (char_literal) (system_lib_string)] @string

; Preprocessor lines, labels and cases stand as far left as they like, as does what is declared for C++ alone.
["#if" "#ifdef" "#ifndef" "#elif" "#else" "#endif" "#define" "#include"] @loose
(preproc_directive) @loose
["case" "default"] @loose
(labeled_statement) @loose
(ERROR (identifier) @loose . ":")
(linkage_specification (declaration_list "{" @flush))
