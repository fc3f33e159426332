import { dirname, resolve } from "node:path";
import { createFilesMatcher, createPathsMatcher, getTsconfig, parseTsconfig, type TsConfigResult } from "get-tsconfig";
import { inDependency } from "./files.js";

export type CompilerOptions = NonNullable<TsConfigResult["config"]["compilerOptions"]>;

/** The settings of a tsconfig for a file. */
export interface Settings {
  readonly options: CompilerOptions;
  /**
   * The paths at which a module may be by `paths` and `baseUrl`, perhaps without an extension, best
   * first.
   */
  readonly placesOf: (specifier: string) => readonly string[];
}

const none: Settings = { options: {}, placesOf: () => [] };

/** The tsconfig.json files of a program; the nearest one applies to a file. */
export class Tsconfigs {
  readonly #texts = new Map<string, string>();
  readonly #byFolder = new Map<string, TsConfigResult | null>();
  readonly #settings = new Map<string, Settings>();

  /**
   * The settings of a file; none in `node_modules`. Throws if the nearest tsconfig cannot be read,
   * naming the file.
   */
  of(file: string): Settings {
    if (inDependency(file)) return none;
    try {
      return this.#nearest(file);
    } catch (error) {
      throw new Error(`the tsconfig.json for ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  #nearest(file: string): Settings {
    const folder = dirname(file);
    let nearest = this.#byFolder.get(folder);
    if (nearest === undefined) this.#byFolder.set(folder, (nearest = getTsconfig(folder, "tsconfig.json", this.#texts)));
    return nearest === null ? none : this.#settingsOf(this.#referenced(nearest, file) ?? nearest);
  }

  /** A tsconfig without files only refers to others: the one that includes this file. */
  #referenced({ path, config }: TsConfigResult, file: string): TsConfigResult | undefined {
    if (config.references === undefined || config.files?.length !== 0 || config.include !== undefined) return undefined;
    for (const reference of config.references) {
      const place = resolve(dirname(path), reference.path);
      const target = place.endsWith(".json") ? place : resolve(place, "tsconfig.json");
      const result = { path: target, config: parseTsconfig(target, this.#texts) };
      if (createFilesMatcher(result)(file) !== undefined) return result;
    }
    return undefined;
  }

  #settingsOf(result: TsConfigResult): Settings {
    const known = this.#settings.get(result.path);
    if (known !== undefined) return known;
    const settings = { options: result.config.compilerOptions ?? {}, placesOf: createPathsMatcher(result) ?? none.placesOf };
    this.#settings.set(result.path, settings);
    return settings;
  }
}
