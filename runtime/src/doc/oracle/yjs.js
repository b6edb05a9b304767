// Documents of Yjs for the oracle: a command a line in, an answer a line out.
const Y = require(require.resolve('yjs', { paths: [process.cwd()] }))

const ROOTS = ['table:a', 'kv:b']
const docs = new Map()

const hex = bytes => Buffer.from(bytes).toString('hex')
const bytes = hex => new Uint8Array(Buffer.from(hex, 'hex'))

// The JSON that shows a value, as yrs does.
const shown = value => {
  if (value === undefined || value === null) return null
  if (value instanceof Y.Doc) return { guid: value.guid }
  if (value instanceof Y.AbstractType) return shown(value.toJSON())
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner)]))
  }
  return value
}

const made = {
  map: text => new Y.Map([['q', 'r'], ['s', text]]),
  array: () => Y.Array.from(['a', 'b', 'c']),
  text: () => new Y.Text('some text')
}

// Changes the nested type under a key, or makes one.
const changeNested = (map, key, how, number, text) => {
  const inner = map.get(key)
  if (inner instanceof Y.Map) {
    const name = ['q', 's', 't'][number % 3]
    if (number % 5 === 0) inner.delete(name)
    else if (number % 5 === 1) inner.set(name, new Y.Map([['deep', text]]))
    else inner.set(name, text)
  } else if (inner instanceof Y.Array || inner instanceof Y.Text) {
    const at = number % (inner.length + 1)
    if (number % 3 === 0 && inner.length > at) inner.delete(at, 1)
    else inner.insert(at, inner instanceof Y.Text ? text : [text, 'x'])
  } else map.set(key, made[how](text))
}

const write = (doc, ops) => {
  for (const [root, key, how, text, number] of ops) {
    const map = doc.getMap(root)
    if (how === 'remove') map.delete(key)
    else if (how === 'text') map.set(key, text)
    else if (how === 'json') map.set(key, JSON.parse(text))
    else if (how === 'bytes') map.set(key, new Uint8Array([1, 2, 3]))
    else if (how === 'overwritten') {
      map.set(key, made.map('t'))
      map.get(key).set('q', 3)
      map.set(key, text)
    } else changeNested(map, key, how, number, text)
  }
}

const commands = {
  new: ({ id, client, gc }) => {
    const doc = new Y.Doc({ gc })
    doc.clientID = Number(client)
    ROOTS.forEach(root => doc.getMap(root))
    docs.set(id, doc)
  },
  free: ({ id }) => { docs.delete(id) },
  write: ({ id, ops }) => {
    const doc = docs.get(id)
    let update = new Uint8Array([0, 0])
    const take = made => { update = made }
    doc.on('update', take)
    doc.transact(() => write(doc, ops))
    doc.off('update', take)
    return hex(update)
  },
  apply: ({ id, update }) => { Y.applyUpdate(docs.get(id), bytes(update)) },
  since: ({ id, clocks }) => {
    const state = new Map(clocks.map(([client, clock]) => [Number(client), clock]))
    return hex(Y.encodeStateAsUpdate(docs.get(id), Y.encodeStateVector(state)))
  },
  view: ({ id }) => {
    const doc = docs.get(id)
    const rows = ROOTS.flatMap(root => [...doc.getMap(root).entries()].map(([key, value]) => {
      const item = doc.getMap(root)._map.get(key).id
      return [root, key, String(item.client), item.clock, shown(value)]
    }))
    const state = Y.decodeStateVector(Y.encodeStateVector(doc))
    const deletions = Y.snapshot(doc).ds.clients
    return {
      rows,
      clocks: [...state].map(([client, clock]) => [String(client), clock]),
      deletions: [...deletions].map(([client, ranges]) => [
        String(client), ranges.map(({ clock, len }) => [clock, clock + len])
      ])
    }
  }
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
