//! Limits on values. What serde does not enforce makes rows that old code did not expect; what a
//! type enforces when it is read makes invalid rows.

case! {
    loosen: [53], Warn by "limit-loosened",
    old { #[schemars(range(max = 10))] pub n: u8, } rows [{ "n": 10 }]
    new { #[schemars(range(max = 20))] pub n: u8, } rows [{ "n": 20 }]
    expects |row| row.n <= 10;
}

case! {
    tighten_what_is_enforced: [54], Breaking by "limit-tightened",
    old { pub n: Small, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct Small(#[schemars(range(max = 20))] pub u8);
    }
    rows [{ "n": 20 }]
    new { pub n: Small, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "u8")]
        #[schemars(!try_from)]
        pub struct Small(#[schemars(range(max = 10))] pub u8);
        impl TryFrom<u8> for Small {
            type Error = String;
            fn try_from(n: u8) -> Result<Self, String> {
                if n <= 10 { Ok(Self(n)) } else { Err(format!("{n} is beyond 10")) }
            }
        }
    }
    rows [{ "n": 10 }]
}

case! {
    change_pattern: [55], Warn by "pattern-changed",
    old { #[schemars(regex(pattern = "^a"))] pub code: String, } rows [{ "code": "a" }]
    new { #[schemars(regex(pattern = "^b"))] pub code: String, } rows [{ "code": "b" }]
    expects |row| row.code.starts_with('a');
}

case! {
    lengthen: [53], Warn by "limit-loosened",
    old { #[schemars(length(max = 2))] pub tags: Vec<u8>, } rows [{ "tags": [1] }]
    new { #[schemars(length(max = 3))] pub tags: Vec<u8>, } rows [{ "tags": [1, 2, 3] }]
    expects |row| row.tags.len() <= 2;
}
