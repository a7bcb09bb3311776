; What Go defines and imports. See parsers/drafts.h for what each capture means.

(function_declaration name: (identifier) @name body: (block) @body) @function
(method_declaration receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @owner
    (pointer_type [(type_identifier) @owner (generic_type type: (type_identifier) @owner)])
    (generic_type type: (type_identifier) @owner)]))
  name: (field_identifier) @name body: (block) @body) @method
(type_spec name: (type_identifier) @name type: [
    (struct_type (field_declaration_list) @body)
    (interface_type "{" @body)]) @type
(type_spec name: (type_identifier) @name) @type
(type_alias name: (type_identifier) @name) @type
(field_declaration name: (field_identifier) @name) @field
(method_elem name: (field_identifier) @name) @method
(const_spec name: (identifier) @name) @constant
(var_spec name: (identifier) @name) @variable
(const_declaration (const_spec) @wrapped) @wrapper
(var_declaration (var_spec) @wrapped) @wrapper
(type_declaration [(type_spec) (type_alias)] @wrapped) @wrapper
(func_literal) @scope

(import_spec path: (interpreted_string_literal) @import)
