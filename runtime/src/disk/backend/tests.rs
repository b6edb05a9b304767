use redb::backends::InMemoryBackend;

use super::*;

/// A storage that shows what reached it.
#[derive(Debug, Clone)]
struct Visible(Arc<InMemoryBackend>);

impl StorageBackend for Visible {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

fn content(backend: &dyn StorageBackend) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(backend.len().unwrap()).unwrap()];
    backend.read(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn held_writes_are_seen_through_the_backend_only_until_they_are_released() {
    let below = Visible(Arc::new(InMemoryBackend::new()));
    below.set_len(8).unwrap();
    below.write(0, b"abcdefgh").unwrap();

    let backend = Backend::held(below.clone(), None).unwrap();
    backend.write(1, b"XY").unwrap();
    backend.set_len(4).unwrap();
    backend.set_len(10).unwrap();
    backend.write(9, b"Z").unwrap();
    backend.sync_data().unwrap();
    assert_eq!(content(&backend), b"aXYd\0\0\0\0\0Z");
    assert_eq!(content(&below), b"abcdefgh");

    let mut middle = [0; 3];
    backend.read(2, &mut middle).unwrap();
    assert_eq!(&middle, b"Yd\0");
    assert!(backend.read(8, &mut middle).is_err(), "a read beyond the end");

    backend.release().unwrap();
    assert_eq!(content(&below), b"aXYd\0\0\0\0\0Z");
    backend.write(0, b"!").unwrap();
    assert_eq!(content(&below), b"!XYd\0\0\0\0\0Z");
}

#[test]
fn nothing_that_is_written_read_only_reaches_the_storage() {
    let below = Visible(Arc::new(InMemoryBackend::new()));
    below.set_len(4).unwrap();
    below.write(0, b"abcd").unwrap();

    let hook: StorageHook = Arc::new(|op| panic!("{op:?}"));
    let backend = Backend::read_only(below.clone(), Some(hook)).unwrap();
    let many = vec![b'Z'; usize::try_from(MAX_BYTES_OF_MARKS).unwrap() + 1];
    backend.write(2, &many).unwrap();
    backend.sync_data().unwrap();
    assert_eq!(content(&backend)[..3], *b"abZ");
    assert!(backend.release().is_err());
    assert_eq!(content(&backend).len(), many.len() + 2);
    assert_eq!(content(&below), b"abcd");
}

fn of_another_process(backend: Backend) -> Backend {
    let Ok(mut shared) = Arc::try_unwrap(backend.0) else { panic!("it is shared") };
    shared.opened_by = OpenedBy::another_process();
    Backend(Arc::new(shared))
}

#[test]
fn a_forked_process_neither_writes_nor_closes() {
    let below = Visible(Arc::new(InMemoryBackend::new()));
    below.set_len(4).unwrap();
    below.write(0, b"abcd").unwrap();
    let backend = of_another_process(Backend::direct(below.clone(), None));
    backend.write(0, b"Z").unwrap();
    backend.set_len(2).unwrap();
    backend.sync_data().unwrap();
    assert!(backend.refusal().is_some());
    assert_eq!(content(&below), b"abcd");

    let backend = of_another_process(Backend::held(below.clone(), None).unwrap());
    backend.write(0, b"Z").unwrap();
    assert!(backend.release().is_err());
    assert_eq!(content(&below), b"abcd");
}

#[test]
fn a_release_that_fails_can_be_tried_again() {
    let below = Visible(Arc::new(InMemoryBackend::new()));
    below.set_len(4).unwrap();
    let full = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let disk_full = full.clone();
    let hook: StorageHook = Arc::new(move |op| {
        let refuse = op == StorageOp::Sync && disk_full.load(std::sync::atomic::Ordering::Relaxed);
        if refuse { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    });
    let backend = Backend::held(below.clone(), Some(hook)).unwrap();
    backend.write(0, b"1234").unwrap();
    backend.sync_data().unwrap();

    assert!(backend.release().is_err());
    assert_eq!(content(&backend), b"1234");
    full.store(false, std::sync::atomic::Ordering::Relaxed);
    backend.release().unwrap();
    assert_eq!(content(&below), b"1234");
}

fn pieces(letters: &[u8]) -> Vec<u8> {
    letters.iter().flat_map(|letter| [*letter; 4096]).collect()
}

#[test]
fn readers_of_before_a_refused_write_see_what_they_saw() {
    let below = Visible(Arc::new(InMemoryBackend::new()));
    below.set_len(4 * 4096).unwrap();
    below.write(0, &pieces(b"abcd")).unwrap();
    let is_full = Arc::new(AtomicBool::new(true));
    let disk = is_full.clone();
    let hook: StorageHook = Arc::new(move |_| match disk.load(Ordering::Relaxed) {
        true => Err(io::ErrorKind::StorageFull.into()),
        false => Ok(()),
    });
    let before = Backend::direct(below.clone(), Some(hook));
    before.write(4096, &pieces(b"X")).unwrap();
    before.set_len(5 * 4096).unwrap();
    assert_eq!(before.refusal().unwrap().kind(), io::ErrorKind::StorageFull);
    assert!(before.release().is_err());
    is_full.store(false, Ordering::Relaxed);
    let seen = pieces(b"aXcd\0");
    assert_eq!(content(&before), seen);
    assert_eq!(content(&below), pieces(b"abcd"));

    let second = before.successor(Some(b"head".to_vec())).unwrap();
    assert_eq!(content(&second)[..8], *b"headaaaa");
    assert_eq!(content(&below), pieces(b"abcd"), "it is held back");
    second.release().unwrap();
    second.write(2 * 4096 - 1, b"12").unwrap();
    assert_eq!(content(&before), seen);
    let seen_by_second = content(&second);
    let third = second.successor(None).unwrap();
    third.release().unwrap();
    third.set_len(4096).unwrap();
    third.set_len(6 * 4096).unwrap();
    third.write(0, &pieces(b"uvwxyz")).unwrap();
    assert_eq!(content(&before), seen);
    assert_eq!(content(&second), seen_by_second);
    assert_eq!(content(&below), pieces(b"uvwxyz"));
    assert!(second.release().is_err(), "a successor has taken its place");
    drop((before, second));
    third.write(1, b"!").unwrap();
    assert_eq!(content(&third)[..3], *b"u!u");
}
