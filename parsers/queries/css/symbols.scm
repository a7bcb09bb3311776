; What CSS styles, defines and imports. See parsers/drafts.h for what each capture means.

(rule_set (selectors [(class_selector (class_name) @name) (id_selector (id_name) @name)]) (block) @body) @type
(rule_set (selectors (_ [(class_selector (class_name) @name) (id_selector (id_name) @name)])) (block) @body) @type
((declaration (property_name) @name) @variable
  (#begins-with? @name "--"))
(keyframes_statement (keyframes_name) @name (keyframe_block_list) @body) @function

(import_statement (string_value) @import)
(import_statement (call_expression (arguments (string_value) @import)))
