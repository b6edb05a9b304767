//! Versions of one app, some of which keep a history file.

/// Declares a version of the app as a module of its own, with these fields beside key and title.
macro_rules! version {
    ($name:ident $(($history:literal))?: $($field:tt)*) => {
        pub mod $name {
            use heirloom::{Store, Table};
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "songs")]
            pub struct Song {
                #[key]
                pub id: u32,
                pub title: String,
                $($field)*
            }

            #[derive(Store)]
            #[store(name = "player" $(, history = $history)?)]
            pub struct App {
                pub songs: Table<Song>,
            }

            /// A song with nothing but a title.
            pub fn song(id: u32) -> Song {
                serde_json::from_value(serde_json::json!({
                    "id": id, "title": format!("song {id}"), "stars": null, "genre": "", "length": 0,
                }))
                .unwrap()
            }
        }
    };
}

version!(first:);
version!(second: pub stars: Option<u8>,);
version!(third:
    pub stars: Option<u8>,
    #[evolve(default)]
    pub genre: String,
);
// Made from the first, and unknown to the others.
version!(branch:
    #[evolve(default)]
    pub length: u32,
);
// A version that none with stars can live with.
version!(retyped: pub stars: Option<String>,);

// The same, of a developer who records them.
version!(recorded_first("fixtures/history/first.json"):);
version!(recorded_second("fixtures/history/second.json"): pub stars: Option<u8>,);
version!(recorded_third("fixtures/history/third.json"):
    pub stars: Option<u8>,
    #[evolve(default)]
    pub genre: String,
);
version!(recorded_branch("fixtures/history/branch.json"):
    #[evolve(default)]
    pub length: u32,
);
