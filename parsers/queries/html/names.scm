; What HTML calls things by.
[(tag_name) (attribute_name)] @name
