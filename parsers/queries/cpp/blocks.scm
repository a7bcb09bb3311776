; Extends: c.
(raw_string_literal) @string

; Access labels stand at the margin of their class; the contents of namespaces at that of the file.
(access_specifier) @loose
(namespace_definition (declaration_list "{" @flush))
(ERROR "namespace" "{" @flush)
(ERROR "extern" "{" @flush)
