; What HTML names and fetches. See parsers/drafts.h for what each capture means.

((element (start_tag (attribute (attribute_name) @_attribute
    (quoted_attribute_value (attribute_value) @name))) @head) @variable
  (#any-of? @_attribute "id"))

((script_element (start_tag (attribute (attribute_name) @_attribute
    (quoted_attribute_value (attribute_value) @import))))
  (#any-of? @_attribute "src"))
((start_tag (tag_name) @_tag (attribute (attribute_name) @_attribute
    (quoted_attribute_value (attribute_value) @import)))
  (#any-of? @_tag "link") (#any-of? @_attribute "href"))
