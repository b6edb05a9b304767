use super::*;

fn write(disk: &Disk, durable: bool) -> Result<Option<()>> {
    disk.commit(durable, |commit| commit.set_meta("name", b"value").map(Some))
}

#[test]
fn a_fork_of_the_process_that_opened_a_store_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let location = Location::File(path.clone());
    let (mut disk, _) = Disk::open(&location, StorageOptions::default()).unwrap();
    write(&disk, true).unwrap();
    disk.publish().unwrap();
    write(&disk, false).unwrap();
    let before = std::fs::read(&path).unwrap();

    disk.opened_by = OpenedBy::another_process();
    for durable in [true, false] {
        let error = write(&disk, durable).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(error.to_string().contains("fork"), "{error}");
    }
    assert_eq!(disk.flush().unwrap_err().kind(), ErrorKind::Storage);
    assert!(before == std::fs::read(&path).unwrap(), "the file has changed");
    // Reading goes on.
    assert_eq!(disk.view().unwrap().meta().unwrap().bytes("name"), Some(&b"value"[..]));
    disk.opened_by = OpenedBy::this_process();
    disk.flush().unwrap();
}

#[test]
fn a_fact_that_stays_the_same_is_not_written_again() {
    let written = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = written.clone();
    let hook: StorageHook = Arc::new(move |op| {
        if op == crate::disk::StorageOp::Write {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    let options = StorageOptions { hook: Some(hook), ..StorageOptions::default() };
    let (disk, _) = Disk::open(&Location::Memory, options).unwrap();
    let written_with = |value: &[u8]| {
        let before = written.load(Ordering::Relaxed);
        disk.commit(true, |commit| commit.set_meta("name", value).map(Some)).unwrap();
        written.load(Ordering::Relaxed) - before
    };
    // redb writes its own pages in the first commits.
    for round in 0..4_u8 {
        written_with(&[round]);
    }
    let (same, other) = (written_with(&[3]), written_with(&[4]));
    assert!(same < other, "{same} pieces for the same, {other} for another one");
}
