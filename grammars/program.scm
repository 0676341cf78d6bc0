; The nodes of a Python file that matter for reading a training script. Each pattern only points at a node;
; server/program decides what it means. Captures are read in document order, outer nodes first.

; Scopes of names.
(function_definition) @scope.function
(class_definition) @scope.class
(lambda) @scope.lambda
[
  (list_comprehension)
  (set_comprehension)
  (dictionary_comprehension)
  (generator_expression)
] @scope.comprehension

; Code that may run never or several times. `if __name__ == "__main__":` is taken to run.
((if_statement condition: (_) @_condition consequence: (block) @block)
  (#not-match? @_condition "__name__"))
(elif_clause consequence: (block) @block)
(else_clause body: (block) @block)
(for_statement body: (block) @block)
(while_statement body: (block) @block)
(try_statement body: (block) @block)
(except_clause (block) @block)
(case_clause consequence: (block) @block)
(conditional_expression) @block
(boolean_operator) @block

; Names and what they stand for.
(import_statement) @import
(import_from_statement) @import.from
(assignment left: (_) right: (_)) @assign
(named_expression) @assign.expression
(augmented_assignment left: (_) @change)
(delete_statement (_) @change)
(for_statement left: (_) @opaque)
(for_in_clause left: (_) @opaque)
(as_pattern_target (_) @opaque)
(case_pattern (_) @opaque)
(global_statement (identifier) @global)
(nonlocal_statement (identifier) @global)

; Parameters of functions and lambdas.
[
  (parameters (identifier) @parameter)
  (lambda_parameters (identifier) @parameter)
  (typed_parameter (identifier) @parameter)
  (default_parameter name: (identifier) @parameter)
  (typed_default_parameter name: (identifier) @parameter)
  (list_splat_pattern (identifier) @parameter)
  (dictionary_splat_pattern (identifier) @parameter)
]

; What a script does.
(call) @call
(return_statement) @return

; What does not parse.
(ERROR) @error
(MISSING) @missing
