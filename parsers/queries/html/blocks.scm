; The tokens that elements of HTML are made of. See parsers/marks.h for what each capture means.

((start_tag (tag_name) @_tag ">" @open)
  (#not-any-of? @_tag "area" "base" "br" "col" "embed" "hr" "img" "input" "link" "meta" "source" "track" "wbr"
    "html" "head" "body" "script" "style"))
((start_tag (tag_name) @_tag ">" @open @flush)
  (#any-of? @_tag "html" "head" "body" "script" "style"))
(end_tag) @close

; Scripts and styles are read as plain text.
(raw_text) @foreign

(comment) @comment
[(quoted_attribute_value) (attribute_value)] @string
