; What Java calls things by.
[(identifier) (type_identifier)] @name
