; What Python defines and imports. See parsers/drafts.h for what each capture means.

(function_definition name: (identifier) @name body: (block) @body) @function
(class_definition name: (identifier) @name body: (block) @body) @type
(block . (expression_statement (string) @doc))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name)) @field))
(expression_statement (assignment left: (identifier) @name)) @variable
(decorated_definition definition: (_) @wrapped) @wrapper

(import_statement name: (dotted_name) @import)
(import_statement name: (aliased_import name: (dotted_name) @import))
(import_from_statement module_name: (_) @import)
