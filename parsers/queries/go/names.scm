; What Go calls things by.
[(identifier) (type_identifier) (field_identifier) (package_identifier)] @name
