; Definitions
(type_spec name: (type_identifier) @name type: [(struct_type (_) @body) (interface_type "{" @body) (_)]) @class
(type_spec type: (struct_type (field_declaration_list (field_declaration !name type: (_) @base)))) @class
(function_declaration name: (identifier) @name body: (block) @body) @function
(method_declaration name: (field_identifier) @name body: (block) @body) @function
(method_declaration receiver: (parameter_list (parameter_declaration type: [
  (type_identifier) @receiver
  (generic_type type: (type_identifier) @receiver)
  (pointer_type [(type_identifier) @receiver (generic_type type: (type_identifier) @receiver)])
]))) @function
(source_file [
  (var_declaration (var_spec name: (identifier) @name) @variable)
  (var_declaration (var_spec_list (var_spec name: (identifier) @name) @variable))
  (const_declaration (const_spec name: (identifier) @name) @variable)
])

; Documentation
(comment) @comment

; Imports
(import_spec path: (_) @module) @import
