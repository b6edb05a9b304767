//! Enums and other choices.

macro_rules! unit_enum {
    ($($(#[$meta:meta])* $variant:ident),*) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { $($(#[$meta])* $variant),* }
    };
}

/// Two variants with data, tagged so.
macro_rules! shape_enum {
    ($(#[$tagging:meta])?) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        $(#[$tagging])?
        pub enum Shape { Dot { x: u8 }, Line { from: u8, to: u8 } }
    };
}

case! {
    add_variant: [41], Breaking by "variant-added",
    old { pub status: Status, } with { unit_enum!(Open, Done); } rows [{ "status": "Open" }]
    new { pub status: Status, } with { unit_enum!(Open, Done, Late); } rows [{ "status": "Late" }]
}

case! {
    add_variant_to_open: [42], Additive by "variant-added-to-open",
    old { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, #[serde(untagged)] Other(String) }
    }
    rows [{ "status": "Open" }, { "status": "else" }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, Late, #[serde(untagged)] Other(String) }
    }
    rows [{ "status": "Late" }, { "status": "else" }]
}

case! {
    add_variant_with_data_to_open: [42], Additive by "variant-added-to-open",
    old { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done { at: u32 }, #[serde(untagged)] Other(serde_json::Value) }
    }
    rows [{ "status": "Open" }, { "status": { "Done": { "at": 1 } } }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status {
            Open,
            Done { at: u32 },
            Late { by: u32 },
            #[serde(untagged)]
            Other(serde_json::Value),
        }
    }
    rows [{ "status": { "Late": { "by": 1 } } }, { "status": { "Done": { "at": 1 } } }]
}

case! {
    add_variant_to_open_type: [42], Additive by "variant-added-to-open",
    old { pub status: Open<Status>, } with { unit_enum!(Ready, Done); }
    rows [{ "status": "Ready" }]
    new { pub status: Open<Status>, } with { unit_enum!(Ready, Done, Late); }
    rows [{ "status": "Late" }]
}

case! {
    add_variant_with_data_to_open_type: [42], Additive by "variant-added-to-open",
    old { pub status: Vec<Open<Status>>, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Status { Ready, Done { at: u32 } }
    }
    rows [{ "status": [{ "kind": "Ready" }] }, { "status": [{ "kind": "Done", "at": 1 }] }]
    new { pub status: Vec<Open<Status>>, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Status { Ready, Done { at: u32 }, Late { by: u32 } }
    }
    rows [{ "status": [{ "kind": "Late", "by": 1 }] }, { "status": [{ "kind": "Done", "at": 1 }] }]
}

case! {
    remove_variant_from_open_type: [44], Additive by "variant-removed-from-open",
    old { pub status: Open<Status>, } with { unit_enum!(Ready, Done, Late); }
    rows [{ "status": "Late" }]
    new { pub status: Open<Status>, } with { unit_enum!(Ready, Done); }
    rows [{ "status": "Done" }]
}

case! {
    /// New code keeps and writes what a later version has added, which old code does not read.
    open_an_enum: [41, 59], Breaking by "enum-opened",
    old { pub status: Status, } with { unit_enum!(Ready, Done); } rows [{ "status": "Ready" }]
    new { pub status: Open<Status>, } with { unit_enum!(Ready, Done); }
    rows [{ "status": "Done" }, { "status": "Late" }]
}

case! {
    close_an_enum: [44], Breaking by "enum-closed",
    old { pub status: Open<Status>, } with { unit_enum!(Ready, Done); }
    rows [{ "status": "Ready" }, { "status": "Late" }]
    new { pub status: Status, } with { unit_enum!(Ready, Done); } rows [{ "status": "Done" }]
}

case! {
    /// Row 43, a catch-all that drops the raw value, cannot be told from an ordinary variant by its
    /// JSON Schema, so the lint takes it for one and is stricter than need be: the row reads as
    /// another value, which is written only where old code changes this very field.
    add_variant_to_erasing: [43], Breaking not Warn by "variant-added",
    old { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, #[serde(other)] Other }
    }
    rows [{ "status": "Open" }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, Late, #[serde(other)] Other }
    }
    rows [{ "status": "Late" }]
}

case! {
    remove_variant: [44], Breaking by "variant-removed",
    old { pub status: Status, } with { unit_enum!(Open, Done, Late); } rows [{ "status": "Late" }]
    new { pub status: Status, } with { unit_enum!(Open, Done); } rows [{ "status": "Open" }]
}

case! {
    remove_variant_of_open: [44], Additive by "variant-removed-from-open",
    old { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, Late, #[serde(untagged)] Other(String) }
    }
    rows [{ "status": "Late" }, { "status": "else" }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, #[serde(untagged)] Other(String) }
    }
    rows [{ "status": "Late" }, { "status": "Done" }]
}

case! {
    /// New code may keep, and so write, a text that the closed enum does not read.
    add_catch_all: [41, 42], Breaking by "enum-opened",
    old { pub status: Status, } with { unit_enum!(Open, Done); } rows [{ "status": "Open" }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, #[serde(untagged)] Other(String) }
    }
    rows [{ "status": "else" }]
}

case! {
    rename_variant: [45], Breaking by "variant-renamed",
    old { pub status: Status, } with { unit_enum!(Open, Done); } rows [{ "status": "Done" }]
    new { pub status: Status, } with { unit_enum!(Open, Closed); } rows [{ "status": "Closed" }]
}

case! {
    retag_internally: [47], Breaking by "tagging-changed",
    old { pub shape: Shape, }
    with { shape_enum!(); }
    rows [{ "shape": { "Dot": { "x": 1 } } }]
    new { pub shape: Shape, }
    with { shape_enum!(#[serde(tag = "kind")]); }
    rows [{ "shape": { "kind": "Dot", "x": 1 } }]
}

case! {
    retag_adjacently: [47], Breaking by "tagging-changed",
    old { pub shape: Shape, }
    with { shape_enum!(#[serde(tag = "kind")]); }
    rows [{ "shape": { "kind": "Dot", "x": 1 } }]
    new { pub shape: Shape, }
    with { shape_enum!(#[serde(tag = "kind", content = "data")]); }
    rows [{ "shape": { "kind": "Dot", "data": { "x": 1 } } }]
}

case! {
    untag: [47], Breaking by "tagging-changed",
    old { pub shape: Shape, }
    with { shape_enum!(); }
    rows [{ "shape": { "Dot": { "x": 1 } } }]
    new { pub shape: Shape, }
    with { shape_enum!(#[serde(untagged)]); }
    rows [{ "shape": { "x": 1 } }]
}

case! {
    rename_the_tag: [47], Breaking by "tagging-changed",
    old { pub shape: Shape, }
    with { shape_enum!(#[serde(tag = "kind")]); }
    rows [{ "shape": { "kind": "Dot", "x": 1 } }]
    new { pub shape: Shape, }
    with { shape_enum!(#[serde(tag = "type")]); }
    rows [{ "shape": { "type": "Dot", "x": 1 } }]
}

case! {
    give_a_variant_data: [48], Breaking by "variant-form-changed",
    old { pub status: Status, } with { unit_enum!(Open, Done); } rows [{ "status": "Done" }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done { at: u32 } }
    }
    rows [{ "status": { "Done": { "at": 1 } } }]
}

case! {
    add_optional_to_a_variant: [49], Additive by "field-added-optional",
    old { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done { at: u32 } }
    }
    rows [{ "status": { "Done": { "at": 1 } } }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done { at: u32, by: Option<String> } }
    }
    rows [{ "status": { "Done": { "at": 1, "by": "me" } } }]
    edit |row| row.status = match row.status.clone() {
        old::Status::Done { at } => old::Status::Done { at: at + 1 },
        other => other,
    };
}

case! {
    add_optional_to_a_tagged_variant: [49], Additive by "field-added-optional",
    old { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Status { Open, Done { at: u32 } }
    }
    rows [{ "status": { "kind": "Done", "at": 1 } }, { "status": { "kind": "Open" } }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Status { Open { by: Option<String> }, Done { at: u32, by: Option<String> } }
    }
    rows [
        { "status": { "kind": "Done", "at": 1, "by": "me" } },
        { "status": { "kind": "Open", "by": "me" } }
    ]
    edit |row| if let old::Status::Done { at } = &mut row.status { *at += 1 };
}

case! {
    text_to_enum: [50], Breaking by "text-to-enum",
    old { pub status: String, } rows [{ "status": "Open" }, { "status": "else" }]
    new { pub status: Status, } with { unit_enum!(Open, Done); } rows [{ "status": "Open" }]
}

case! {
    enum_to_text: [51], Breaking by "enum-to-text",
    old { pub status: Status, } with { unit_enum!(Open, Done); } rows [{ "status": "Open" }]
    new { pub status: String, } rows [{ "status": "Open" }, { "status": "else" }]
}

case! {
    text_to_open_enum: [50, 42], Additive by "variant-added-to-open",
    old { pub status: String, } rows [{ "status": "Open" }, { "status": "else" }]
    new { pub status: Status, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Status { Open, Done, #[serde(untagged)] Other(String) }
    }
    rows [{ "status": "Open" }, { "status": "else" }]
}

case! {
    add_member: [52], Breaking by "member-added",
    old { pub value: Value, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(untagged)]
        pub enum Value { N(u8), B(bool) }
    }
    rows [{ "value": 1 }, { "value": true }]
    new { pub value: Value, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(untagged)]
        pub enum Value { N(u8), B(bool), L(Vec<u8>) }
    }
    rows [{ "value": [1] }]
}

case! {
    remove_member: [52], Breaking by "member-removed",
    old { pub value: Value, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(untagged)]
        pub enum Value { N(u8), B(bool), L(Vec<u8>) }
    }
    rows [{ "value": [1] }]
    new { pub value: Value, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(untagged)]
        pub enum Value { N(u8), B(bool) }
    }
    rows [{ "value": 1 }]
}

mod reorder {
    mod old {
        use crate::catalogue::prelude::*;
        unit_enum!(Open, Done);
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows")]
        pub struct Row {
            #[key]
            pub id: u32,
            pub status: Status,
        }
        #[derive(Store)]
        #[store(name = "catalogue")]
        pub struct App {
            pub rows: Table<Row>,
        }
    }
    mod new {
        use crate::catalogue::prelude::*;
        unit_enum!(Done, /** The first. */ Open);
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows")]
        pub struct Row {
            #[key]
            pub id: u32,
            pub status: Status,
        }
        #[derive(Store)]
        #[store(name = "catalogue")]
        pub struct App {
            pub rows: Table<Row>,
        }
    }

    /// Rows 46 and 77: variants are written by name, in whatever order and however documented.
    #[test]
    fn the_order_of_variants_is_no_change() {
        let diff = old::App::schema().diff(&new::App::schema());
        assert!(diff.is_empty(), "{diff}");
        let row = r#"{"id":1,"status":"Open"}"#;
        assert_eq!(
            crate::catalogue::proof::view::<old::Row>(row),
            crate::catalogue::proof::view::<new::Row>(row)
        );
    }
}
