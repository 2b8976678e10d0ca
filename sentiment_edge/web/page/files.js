// Files that the page loads: those of the bundle by their names in it, and the engine's.
export const ENGINE = "onnxruntime"; // the bundle's name for it

async function fetched(folder, name) {
  const url = new URL(`${folder}/${name.split("/").map(encodeURIComponent).join("/")}`, import.meta.url);
  let response;
  try {
    response = await fetch(url, { cache: "no-cache" }); // files of one bundle belong together: each is asked for again
  } catch {
    throw new Error(`${name} could not be loaded: the connection failed. Reload the page.`);
  }
  if (!response.ok) throw new Error(`${name} could not be loaded: the server says ${response.status}.`);
  return response;
}

async function whole(folder, name) {
  const response = await fetched(folder, name);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Error(`${name} could not be loaded: the connection broke off. Reload the page.`);
  }
}

export const readBytes = name => whole("bundle", name);

export const readLibrary = name => whole("libraries", name);

export async function readText(name) {
  return new TextDecoder().decode(await readBytes(name));
}

export async function readJson(name) {
  const text = await readText(name);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${name} is not JSON: the server sent something else, or the file is damaged.`);
  }
}
