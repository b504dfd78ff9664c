import type {
  AnyDesc,
  DescEnum,
  DescEnumValue,
  DescField,
  DescFile,
  DescMessage,
  DescMethod,
  DescService,
} from "@bufbuild/protobuf";

type Described = DescMessage | DescField | DescEnum | DescEnumValue | DescService | DescMethod;

/** The comments before declarations, as the descriptors carry them. */
export class Comments {
  readonly #byFile = new WeakMap<DescFile, Map<string, string>>();

  /** What stands before a declaration, without the marks; empty for nothing. */
  of(desc: Described): string {
    const file = fileOf(desc);
    let comments = this.#byFile.get(file);
    if (comments === undefined) {
      comments = new Map(
        (file.proto.sourceCodeInfo?.location ?? []).map((location) => [
          location.path.join("."),
          location.leadingComments,
        ]),
      );
      this.#byFile.set(file, comments);
    }
    const text = comments.get(pathOf(desc).join(".")) ?? "";
    return text.replace(/^ /gm, "").trim();
  }
}

function fileOf(desc: Described): DescFile {
  if ("file" in desc) return desc.file;
  return fileOf(desc.parent as Described);
}

/** Where a declaration stands in its FileDescriptorProto: numbers of fields and indices. */
function pathOf(desc: Described): number[] {
  const inFile = (field: number, list: readonly AnyDesc[]) => [field, list.indexOf(desc)];
  switch (desc.kind) {
    case "service":
      return inFile(6, desc.file.services);
    case "rpc":
      return [...pathOf(desc.parent), 2, desc.parent.methods.indexOf(desc)];
    case "field":
      return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
    case "enum_value":
      return [...pathOf(desc.parent), 2, desc.parent.values.indexOf(desc)];
    case "message":
      return desc.parent === undefined
        ? [4, desc.file.proto.messageType.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)];
    case "enum":
      return desc.parent === undefined
        ? [5, desc.file.proto.enumType.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)];
  }
}
