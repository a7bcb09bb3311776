; Extends: ecmascript.
(public_field_definition name: (_) @name) @field
(abstract_class_declaration name: (_) @name body: (_) @body) @type
(interface_declaration name: (_) @name body: (_) @body) @type
(type_alias_declaration name: (_) @name) @type
(enum_declaration name: (_) @name body: (_) @body) @type
(enum_assignment name: (_) @name) @constant
(enum_body name: (property_identifier) @name @constant)
(internal_module name: (_) @name body: (_) @body) @module
(module name: (_) @name body: (_) @body) @module
(property_signature name: (_) @name) @field
(method_signature name: (_) @name) @method
(abstract_method_signature name: (_) @name) @method
(function_signature name: (_) @name) @function
(ambient_declaration (_) @wrapped) @wrapper

(import_require_clause source: (string) @import)
