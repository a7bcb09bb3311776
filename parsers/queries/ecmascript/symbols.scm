; What JavaScript and TypeScript define and import. See parsers/drafts.h for what each capture means.

(function_declaration name: (identifier) @name body: (_) @body) @function
(generator_function_declaration name: (identifier) @name body: (_) @body) @function
(class_declaration name: (_) @name body: (_) @body) @type
(method_definition name: (_) @name body: (_) @body) @method

; Functions in variables, in properties and in what modules export.
([(lexical_declaration (variable_declarator name: (identifier) @name
    value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))
  (variable_declaration (variable_declarator name: (identifier) @name
    value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]))] @function)
(pair key: (property_identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @method
(expression_statement (assignment_expression left: (member_expression property: (property_identifier) @name)
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)])) @function

(lexical_declaration (variable_declarator name: (identifier) @name)) @variable
(variable_declaration (variable_declarator name: (identifier) @name)) @variable
[(arrow_function) (function_expression)] @scope
(export_statement declaration: (_) @wrapped) @wrapper
(decorator) @attribute

(import_statement source: (string) @import)
(export_statement source: (string) @import)
(call_expression function: [(identifier) (import)] @_function arguments: (arguments . (string) @import)
  (#any-of? @_function "require" "import"))
