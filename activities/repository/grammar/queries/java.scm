; Definitions
[
  (class_declaration name: (_) @name body: (_) @body)
  (interface_declaration name: (_) @name body: (_) @body)
  (enum_declaration name: (_) @name body: (_) @body)
  (record_declaration name: (_) @name body: (_) @body)
  (annotation_type_declaration name: (_) @name body: (_) @body)
] @class
[
  (class_declaration superclass: (superclass (_) @base))
  (class_declaration interfaces: (super_interfaces (type_list (_) @base)))
  (interface_declaration (extends_interfaces (type_list (_) @base)))
  (enum_declaration interfaces: (super_interfaces (type_list (_) @base)))
  (record_declaration interfaces: (super_interfaces (type_list (_) @base)))
] @class
[
  (method_declaration name: (_) @name body: (_)? @body)
  (constructor_declaration name: (_) @name body: (_) @body)
] @function

; Documentation
(block_comment) @comment
(line_comment) @comment

; Imports
(import_declaration [(scoped_identifier) (identifier)] @module) @import
