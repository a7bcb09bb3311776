; What Rust defines and uses. See parsers/drafts.h for what each capture means.

(impl_item type: [
    (type_identifier) @owner
    (generic_type type: (type_identifier) @owner)
    (scoped_type_identifier name: (type_identifier) @owner)]
  body: (declaration_list (function_item name: (identifier) @name body: (_) @body) @method))
(impl_item type: [
    (type_identifier) @owner
    (generic_type type: (type_identifier) @owner)
    (scoped_type_identifier name: (type_identifier) @owner)]
  body: (declaration_list (const_item name: (identifier) @name) @constant))
(function_item name: (identifier) @name body: (_) @body) @function
(function_signature_item name: (identifier) @name) @method
(struct_item name: (type_identifier) @name body: (_) @body) @type
(struct_item name: (type_identifier) @name) @type
(enum_item name: (type_identifier) @name body: (_) @body) @type
(union_item name: (type_identifier) @name body: (_) @body) @type
(trait_item name: (type_identifier) @name body: (_) @body) @type
(type_item name: (type_identifier) @name) @type
(field_declaration name: (field_identifier) @name) @field
(enum_variant name: (identifier) @name) @constant
(const_item name: (identifier) @name) @constant
(static_item name: (identifier) @name) @variable
(macro_definition name: (identifier) @name) @macro
(mod_item name: (identifier) @name body: (_) @body) @module
(attribute_item) @attribute

(use_declaration argument: (_) @import)
(mod_item name: (identifier) @import !body)
