// `Comparable` is derived for structs and enums.

use heirloom::Comparable;

#[derive(Clone, Copy, Comparable)]
union Either {
    number: u32,
    float: f32,
}

fn main() {}
