; Extends: c.
(class_specifier name: (_) @name body: (_) @body) @type
(struct_specifier name: (template_type) @name body: (_) @body) @type
(namespace_definition name: (_) @name body: (_) @body) @module
(alias_declaration name: (type_identifier) @name) @type
(concept_definition name: (identifier) @name) @type
(template_declaration (_) @wrapped) @wrapper
