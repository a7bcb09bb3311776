; What Lua defines and requires. See parsers/drafts.h for what each capture means.

(function_declaration name: (identifier) @name parameters: (_) @head) @function
(function_declaration name: (dot_index_expression table: (_) @owner field: (identifier) @name) parameters: (_) @head) @function
(function_declaration name: (method_index_expression table: (_) @owner method: (identifier) @name) parameters: (_) @head) @method
(assignment_statement (variable_list name: (identifier) @name)
  (expression_list value: (function_definition parameters: (_) @head))) @function
(assignment_statement (variable_list name: (dot_index_expression table: (_) @owner field: (identifier) @name))
  (expression_list value: (function_definition parameters: (_) @head))) @function
(field name: (identifier) @name value: (function_definition parameters: (_) @head)) @method
(assignment_statement (variable_list name: (identifier) @name)) @variable
(variable_declaration (assignment_statement) @wrapped) @wrapper
(function_definition) @scope

((function_call name: (identifier) @_function arguments: (arguments (string content: (_) @import)))
  (#any-of? @_function "require" "dofile"))
