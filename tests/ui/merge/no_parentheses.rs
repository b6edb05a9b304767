// How a field merges stands in parentheses.

use heirloom::{Id, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(merge = "fields")]
struct Page {
    id: Id<Page>,
    #[merge = "sum"]
    visits: i64,
}

fn main() {}
