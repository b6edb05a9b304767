// Fields are those of a struct, and where heirloom is, is all there is to say about it.

use heirloom::Fields;

#[derive(Fields)]
enum Address {
    Home,
}

#[derive(Fields)]
struct Pair(u8, u8);

#[derive(Fields)]
#[fields(name = "city")]
struct City {
    name: String,
    #[column(name = "NAME")]
    other: String,
}

fn main() {
    let _ = City::NAME.eq("Bern");
}
