; What shell scripts define and source. See parsers/symbols.c for what each capture means.

(function_definition name: (word) @name body: (_) @body) @function
(program (variable_assignment name: (variable_name) @name) @variable)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @variable)

((command name: (command_name) @_command . argument: (_) @import)
  (#any-of? @_command "source" "."))
