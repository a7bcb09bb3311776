; What Rust calls things by.
[(identifier) (type_identifier) (field_identifier) (shorthand_field_identifier)] @name
