//! Fields that come, go and take other names, in rows and in the structs inside them.

case! {
    add_optional: [4], Additive by "field-added-optional",
    old {} rows [{}]
    new { pub note: Option<String>, } rows [{ "note": "n" }, { "note": null }, {}]
}

case! {
    add_with_default: [5], Default by "field-added-with-default",
    old {} rows [{}]
    new { #[evolve(default = 7)] pub rank: u8, } rows [{ "rank": 1 }, {}]
}

case! {
    add_computed: [5], Default by "field-added-with-default",
    old {} rows [{}]
    new { #[evolve(default = |title| title.len() as u32)] pub length: u32, } rows [{ "length": 1 }]
}

case! {
    add_required: [6], Breaking by "field-added-required",
    old {} rows [{}]
    new { pub rank: u8, } rows [{ "rank": 1 }]
}

case! {
    remove_optional: [7], Warn by "field-removed",
    old { pub note: Option<String>, } rows [{ "note": "n" }, { "note": null }]
    new {} rows [{}]
    edit |row| row.note = Some("again".into());
}

case! {
    remove_with_default: [7], Warn by "field-removed",
    old { #[evolve(default = 7)] pub rank: u8, } rows [{ "rank": 1 }]
    new {} rows [{}]
}

case! {
    remove_required: [8], Breaking by "field-removed-required",
    old { pub rank: u8, } rows [{ "rank": 1 }]
    new {} rows [{}]
}

case! {
    rename_required: [11], Breaking by "field-renamed",
    old { pub rank: u8, } rows [{ "rank": 1 }]
    new { pub place: u8, } rows [{ "place": 1 }]
}

case! {
    /// New code reads both names and writes the new one, which old code does not know.
    rename_with_alias: [12, 13], Breaking by "field-renamed-with-alias",
    old { pub rank: u8, } rows [{ "rank": 1 }]
    new { #[serde(alias = "rank")] pub place: u8, } rows [{ "place": 1 }, { "rank": 1 }]
}

case! {
    add_alias: [12], Additive by "alias-added",
    old { pub place: u8, } rows [{ "place": 1 }]
    new { #[serde(alias = "rank")] pub place: u8, } rows [{ "place": 1 }]
}

case! {
    remove_alias: [12], Breaking by "alias-removed",
    old { #[serde(alias = "rank")] pub place: u8, } rows [{ "place": 1 }, { "rank": 1 }]
    new { pub place: u8, } rows [{ "place": 1 }]
}

case! {
    /// A row of old code has both names, which new code takes for one field written twice.
    alias_of_a_field_in_use: [12], Breaking by "alias-of-two-fields",
    old { pub place: Option<u8>, pub rank: Option<u8>, } rows [{ "place": 1, "rank": 2 }]
    new { #[serde(alias = "rank")] pub place: Option<u8>, } rows [{ "place": 1 }]
}

mod rename_in_code {
    mod old {
        use crate::catalogue::prelude::*;
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows")]
        pub struct Row {
            #[key]
            pub id: u32,
            pub rank: u8,
        }
        #[derive(Store)]
        #[store(name = "catalogue")]
        pub struct App {
            pub rows: Table<Row>,
        }
    }
    mod new {
        use crate::catalogue::prelude::*;
        /// Documented since.
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows")]
        pub struct Entry {
            /// Written in another order.
            #[serde(rename = "rank")]
            pub place: Rank,
            #[key]
            pub id: u32,
        }
        type Rank = u8;
        #[derive(Store)]
        #[store(name = "catalogue")]
        pub struct App {
            pub rows: Table<Entry>,
        }
    }

    /// Rows 14, 77 and 78: names in code, docs and the order of fields are nothing.
    #[test]
    fn what_is_not_stored_is_no_change() {
        let diff = old::App::schema().diff(&new::App::schema());
        assert!(diff.is_empty(), "{diff}");
        let row = r#"{"id":1,"rank":2}"#;
        assert!(crate::catalogue::proof::view::<new::Entry>(row).is_ok());
        assert!(crate::catalogue::proof::view::<old::Row>(row).is_ok());
    }
}

case! {
    change_case_of_all_names: [15], Breaking by "field-case-changed",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub first_name: String, pub last_name: String }
    }
    rows [{ "inner": { "first_name": "a", "last_name": "b" } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct Inner { pub first_name: String, pub last_name: String }
    }
    rows [{ "inner": { "firstName": "a", "lastName": "b" } }]
}

case! {
    add_optional_inside: [4, 49], Additive by "field-added-optional",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8, pub note: Option<String> }
    }
    rows [{ "inner": { "n": 1, "note": "n" } }]
    edit |row| row.inner.n = 9;
}

case! {
    add_default_inside: [5, 49], Default by "field-added-with-default",
    old { pub inner: BTreeMap<String, Inner>, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "a": { "n": 1 } } }]
    new { pub inner: BTreeMap<String, Inner>, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8, #[serde(default)] pub m: u8 }
    }
    rows [{ "inner": { "a": { "n": 1, "m": 2 } } }]
    edit |row| row.inner.values_mut().for_each(|inner| inner.n = 9);
}

case! {
    add_required_inside: [6, 49], Breaking by "field-added-required",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8, pub m: u8 }
    }
    rows [{ "inner": { "n": 1, "m": 2 } }]
}

case! {
    /// Lists are written element by element: old code that edits one keeps the new field in it.
    add_optional_in_a_list: [4, 49], Additive by "field-added-optional",
    old { pub inner: Vec<Inner>, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": [{ "n": 1 }, { "n": 2 }] }]
    new { pub inner: Vec<Inner>, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8, pub note: Option<String> }
    }
    rows [{ "inner": [{ "n": 1, "note": "a" }, { "n": 2, "note": "b" }] }]
    edit |row| row.inner[0].n = 9;
}

case! {
    remove_optional_inside: [7, 49], Warn by "field-removed",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8, pub note: Option<String> }
    }
    rows [{ "inner": { "n": 1, "note": "n" } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
}

case! {
    close_a_struct: [58], Error by "object-closed",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1, "of newer code": 2 } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
}

case! {
    /// The catalogue has it additive only if all versions are open: a third version that adds a
    /// field is safe for the second, and writes rows that the first refuses.
    open_a_struct: [59], Breaking by "object-opened",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1, "of newer code": 2 } }]
}

case! {
    add_to_a_closed_struct: [58], Breaking by "field-of-closed-object",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Inner { pub n: u8, pub note: Option<String> }
    }
    rows [{ "inner": { "n": 1, "note": "n" } }]
}
