; What C calls things by.
[(identifier) (type_identifier) (field_identifier)] @name
