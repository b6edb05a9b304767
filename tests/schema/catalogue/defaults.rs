//! Options, nulls and what fills a field that is absent.

case! {
    optional_to_required: [16, 63], Breaking by "optional-to-required",
    old { pub n: Option<u8>, } rows [{ "n": 1 }, { "n": null }, {}]
    new { pub n: u8, } rows [{ "n": 1 }]
}

case! {
    /// The catalogue's `default` holds where `null` reads as the default. Here `null` is a value,
    /// which old code writes for every `None`.
    optional_to_required_with_default: [17, 20], Breaking by "optional-to-default",
    old { pub n: Option<u8>, } rows [{ "n": 1 }, { "n": null }, {}]
    new { #[evolve(default)] pub n: u8, } rows [{ "n": 1 }]
}

case! {
    required_to_optional: [18, 63], Breaking by "required-to-optional",
    old { pub n: u8, } rows [{ "n": 1 }]
    new { pub n: Option<u8>, } rows [{ "n": 1 }, { "n": null }]
}

case! {
    /// The catalogue's `default` holds where new code leaves a `None` out. It writes `null`.
    required_with_default_to_optional: [18, 19], Breaking by "null-allowed",
    old { #[evolve(default)] pub n: u8, } rows [{ "n": 1 }, {}]
    new { pub n: Option<u8>, } rows [{ "n": 1 }, { "n": null }]
}

case! {
    allow_null_inside: [19], Breaking by "required-to-optional",
    old { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: u8 }
    }
    rows [{ "inner": { "n": 1 } }]
    new { pub inner: Inner, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        pub struct Inner { pub n: Option<u8> }
    }
    rows [{ "inner": { "n": 1 } }, { "inner": { "n": null } }]
}

case! {
    refuse_null_of_values: [20], Breaking by "null-refused",
    old { pub by_day: BTreeMap<String, Option<u8>>, } rows [{ "by_day": { "mon": null } }]
    new { pub by_day: BTreeMap<String, u8>, } rows [{ "by_day": { "mon": 1 } }]
}

case! {
    allow_null_in_a_list: [36], Breaking by "null-allowed",
    old { pub tags: Vec<u8>, } rows [{ "tags": [1] }]
    new { pub tags: Vec<Option<u8>>, } rows [{ "tags": [1, null] }]
}

case! {
    tell_null_from_absent: [21], Warn by "null-and-absent",
    old { pub n: Option<u8>, } rows [{ "n": 1 }, { "n": null }, {}]
    new { pub n: Option<Option<u8>>, } rows [{ "n": 1 }, { "n": null }, {}]
}

case! {
    change_default: [22], Warn by "default-changed",
    old { #[evolve(default = 1)] pub n: u8, } rows [{ "n": 1 }, {}]
    new { #[evolve(default = 2)] pub n: u8, } rows [{ "n": 1 }, {}]
}

case! {
    change_default_of_an_option: [22], Warn by "default-changed",
    old { pub n: Option<u8>, } rows [{ "n": 1 }, {}]
    new { #[evolve(default = Some(2))] pub n: Option<u8>, } rows [{ "n": 1 }, {}]
}

case! {
    compute_default_otherwise: [22], Warn by "default-changed",
    old { #[evolve(default = |title| title.len() as u32)] pub n: u32, } rows [{}]
    new { #[evolve(default = |title| title.len() as u32 + 1)] pub n: u32, } rows [{}]
}

case! {
    add_default: [23], Additive by "default-added",
    old { pub n: u8, } rows [{ "n": 1 }]
    new { #[evolve(default = 2)] pub n: u8, } rows [{ "n": 1 }]
}

case! {
    remove_default: [24], Breaking by "default-removed",
    old { #[evolve(default = 2)] pub n: u8, } rows [{ "n": 1 }, {}]
    new { pub n: u8, } rows [{ "n": 1 }]
}

case! {
    unstable_default: [25], Error by "default-unstable",
    old { pub n: u64, } rows [{ "n": 1 }]
    new { #[evolve(default)] pub n: Ticks, }
    with {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct Ticks(pub u64);
        impl Default for Ticks {
            fn default() -> Self {
                static TICKS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
                Self(TICKS.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            }
        }
    }
    rows [{ "n": 1 }]
}
