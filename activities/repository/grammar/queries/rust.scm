; Definitions
[
  (struct_item name: (_) @name body: (_)? @body)
  (enum_item name: (_) @name body: (_) @body)
  (union_item name: (_) @name body: (_) @body)
  (trait_item name: (_) @name body: (_) @body)
  (type_item name: (_) @name)
] @class
(impl_item type: [(type_identifier) @name (generic_type type: (type_identifier) @name)] body: (_) @body) @scope
(impl_item trait: [(type_identifier) @base (scoped_type_identifier) @base (generic_type type: (_) @base)]) @scope
(mod_item name: (_) @name body: (_) @body) @scope
(trait_item bounds: (trait_bounds (type_identifier) @base)) @class
[
  (function_item name: (_) @name body: (_) @body)
  (function_signature_item name: (_) @name)
  (macro_definition name: (_) @name)
] @function
(source_file [
  (const_item name: (_) @name) @variable
  (static_item name: (_) @name) @variable
])

; Documentation
(line_comment) @comment
(block_comment) @comment

; Imports
(use_declaration argument: (_) @module) @import
