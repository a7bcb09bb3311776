; What C defines and includes. See parsers/drafts.h for what each capture means.

(function_definition declarator: (_) @declarator body: (_) @body) @function
(declaration declarator: (_) @declarator) @variable
(field_declaration declarator: (_) @declarator) @field
(type_definition declarator: (_) @declarator) @type
(struct_specifier name: (type_identifier) @name body: (_) @body) @type
(union_specifier name: (type_identifier) @name body: (_) @body) @type
(enum_specifier name: (type_identifier) @name body: (_) @body) @type
(enumerator name: (identifier) @name) @constant
(preproc_def name: (identifier) @name) @macro
(preproc_function_def name: (identifier) @name) @macro

(preproc_include path: [(string_literal) (system_lib_string)] @import)
