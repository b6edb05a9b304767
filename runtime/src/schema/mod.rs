//! What a store looks like: its tables, groups and fields, as constants the derives write.

mod descriptor;

pub use descriptor::{
    DefaultKind, FieldDef, GroupDef, IndexDef, IndexVisitor, KeyKind, StoreDef, TableDef,
    ValueTraits,
};
