use heirloom::migration::Migration;
use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{v0, v1};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes", previous = v1::Note, try_from)]
pub struct Note {
    #[key]
    pub name: String,
    pub title: String,
    pub status: v1::Status,
    pub stars: u8,
    pub label: Option<Id<Label>>,
}

impl TryFrom<v1::Note> for Note {
    type Error = String;

    fn try_from(note: v1::Note) -> Result<Self, String> {
        let v1::Note { name, title, status, stars, tag: _, comments: _ } = note;
        let stars = match stars.as_str() {
            "" => 0,
            typed => typed.parse().map_err(|_| format!("`{typed}` is no number of stars"))?,
        };
        // `spread` sets the label.
        Ok(Self { name, title, status, stars, label: None })
    }
}

// Comments were a list in their note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "comments")]
pub struct Comment {
    pub id: Id<Comment>,
    pub note: String,
    pub text: String,
}

// Tags were known by their name, which could not be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "labels")]
pub struct Label {
    pub id: Id<Label>,
    pub name: String,
    pub color: String,
}

#[derive(Debug, Store)]
#[store(
    name = "notebook",
    epoch = 2,
    previous = v1::Notebook,
    drops(tags),
    migrate = spread
)]
pub struct Notebook {
    pub notes: Table<Note>,
    pub comments: Table<Comment>,
    pub labels: Table<Label>,
    pub settings: Kv<v1::Settings>,
}

fn spread(m: &mut Migration<v1::Notebook, Notebook>) -> heirloom::Result<()> {
    let tags = m.old().iter::<v0::Tag>()?.collect::<heirloom::Result<Vec<_>>>()?;
    for v0::Tag { name, color } in tags {
        let id = m.id_for::<Label>("label", &name);
        m.put(&Label { id, name, color })?;
    }
    let notes = m.old().iter::<v1::Note>()?.collect::<heirloom::Result<Vec<_>>>()?;
    for note in notes {
        for (index, text) in note.comments.into_iter().enumerate() {
            let id = m.id_for::<Comment>(&format!("comment {index}"), &note.name);
            m.put(&Comment { id, note: note.name.clone(), text })?;
        }
        if let Some(tag) = &note.tag {
            let label = m.id_for::<Label>("label", tag);
            m.update::<Note>(&note.name, |note| note.label = Some(label))?;
        }
    }
    Ok(())
}
