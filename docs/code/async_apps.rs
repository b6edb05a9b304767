//! The code of the guide on async apps. What stands between `[name]` and `[end]` is shown.

// [store]
use std::sync::Arc;

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tasks")]
pub struct Task {
    pub id: Id<Task>,
    pub title: String,
    pub done: bool,
}

#[derive(Store)]
#[store(name = "todo")]
pub struct Todo {
    pub tasks: Table<Task>,
}

/// The state that each request handler, command or window gets.
#[derive(Clone)]
pub struct State {
    pub todo: Arc<Todo>,
}
// [end]

// [work]
/// Adds a task and returns the tasks that are open. It blocks: call it on a thread for such work.
pub fn add(state: &State, title: &str) -> heirloom::Result<Vec<Task>> {
    let task = Task { id: Id::new(), title: title.to_owned(), done: false };
    state.todo.tasks.insert(&task)?;
    state.todo.tasks.filter(Task::DONE.eq(false)).all()
}
// [end]

// [stream]
use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream;
use heirloom::watch::Watch;

/// Shows the titles of the open tasks, until the store is closed or the list has three.
pub async fn show_open_tasks(mut watch: Watch<Task>) -> heirloom::Result<Vec<Task>> {
    let mut tasks = Vec::new();
    while let Some(delta) = poll_fn(|context| Pin::new(&mut watch).poll_next(context)).await {
        delta?.apply(&mut tasks);
        println!("{:?}", tasks.iter().map(|task| &task.title).collect::<Vec<_>>());
        if tasks.len() == 3 {
            break;
        }
    }
    Ok(tasks)
}
// [end]

// [executor]
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Wakes the thread that waits for a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
// [end]

#[test]
fn a_stream_follows_the_writes_of_another_thread() -> heirloom::Result<()> {
    // [run]
    let state = State { todo: Arc::new(Todo::in_memory()?) };
    let watch = state.todo.tasks.filter(Task::DONE.eq(false)).watch()?;
    let writer = state.clone();
    let adding =
        thread::spawn(move || ["milk", "bread", "tea"].map(|title| add(&writer, title).is_ok()));
    let tasks = block_on(show_open_tasks(watch))?;
    assert_eq!(tasks.len(), 3);
    // [end]
    assert_eq!(adding.join().unwrap(), [true; 3]);
    Ok(())
}
