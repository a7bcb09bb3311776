; What shell scripts define and source. See parsers/drafts.h for what each capture means.

(function_definition name: (word) @name body: (_) @body) @function
(variable_assignment name: (variable_name) @name) @variable
(declaration_command (variable_assignment) @wrapped) @wrapper

((command name: (command_name) @_command . argument: (_) @import)
  (#any-of? @_command "source" "."))
