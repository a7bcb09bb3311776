; What CSS calls things by.
[(class_name) (id_name) (property_name) (function_name) (keyframes_name)] @name
