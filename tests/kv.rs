#[path = "support/mod.rs"]
mod support;
use heirloom::Store;
use support::*;
#[test]
fn t() {
    let (_f, path) = place();
    let peer = Notebook::in_memory().unwrap();
    {
        let a = Notebook::open(&path).unwrap();
        a.notes.insert(&note(1, "x")).unwrap();
        exchange(&a, &peer);
    }
    peer.notes.put(&note(1, "y")).unwrap();
    let a = Notebook::open(&path).unwrap();
    give(&peer, &a);
    assert_eq!(a.notes.get(&1).unwrap().unwrap().title, "y");
}
