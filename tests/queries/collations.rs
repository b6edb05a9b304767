//! Orders of texts in a language.

use heirloom::query::Collation;
use heirloom::{ErrorKind, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::refused;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(computed(upper: String = name.to_uppercase()), index(name), index(upper))]
struct City {
    #[key]
    id: u32,
    name: String,
    also: Option<String>,
}

#[derive(Store)]
struct Atlas {
    city: Table<City>,
}

fn atlas(names: &[&str]) -> Atlas {
    let app = Atlas::in_memory().unwrap();
    let cities = names.iter().zip(0..);
    let cities = cities.map(|(name, id)| City { id, name: (*name).to_owned(), also: None });
    app.city.insert_many(cities).unwrap();
    app
}

fn order(app: &Atlas, language: &str) -> Vec<String> {
    let collation = Collation::new(language).unwrap();
    let cities = app.city.order_by(City::NAME.asc_in(&collation)).all().unwrap();
    cities.into_iter().map(|city| city.name).collect()
}

#[test]
fn each_language_has_an_order_of_its_own() {
    let app = atlas(&["zug", "Ähre", "Zoo", "Ahr", "ahr", "Öl", "Ofen", "a\0b", ""]);
    assert_eq!(order(&app, "de"), ["", "a\0b", "ahr", "Ahr", "Ähre", "Ofen", "Öl", "Zoo", "zug"]);
    assert_eq!(order(&app, "sv"), ["", "a\0b", "ahr", "Ahr", "Ofen", "Zoo", "zug", "Ähre", "Öl"]);
    let phone = atlas(&["Ärger", "Adler", "Azur"]);
    assert_eq!(order(&phone, "de"), ["Adler", "Ärger", "Azur"]);
    assert_eq!(order(&phone, "de-u-co-phonebk"), ["Adler", "Ärger", "Azur"]);
    let numbers = atlas(&["file 10", "file 9"]);
    assert_eq!(order(&numbers, "en"), ["file 10", "file 9"]);
    assert_eq!(order(&numbers, "en-u-kn"), ["file 9", "file 10"]);
    // A language without rules of its own has those of Unicode.
    assert_eq!(order(&app, "tlh"), order(&app, "de"));
}

#[test]
fn no_index_is_taken_for_it() {
    let app = atlas(&["Ulm", "Öl"]);
    let german = Collation::new("de").unwrap();
    let by_name = app.city.filter(City::NAME.gt("A")).order_by(City::NAME.asc_in(&german));
    assert!(by_name.explain().ends_with("sorted by name"), "{}", by_name.explain());
    assert_eq!(by_name.keys().unwrap(), [1, 0]);
    let by_upper = app.city.order_by(City::UPPER.desc_in(&german)).limit(1);
    assert_eq!(by_upper.keys().unwrap(), [0]);
}

#[test]
fn none_comes_first_and_equal_texts_come_by_the_next_column() {
    let app = atlas(&["b", "a", "c"]);
    app.city.update(&0, |city| city.also = Some("É".into())).unwrap();
    app.city.update(&1, |city| city.also = Some("é".into())).unwrap();
    let french = Collation::ignoring_case("fr").unwrap();
    let by = |order| app.city.order_by((order, City::NAME.asc())).keys().unwrap();
    assert_eq!(by(City::ALSO.asc_in(&french)), [2, 1, 0]);
    assert_eq!(by(City::ALSO.desc_in(&french)), [1, 0, 2]);
}

#[test]
fn what_is_not_a_tag_is_refused() {
    for tag in ["", "german!", "de_DE.UTF-8", "ß"] {
        let error = refused(Collation::new(tag));
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{tag}");
        assert!(error.to_string().contains("BCP 47"), "{error}");
    }
}

#[test]
fn a_watch_keeps_the_order() {
    let app = atlas(&["Zug"]);
    let german = Collation::new("de").unwrap();
    let watch = app.city.order_by(City::NAME.asc_in(&german)).watch().unwrap();
    watch.recv().unwrap();
    app.city.insert(&City { id: 7, name: "Äsch".into(), also: None }).unwrap();
    let delta = watch.recv().unwrap();
    assert_eq!(delta.inserted().iter().map(|it| it.position()).collect::<Vec<_>>(), [0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn pages_have_each_row_once_and_in_order(names in prop::collection::vec("[aAäÄbBzZ é\u{0}]{0,3}", 1..20)) {
        let app = atlas(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let german = Collation::new("de").unwrap();
        let query = app.city.order_by(City::NAME.desc_in(&german));
        let all = query.all().unwrap();
        prop_assert_eq!(all.len(), names.len());
        let (mut seen, mut page) = (Vec::new(), query.clone().limit(3).all().unwrap());
        while let Some(last) = page.last().cloned() {
            seen.append(&mut page);
            page = query.clone().after(&last).limit(3).all().unwrap();
        }
        prop_assert_eq!(&seen, &all);
        let before = query.clone().before(&all[all.len() - 1]).all().unwrap();
        prop_assert_eq!(&before[..], &all[..all.len() - 1]);
    }
}
