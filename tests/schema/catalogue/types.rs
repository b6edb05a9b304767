//! Values of another type.

case! {
    widen_integer: [26], Breaking by "number-widened",
    old { pub n: i32, } rows [{ "n": 1 }]
    new { pub n: i64, } rows [{ "n": 1 }, { "n": 3_000_000_000_i64 }]
}

case! {
    widen_small_integer: [26], Breaking by "number-widened",
    old { pub n: u8, } rows [{ "n": 1 }]
    new { pub n: u16, } rows [{ "n": 300 }]
}

case! {
    /// Old code reads an infinity, and cannot write the row back.
    widen_float: [26], Breaking by "number-widened",
    old { pub n: f32, } rows [{ "n": 1.5 }]
    new { pub n: f64, } rows [{ "n": 1.5 }, { "n": 1e300 }]
}

case! {
    narrow_integer: [27], Breaking by "number-narrowed",
    old { pub n: i64, } rows [{ "n": 1 }, { "n": 3_000_000_000_i64 }]
    new { pub n: i32, } rows [{ "n": 1 }]
}

case! {
    lose_the_sign: [27], Breaking by "number-narrowed",
    old { pub n: i32, } rows [{ "n": -1 }]
    new { pub n: u32, } rows [{ "n": 3_000_000_000_u32 }]
}

case! {
    refuse_zero: [27, 54], Breaking by "number-narrowed",
    old { pub n: u8, } rows [{ "n": 0 }]
    new { pub n: std::num::NonZeroU8, } rows [{ "n": 1 }]
}

case! {
    allow_zero: [26, 53], Breaking by "number-widened",
    old { pub n: std::num::NonZeroI8, } rows [{ "n": 1 }]
    new { pub n: i8, } rows [{ "n": 0 }]
}

case! {
    integer_to_float: [28], Breaking by "integer-to-float",
    old { pub n: i32, } rows [{ "n": 1 }]
    new { pub n: f64, } rows [{ "n": 1.0 }, { "n": 1.5 }]
}

case! {
    float_to_integer: [29], Breaking by "float-to-integer",
    old { pub n: f64, } rows [{ "n": 1.0 }, { "n": 1.5 }]
    new { pub n: i32, } rows [{ "n": 1 }]
}

case! {
    number_to_text: [31], Breaking by "type-changed",
    old { pub n: u8, } rows [{ "n": 1 }]
    new { pub n: String, } rows [{ "n": "1" }]
}

case! {
    boolean_to_integer: [32], Breaking by "type-changed",
    old { pub n: bool, } rows [{ "n": true }]
    new { pub n: u8, } rows [{ "n": 1 }]
}

case! {
    boolean_to_enum: [32], Breaking by "type-changed",
    old { pub n: bool, } rows [{ "n": true }]
    new { pub n: Done, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub enum Done { Yes, No }
    }
    rows [{ "n": "Yes" }]
}

case! {
    text_to_bytes: [33], Breaking by "type-changed",
    old { pub n: String, } rows [{ "n": "a" }]
    new { pub n: Vec<u8>, } rows [{ "n": [97] }]
}

case! {
    text_to_uuid: [31, 54], Breaking by "type-changed",
    old { pub n: String, } rows [{ "n": "a" }]
    new { pub n: uuid::Uuid, } rows [{ "n": "67e55044-10b1-426f-9247-bb680e5fe0c8" }]
}

case! {
    text_to_char: [54], Breaking by "type-changed",
    old { pub n: String, } rows [{ "n": "ab" }]
    new { pub n: char, } rows [{ "n": "a" }]
}

case! {
    char_to_text: [53], Breaking by "type-changed",
    old { pub n: char, } rows [{ "n": "a" }]
    new { pub n: String, } rows [{ "n": "ab" }]
}

case! {
    wrap: [34], Breaking by "wrapped-in-list",
    old { pub tag: String, } rows [{ "tag": "a" }]
    new { pub tag: Vec<String>, } rows [{ "tag": ["a", "b"] }]
}

case! {
    unwrap: [35], Breaking by "unwrapped-from-list",
    old { pub tag: Vec<String>, } rows [{ "tag": ["a", "b"] }]
    new { pub tag: String, } rows [{ "tag": "a" }]
}

case! {
    change_items: [37], Breaking by "type-changed",
    old { pub tags: Vec<String>, } rows [{ "tags": ["a"] }]
    new { pub tags: Vec<u8>, } rows [{ "tags": [1] }]
}

case! {
    list_to_set: [38], Breaking by "list-and-set",
    old { pub tags: Vec<String>, } rows [{ "tags": ["a", "a"] }]
    new { pub tags: BTreeSet<String>, } rows [{ "tags": ["a"] }]
}

case! {
    set_to_list: [38], Breaking by "list-and-set",
    old { pub tags: BTreeSet<String>, } rows [{ "tags": ["a"] }]
    new { pub tags: Vec<String>, } rows [{ "tags": ["b", "a", "a"] }]
    edit |row| _ = row.tags.insert("c".into());
}

case! {
    change_values_of_a_map: [39], Breaking by "type-changed",
    old { pub by_day: BTreeMap<String, u8>, } rows [{ "by_day": { "mon": 1 } }]
    new { pub by_day: BTreeMap<String, String>, } rows [{ "by_day": { "mon": "one" } }]
}

case! {
    change_keys_of_a_map: [39], Breaking by "map-keys-changed",
    old { pub by_day: BTreeMap<u32, u8>, } rows [{ "by_day": { "1": 1 } }]
    new { pub by_day: BTreeMap<String, u8>, } rows [{ "by_day": { "mon": 1 } }]
}

case! {
    lengthen_tuple: [40], Breaking by "tuple-changed",
    old { pub at: (f64, f64), } rows [{ "at": [1.5, 2.5] }]
    new { pub at: (f64, f64, f64), } rows [{ "at": [1.5, 2.5, 3.5] }]
}

case! {
    reorder_tuple: [40], Breaking by "type-changed",
    old { pub at: (u8, String), } rows [{ "at": [1, "a"] }]
    new { pub at: (String, u8), } rows [{ "at": ["a", 1] }]
}

case! {
    struct_to_map: [31, 39], Breaking by "type-changed",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
    new { pub inner: BTreeMap<String, u8>, } rows [{ "inner": { "m": 1 } }]
}

case! {
    anything_to_text: [31], Breaking by "type-changed",
    old { pub n: serde_json::Value, } rows [{ "n": [1] }]
    new { pub n: String, } rows [{ "n": "a" }]
}

case! {
    refer_to_another_table: [62], Breaking by "reference-changed",
    old { pub of: Id<Tag>, }
    with {
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "tags")]
        pub struct Tag { pub id: Id<Tag> }
    }
    rows [{ "of": "tags_01h455vb4pex5vsknk084sn02q" }]
    new { pub of: Id<Label>, }
    with {
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "labels")]
        pub struct Label { pub id: Id<Label> }
    }
    rows [{ "of": "labels_01h455vb4pex5vsknk084sn02q" }]
}

case! {
    /// The types of a recursive value are compared once, and the change inside is found.
    deep_in_a_tree: [6, 49], Breaking by "field-added-required",
    old { pub tree: Node, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Node { pub kids: Vec<Node> }
    }
    rows [{ "tree": { "kids": [{ "kids": [] }] } }]
    new { pub tree: Node, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Node { pub kids: Vec<Node>, pub n: u8 }
    }
    rows [{ "tree": { "kids": [{ "kids": [], "n": 1 }], "n": 1 } }]
}
