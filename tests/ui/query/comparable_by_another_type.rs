// Values compare by values that can be compared.

use heirloom::Comparable;
use heirloom::query::SortKey;

struct Cents(i64);

struct Price {
    cents: Cents,
}

impl Comparable for Price {
    fn sort_key(&self, key: &mut SortKey<'_>) {
        key.push(&self.cents);
    }
}

fn main() {
    let _ = Cents(1).0;
}
