; Definitions
(class_declaration name: (_) @name body: (class_body) @body) @class
(class_declaration (class_heritage (_) @base)) @class
[
  (function_declaration name: (_) @name body: (_) @body)
  (generator_function_declaration name: (_) @name body: (_) @body)
  (method_definition name: (_) @name body: (_) @body)
  (field_definition property: (_) @name value: (arrow_function body: (_) @body))
] @function
(program
  [
    (lexical_declaration (variable_declarator name: (identifier) @name) @variable)
    (variable_declaration (variable_declarator name: (identifier) @name) @variable)
    (export_statement declaration: (lexical_declaration (variable_declarator name: (identifier) @name) @variable))
  ])
(variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function
(assignment_expression
  left: (member_expression property: (property_identifier) @name)
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @function

; Documentation
(comment) @comment

; Imports
(import_statement source: (string) @module) @import
(import_statement (import_clause (named_imports (import_specifier name: (_) @imported)))) @import
(import_statement (import_clause (identifier) @imported)) @import
(export_statement source: (string) @module) @import
(call_expression function: (identifier) @require arguments: (arguments . (string) @module) (#eq? @require "require")) @import
