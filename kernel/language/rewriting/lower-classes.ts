import type { Node, NodeOf } from "../walk.ts";
import type { Rewrite, Rules } from "./rewrite.ts";

/** Parameter properties: fields of the class, set when the constructor begins or `super()` has returned. */
export const classRules: Rules = {
  ClassBody: {
    leave(rewrite, node, parents) {
      const builder = node.body.find(
        (member) => member.type === "MethodDefinition" && member.kind === "constructor" && member.value.body !== null,
      );
      if (builder?.type !== "MethodDefinition" || builder.value.body === null) return;
      const names = builder.value.params.flatMap((parameter) =>
        parameter.type === "TSParameterProperty" ? propertyName(parameter) : [],
      );
      if (names.length === 0) return;
      const assignments = ` ${names.map((name) => `this.${name} = ${name};`).join(" ")}`;
      rewrite.after(node.start + 1, ` ${names.join("; ")};`);
      const owner = parents.at(-1);
      const derived =
        (owner?.type === "ClassDeclaration" || owner?.type === "ClassExpression") && owner.superClass !== null;
      assignFields(rewrite, builder.value.body, derived, assignments);
    },
  },
};

function propertyName(property: NodeOf<"TSParameterProperty">): string[] {
  const target = property.parameter.type === "AssignmentPattern" ? property.parameter.left : property.parameter;
  return target.type === "Identifier" ? [target.name] : [];
}

function assignFields(rewrite: Rewrite, body: NodeOf<"BlockStatement">, derived: boolean, assignments: string): void {
  const superCall = derived ? body.body.find((statement) => isSuperCall(statement)) : undefined;
  if (superCall === undefined) rewrite.after(body.start + 1, assignments);
  else rewrite.after(superCall.end, `;${assignments}`);
}

function isSuperCall(statement: Node): boolean {
  return (
    statement.type === "ExpressionStatement" &&
    statement.expression.type === "CallExpression" &&
    statement.expression.callee.type === "Super"
  );
}
