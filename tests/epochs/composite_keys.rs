//! Keys of several fields through migrations: tables that are renamed, keys that become one of several
//! fields, late edits and the quarantine.

use crate::support::{assert_sound, give, refused, rows};
use heirloom::migration::OnInvalid;
use heirloom::{ErrorKind, Id, Key, Ref, Row};

mod v0 {
    use heirloom::{Id, Ref, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "groups")]
    pub struct Group {
        pub id: Id<Group>,
        pub name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "members", key(group, person))]
    pub struct Member {
        pub group: Ref<Group>,
        pub person: String,
        pub role: String,
    }

    /// Its key becomes one of several fields.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "words")]
    pub struct Word {
        #[key]
        pub word: String,
        pub language: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "club")]
    pub struct Club {
        pub groups: Table<Group>,
        pub members: Table<Member>,
        pub words: Table<Word>,
    }
}

mod v1 {
    use super::v0;
    use heirloom::{Id, Ref, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "teams", previous = v0::Group)]
    pub struct Team {
        pub id: Id<Team>,
        pub name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "players", key(team, person), previous = v0::Member)]
    pub struct Player {
        #[evolve(renamed_from = "group")]
        pub team: Ref<Team>,
        pub person: String,
        #[evolve(with = |role| role.parse::<u8>().unwrap_or(9))]
        pub rank: u8,
        #[evolve(with = |role| role == "lead")]
        pub leads: bool,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "words", key(language, word), previous = v0::Word, try_from)]
    pub struct Word {
        pub word: String,
        pub language: String,
    }

    impl TryFrom<v0::Word> for Word {
        type Error = String;

        fn try_from(v0::Word { word, language }: v0::Word) -> Result<Self, String> {
            match language.as_str() {
                "" => Err("it has no language".to_owned()),
                _ => Ok(Self { word, language }),
            }
        }
    }

    #[derive(Debug, Store)]
    #[store(name = "club", epoch = 1, previous = v0::Club)]
    pub struct Club {
        pub teams: Table<Team>,
        pub players: Table<Player>,
        pub words: Table<Word>,
    }
}

fn member(group: Id<v0::Group>, person: &str, role: &str) -> v0::Member {
    v0::Member { group: group.into(), person: person.into(), role: role.into() }
}

fn word(language: &str, word: &str) -> v0::Word {
    v0::Word { word: word.into(), language: language.into() }
}

#[test]
fn keys_follow_the_names_of_tables_and_late_edits_find_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a.redb"), folder.path().join("b.redb"));
    let group = v0::Group { id: Id::new(), name: "chess".into() };
    let (a, b) = (v0::Club::open(&first).unwrap(), v0::Club::open(&second).unwrap());
    a.groups.insert(&group).unwrap();
    a.members.insert_many([member(group.id, "ada", "lead"), member(group.id, "bob", "2")]).unwrap();
    a.words.insert_many([word("de", "Haus"), word("en", "house")]).unwrap();
    give(&a, &b);
    drop(a);
    let a = v1::Club::open(&first).unwrap();
    let team: Ref<v1::Team> = group.id.cast().into();
    let key = (team, "bob".to_owned());
    assert_eq!(a.players.get(&key).unwrap().unwrap().rank, 2);
    assert!(a.players.get(&(team, "ada")).unwrap().unwrap().leads);
    assert!(a.words.contains(&("de", "Haus")).unwrap());

    // The other device goes on with the older code, and its edits find the rows.
    b.members.update(&(group.id.into(), "bob"), |member| member.role = "1".into()).unwrap();
    assert!(b.members.remove(&(Ref::to(&group), "ada")).unwrap());
    b.members.insert(&member(group.id, "eve", "3")).unwrap();
    b.words.update("house", |word| word.language = "nl".into()).unwrap();
    b.words.insert(&word("", "?")).unwrap();
    give(&b, &a);
    assert_eq!(a.players.get(&key).unwrap().unwrap().rank, 1);
    assert!(!a.players.contains(&(team, "ada")).unwrap());
    let people: Vec<String> = rows(&a.players).into_iter().map(|player| player.person).collect();
    assert_eq!(people, ["bob", "eve"]);
    assert!(a.words.contains(&("nl", "house")).unwrap());
    let kept = a.quarantine().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!((kept[0].table(), kept[0].key()), (Some("words"), "?"));

    drop(b);
    let b = v1::Club::open(&second).unwrap();
    for _ in 0..3 {
        give(&a, &b);
        give(&b, &a);
    }
    assert_eq!(rows(&a.players), rows(&b.players));
    assert_eq!(rows(&a.words), rows(&b.words));
    assert_eq!(
        a.players.get(&key).unwrap().unwrap().key().to_text(),
        format!("[\"{team}\",\"bob\"]")
    );
    drop((a, b));
    assert_sound::<v1::Club>(&first);
    assert_sound::<v1::Club>(&second);
}

#[test]
fn what_cannot_be_converted_names_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    v0::Club::open(&path).unwrap().words.insert(&word("", "Haus")).unwrap();
    let refused = refused(v1::Club::builder().on_invalid(OnInvalid::Fail).open(&path));
    assert_eq!((refused.kind(), refused.key()), (ErrorKind::Migration, Some("Haus")), "{refused}");
    let app = v1::Club::open(&path).unwrap();
    assert!(app.words.is_empty().unwrap());
    assert_eq!(app.quarantine().unwrap()[0].key(), "Haus");
}

#[test]
fn a_rebuild_keeps_the_rows_and_later_code_declares_the_table() {
    #[derive(heirloom::Store)]
    #[store(name = "club")]
    struct Before {
        groups: heirloom::Table<v0::Group>,
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.redb");
    let group = v0::Group { id: Id::new(), name: "chess".into() };
    let other = v0::Club::in_memory().unwrap();
    other.groups.insert(&group).unwrap();
    other
        .members
        .insert_many(["a", "", "\0", "a\0", "\u{1}\""].map(|p| member(group.id, p, "")))
        .unwrap();
    // Under the texts of its keys, until some code declares the table.
    let before = Before::open(&path).unwrap();
    give(&other, &before);
    assert_eq!(before.groups.len().unwrap(), 1);
    drop(before);
    let app = v0::Club::open(&path).unwrap();
    assert_eq!(rows(&app.members), rows(&other.members));
    app.members.update(&(Ref::to(&group), "a\0"), |member| member.role = "x".into()).unwrap();
    app.compact_history().unwrap();
    let people: Vec<String> = rows(&app.members).into_iter().map(|member| member.person).collect();
    assert_eq!(people, ["", "\0", "\u{1}\"", "a", "a\0"]);
    app.backfill_defaults().unwrap();
    drop(app);
    assert_sound::<v0::Club>(&path);
}
