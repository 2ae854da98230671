; Definitions
[
  (class_declaration name: (_) @name body: (_) @body)
  (abstract_class_declaration name: (_) @name body: (_) @body)
  (interface_declaration name: (_) @name body: (_) @body)
  (enum_declaration name: (_) @name body: (_) @body)
  (type_alias_declaration name: (_) @name)
] @class
[
  (class_declaration (class_heritage (extends_clause value: (_) @base)))
  (class_declaration (class_heritage (implements_clause (_) @base)))
  (abstract_class_declaration (class_heritage (extends_clause value: (_) @base)))
  (interface_declaration (extends_type_clause (_) @base))
] @class
(internal_module name: (identifier) @name body: (_) @body) @scope
[
  (function_declaration name: (_) @name body: (_) @body)
  (generator_function_declaration name: (_) @name body: (_) @body)
  (function_signature name: (_) @name)
  (method_definition name: (_) @name body: (_) @body)
  (public_field_definition name: (_) @name value: (arrow_function body: (_) @body))
] @function
(program
  [
    (lexical_declaration (variable_declarator name: (identifier) @name) @variable)
    (variable_declaration (variable_declarator name: (identifier) @name) @variable)
    (export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name) @variable))
  ])
(variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function

; Documentation
(comment) @comment

; Imports
(import_statement source: (string) @module) @import
(import_statement (import_clause (named_imports (import_specifier name: (_) @imported)))) @import
(import_statement (import_clause (identifier) @imported)) @import
(export_statement source: (string) @module) @import
(call_expression function: (identifier) @require arguments: (arguments . (string) @module) (#eq? @require "require")) @import
