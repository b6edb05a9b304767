// Documents of Yjs for `whole_store.rs`: a command a line in, an answer a line out.
const Y = require(require.resolve('yjs', { paths: [process.cwd()] }))

const docs = new Map()
const doc = name => {
  if (!docs.has(name)) docs.set(name, new Y.Doc())
  return docs.get(name)
}

const commands = {
  apply: ({ doc: name, hex }) => Y.applyUpdate(doc(name), new Uint8Array(Buffer.from(hex, 'hex'))),
  set: ({ doc: name, root, key, text }) => { doc(name).getMap(root).set(key, text) },
  remove: ({ doc: name, root, key }) => { doc(name).getMap(root).delete(key) },
  state: ({ doc: name }) => Buffer.from(Y.encodeStateAsUpdate(doc(name))).toString('hex'),
  texts: ({ doc: name, root }) => [...doc(name).getMap(root).entries()].sort()
}

require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const command = JSON.parse(line)
  let answer
  try {
    answer = { ok: commands[command.name](command) ?? null }
  } catch (error) {
    answer = { error: String(error.stack) }
  }
  console.log(JSON.stringify(answer))
})
