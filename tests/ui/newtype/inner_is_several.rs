// A key of several fields is not inside of another one.

use heirloom::{Key, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(key(row, number))]
struct Seat {
    row: u16,
    number: u16,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
#[serde(transparent)]
struct SeatKey(Ref<Seat>);

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Ticket {
    #[key]
    seat: SeatKey,
}

#[derive(Store)]
struct App {
    seats: Table<Seat>,
    tickets: Table<Ticket>,
}

fn main() -> heirloom::Result<()> {
    App::in_memory()?;
    Ok(())
}
