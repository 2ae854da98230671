; Definitions
(class_definition name: (identifier) @name body: (block) @body) @class
(class_definition superclasses: (argument_list [(identifier) (attribute) (subscript)] @base)) @class
(function_definition name: (identifier) @name body: (block) @body) @function
(module (expression_statement (assignment left: (identifier) @name) @variable))

; Documentation
(module . (comment)* . (expression_statement (string) @doc))
(class_definition body: (block . (comment)* . (expression_statement (string) @doc)))
(function_definition body: (block . (comment)* . (expression_statement (string) @doc)))

; Imports
(import_statement name: [(dotted_name) @module (aliased_import name: (dotted_name) @module)]) @import
(import_from_statement module_name: (_) @module) @import
(import_from_statement name: [(dotted_name) @imported (aliased_import name: (dotted_name) @imported)]) @import
