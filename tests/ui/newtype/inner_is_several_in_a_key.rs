// A key of several fields is not inside of a part of another one.

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
#[table(key(seat, day))]
struct Ticket {
    seat: SeatKey,
    day: u16,
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
