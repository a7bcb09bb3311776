; What shell scripts call things by: variables and commands, functions among them.
(variable_name) @name
(command_name (word) @name)
(function_definition name: (word) @name)
