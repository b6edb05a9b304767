//! Every rule there is. Ids and what they stand for are recorded in history files: a rule may be
//! added, and none may get another meaning.
//!
//! The numbers are the rows of the catalogue of schema changes that a rule covers. In the advice,
//! `{old}`, `{new}` and `{name}` stand for what a change says of itself.

use super::{Class::*, Operation::*, Rule};

macro_rules! rules {
    ($($name:ident = $id:literal, $operation:expr, $class:expr, $rows:expr,
        $reason:literal, $advice:literal;)*) => {
        $(pub(super) const $name: Rule = Rule {
            id: $id,
            operation: $operation,
            class: $class,
            rows: &$rows,
            reason: $reason,
            advice: $advice,
        };)*

        /// All of them, in the order of the catalogue.
        pub(super) const ALL: &[Rule] = &[$($name),*];
    };
}

rules! {
    EPOCH_RAISED = "epoch-raised", ChangeEpoch, Additive, [],
        "A new epoch has documents of its own, into which rows are migrated.",
        "";
    EPOCH_LOWERED = "epoch-lowered", ChangeEpoch, Error, [81],
        "Devices that have moved on never come back to an earlier epoch.",
        "set `epoch = {old}` or a later one in `#[store(…)]`";

    TABLE_ADDED = "table-added", AddTable, Additive, [1],
        "Old code keeps the rows of tables it does not declare.",
        "";
    TABLE_REMOVED = "table-removed", RemoveTable, Breaking, [2, 73],
        "Old code goes on writing rows that new code never shows.",
        "keep the table declared, or raise the epoch and list it in `drops(…)`";
    TABLE_RENAMED = "table-renamed", RenameTable, Breaking, [3],
        "Each version would read and write a table of its own.",
        "if it is the same table, keep its stored name: `#[table(name = \"{old}\")]`; or raise \
         the epoch";
    GROUP_ADDED = "group-added", AddGroup, Additive, [1, 76],
        "Old code keeps the entries of groups it does not declare.",
        "";
    GROUP_REMOVED = "group-removed", RemoveGroup, Breaking, [2, 76],
        "Old code goes on setting entries that new code never shows.",
        "keep the group declared, or raise the epoch and list it in `drops(…)`";
    GROUP_RENAMED = "group-renamed", RenameGroup, Breaking, [3, 76],
        "Each version would read and write a group of its own.",
        "if it is the same group, keep its stored name: `#[kv(name = \"{old}\")]`; or raise the \
         epoch";

    FIELD_ADDED_OPTIONAL = "field-added-optional", AddField, Additive, [4, 49, 76],
        "Rows without it read as `None`, and old code keeps it.",
        "";
    FIELD_ADDED_WITH_DEFAULT = "field-added-with-default", AddField, Default, [5, 49, 76],
        "Rows without it read as the default, and old code keeps it.",
        "";
    FIELD_ADDED_REQUIRED = "field-added-required", AddField, Breaking, [6, 49, 76],
        "Rows of old code lack it and would be invalid.",
        "make it an `Option`, or give it `#[evolve(default = …)]` (inside a value: \
         `#[serde(default)]`)";
    FIELD_REMOVED = "field-removed", RemoveField, Warn, [7, 49, 76],
        "Old code reads its default in new rows; what is stored stays. The name must never be \
         used again.",
        "";
    FIELD_REMOVED_REQUIRED = "field-removed-required", RemoveField, Breaking, [8, 49, 76],
        "New rows lack it, and old code requires it.",
        "keep writing it, or give it a default first and remove it once no older version is in \
         use";
    RESERVED_NAME = "reserved-name-used", AddField, Breaking, [9, 10],
        "Old rows still carry values under this name, which meant something else.",
        "choose a name that was never used";

    FIELD_RENAMED = "field-renamed", RenameField, Breaking, [11],
        "If it is the same field, old and new code would each read and write a name of its own.",
        "if it is the same field, keep its stored name: `#[serde(rename = \"{old}\")]`; if `{old}` \
         was removed on purpose, say so with `removes({old})`";
    // Inside a value no attribute says that a field was removed on purpose, so that this is only said.
    FIELD_RENAMED_INSIDE = "field-renamed-inside", RenameField, Warn, [11, 49],
        "If it is the same field, old and new code would each read and write a name of its own.",
        "if it is the same field, keep its stored name: `#[serde(rename = \"{old}\")]`";
    FIELD_RENAMED_WITH_ALIAS = "field-renamed-with-alias", RenameField, Breaking, [12, 13],
        "New code writes the new name, which old code does not read, and old code goes on writing \
         the old one.",
        "keep the stored name: `#[serde(rename = \"{old}\")]`, and the Rust name can be any";
    ALIAS_ADDED = "alias-added", ChangeAliases, Additive, [12],
        "Rows that have it under its own name read as before.",
        "";
    ALIAS_REMOVED = "alias-removed", ChangeAliases, Breaking, [12],
        "Rows that were stored under the alias lose the value.",
        "keep `#[serde(alias = \"{old}\")]`";
    ALIAS_CONFLICT = "alias-of-two-fields", ChangeAliases, Breaking, [12],
        "A row may have values under both names, which one of the versions reads as the same \
         field twice.",
        "remove the alias, or choose another name for the field";
    FIELD_CASE_CHANGED = "field-case-changed", RenameField, Breaking, [15],
        "The stored name is written in another case, so no version reads the other's.",
        "keep the stored names: restore `rename_all`, or add `#[serde(rename = \"{old}\")]`";

    OPTIONAL_TO_REQUIRED = "optional-to-required", RetypeField, Breaking, [16, 63],
        "Rows without a value, absent or `null`, would be invalid.",
        "keep the `Option`";
    // The catalogue has this and the next but one as `default`, provided that `null` reads as the
    // default. Here an explicit `null` is a value, and old code writes it for every `None`.
    OPTIONAL_TO_DEFAULT = "optional-to-default", RetypeField, Breaking, [17, 63],
        "Old code writes `null` for `None`, which is not a value of the new type; a default fills \
         only an absent field.",
        "keep the `Option`, and give it `#[evolve(default = Some(…))]` if absent has a meaning";
    REQUIRED_TO_OPTIONAL = "required-to-optional", RetypeField, Breaking, [18, 63],
        "New code writes `null` for `None`, which old code does not read.",
        "keep the type; add a new optional field beside it, or raise the epoch";
    NULL_ALLOWED = "null-allowed", RetypeField, Breaking, [19, 36],
        "New code writes `null`, which old code does not read.",
        "keep the type, or raise the epoch";
    NULL_REFUSED = "null-refused", RetypeField, Breaking, [20],
        "Old code wrote `null`, which is not a value of the new type.",
        "keep the `Option`, or raise the epoch";
    NULL_AND_ABSENT = "null-and-absent", RetypeField, Warn, [21],
        "One version distinguishes `null` from absent, the other reads both as `None`.",
        "";
    DEFAULT_CHANGED = "default-changed", ChangeDefault, Warn, [22],
        "The same stored row reads differently in old and new code.",
        "";
    DEFAULT_ADDED = "default-added", AddDefault, Additive, [23],
        "Every row has the field already.",
        "";
    DEFAULT_REMOVED = "default-removed", RemoveDefault, Breaking, [24],
        "Rows that rely on the default would be invalid.",
        "keep the default: `#[evolve(default = …)]`";
    DEFAULT_UNSTABLE = "default-unstable", ChangeDefault, Error, [25],
        "Every read of the same row would give another value.",
        "use a constant as the default, or set the value when the row is made";

    NUMBER_WIDENED = "number-widened", RetypeField, Breaking, [26],
        "New code may write numbers that old code does not read.",
        "keep the type; add a new field of the wider type beside it, or raise the epoch";
    NUMBER_NARROWED = "number-narrowed", RetypeField, Breaking, [27],
        "Old rows may hold numbers that the new type cannot.",
        "keep the type, or raise the epoch";
    INTEGER_TO_FLOAT = "integer-to-float", RetypeField, Breaking, [28],
        "New code writes `1.0`, which old code does not read as an integer.",
        "keep the type; add a new field beside it, or raise the epoch";
    FLOAT_TO_INTEGER = "float-to-integer", RetypeField, Breaking, [29],
        "Old rows hold `1.0` and fractions, which are not integers.",
        "keep the type; add a new field beside it, or raise the epoch";
    TYPE_CHANGED = "type-changed", RetypeField, Breaking, [31, 32, 33, 37, 39, 47],
        "Neither version reads the values of the other.",
        "keep the type; add a new field beside it with `#[evolve(default = |{name}| …)]`, or \
         raise the epoch";
    WRAPPED_IN_LIST = "wrapped-in-list", RetypeField, Breaking, [34],
        "Neither a list nor its item reads as the other.",
        "keep the field; add a new list beside it, computed from it while it is missing";
    UNWRAPPED_FROM_LIST = "unwrapped-from-list", RetypeField, Breaking, [35],
        "Neither a list nor its item reads as the other.",
        "keep the list; add a new field beside it, or raise the epoch";
    LIST_AND_SET = "list-and-set", RetypeField, Breaking, [38],
        "A set loses the duplicates and the order that a list keeps.",
        "keep the type, or raise the epoch";
    MAP_KEYS_CHANGED = "map-keys-changed", RetypeField, Breaking, [39],
        "One version may write keys that the other does not read.",
        "keep the type of the keys, or raise the epoch";
    TUPLE_CHANGED = "tuple-changed", RetypeField, Breaking, [40],
        "A tuple or array of another length does not read.",
        "keep the tuple; a struct with named fields can grow";

    VARIANT_ADDED = "variant-added", AddVariant, Breaking, [41, 43],
        "Old code does not read rows with the new variant.",
        "raise the epoch; in it, declare the field as `heirloom::Open<…>`, to which variants can be \
         added";
    VARIANT_ADDED_TO_OPEN = "variant-added-to-open", AddVariant, Additive, [42],
        "Old code keeps the variants that it does not know.",
        "";
    VARIANT_REMOVED = "variant-removed", RemoveVariant, Breaking, [44],
        "Old rows with the variant would be invalid.",
        "keep the variant for reading, and write it no more";
    VARIANT_REMOVED_FROM_OPEN = "variant-removed-from-open", RemoveVariant, Additive, [44],
        "Rows with the variant read as one that is not known, which is kept.",
        "";
    // The two versions read each other's own variants; a third one that adds a variant does not get
    // it past the first. Devices skip versions, so the step that opens the enum needs the epoch.
    ENUM_OPENED = "enum-opened", OpenEnum, Breaking, [41, 59],
        "Old code does not read variants that it does not know, of any later version.",
        "raise the epoch; in it and in later ones, variants can be added";
    ENUM_CLOSED = "enum-closed", CloseEnum, Breaking, [44],
        "Rows may hold variants of newer code, which would be invalid.",
        "keep the enum open";
    CLOSED_ENUM = "enum-without-catch-all", CloseEnum, Warn, [41, 43],
        "Old code will not read a variant that is added later, so adding one takes an epoch.",
        "if the enum may grow, declare the field as `heirloom::Open<…>` before the first release";
    VARIANT_RENAMED = "variant-renamed", RenameVariant, Breaking, [45],
        "If it is the same variant, neither version reads the other's name.",
        "if it is the same variant, keep its stored name: `#[serde(rename = \"{old}\")]`";
    VARIANT_RENAMED_IN_OPEN = "variant-renamed-in-open", RenameVariant, Warn, [45],
        "If it is the same variant, each version reads the other's name as one that it does not know.",
        "if it is the same variant, keep its stored name: `#[serde(rename = \"{old}\")]`";
    TAGGING_CHANGED = "tagging-changed", ChangeTagging, Breaking, [47],
        "The same variant is written in another form.",
        "keep the enum's `tag`, `content` and `untagged` attributes as they were";
    VARIANT_FORM_CHANGED = "variant-form-changed", RetypeField, Breaking, [48],
        "A variant without data and one with data are written differently.",
        "add a new variant if the enum is open, or raise the epoch";
    TEXT_TO_ENUM = "text-to-enum", RetypeField, Breaking, [50],
        "Old rows may hold texts that are not variants.",
        "keep the text, or add a variant that keeps every text: `#[serde(untagged)] Other(String)`";
    ENUM_TO_TEXT = "enum-to-text", RetypeField, Breaking, [51],
        "New code may write texts that are not variants in old code.",
        "keep the enum, or raise the epoch";
    MEMBER_ADDED = "member-added", AddVariant, Breaking, [52],
        "New code may write what old code does not read.",
        "keep the alternatives, or raise the epoch";
    MEMBER_REMOVED = "member-removed", RemoveVariant, Breaking, [52],
        "Old rows may hold what new code does not read.",
        "keep the alternative for reading";
    MEMBER_OF_OPEN = "member-of-open", AddVariant, Additive, [52],
        "Both versions have an alternative that keeps it as it is.",
        "";
    MEMBERS_REORDERED = "members-reordered", ChangeOther, Warn, [46, 52],
        "Alternatives are tried in order, so the same value may read as another one.",
        "";

    // Whether a type enforces its limits when it is read cannot be seen. If one does, rows
    // beyond a tightened limit are invalid. A loosened one concerns old code, which either reads
    // what it thought impossible or refuses it.
    LIMIT_LOOSENED = "limit-loosened", ChangeLimit, Warn, [53],
        "New code may write values beyond what old code expects.",
        "";
    LIMIT_TIGHTENED = "limit-tightened", ChangeLimit, Breaking, [54],
        "Old rows may hold values that the new limit excludes.",
        "check the limit where values are entered, and leave the type as it was";
    PATTERN_CHANGED = "pattern-changed", ChangeLimit, Warn, [55],
        "Each version may meet texts that its own pattern excludes.",
        "";

    UNIQUENESS_ADDED = "uniqueness-added", ChangeIndex, Warn, [56],
        "Copies that are apart cannot enforce it: rows with equal values may meet in a merge.",
        "";
    UNIQUENESS_REMOVED = "uniqueness-removed", ChangeIndex, Warn, [57],
        "New code may write equal values, which old code takes for a conflict.",
        "";
    OBJECT_CLOSED = "object-closed", ChangeOther, Error, [58],
        "Rows with fields of newer code would be invalid.",
        "remove `#[serde(deny_unknown_fields)]`";
    // The two versions read each other's own fields; a third one that adds a field does not get
    // them past the first. Devices skip versions, so the step that opens the door needs the epoch.
    OBJECT_OPENED = "object-opened", ChangeOther, Breaking, [59],
        "Old code refuses fields that it does not know, of any later version.",
        "raise the epoch";

    FIELD_OF_CLOSED = "field-of-closed-object", AddField, Breaking, [58],
        "The version that refuses unknown fields does not read what the other writes.",
        "remove `#[serde(deny_unknown_fields)]`, in an epoch of its own; in a map, use text keys";
    KEY_CHANGED = "key-changed", ChangeKey, Breaking, [60],
        "Rows are kept under their key, and other rows refer to it.",
        "keep the key, or raise the epoch";
    KEY_TYPE_CHANGED = "key-type-changed", ChangeKey, Breaking, [60, 61],
        "A key of one version is not a key in the other.",
        "keep the key's type, or raise the epoch";
    REFERENCE_CHANGED = "reference-changed", RetypeField, Breaking, [62],
        "An id of one table is not an id of another.",
        "add a new field for the other table's id, or raise the epoch";
    REFERRED_TABLE_CHANGED = "referred-table-changed", ChangeReference, Breaking, [62],
        "A key of one table is not a key of another.",
        "add a new field for the other table's key, or raise the epoch";
    REFERENCE_ADDED = "reference-added", ChangeReference, Warn, [],
        "Old rows and old code may refer to what does not exist.",
        "";
    REFERENCE_REMOVED = "reference-removed", ChangeReference, Warn, [],
        "New code may refer to what does not exist, which old code does not expect.",
        "";
    TABLE_MERGE_CHANGED = "table-merge-changed", ChangeMerge, Breaking, [],
        "Code of the one version writes rows whole over the fields that the other writes by themselves.",
        "keep `merge` as it was, or raise the epoch";
    FIELD_MERGE_CHANGED = "field-merge-changed", ChangeMerge, Breaking, [],
        "Code of the one version replaces what the other adds up or unites.",
        "keep `#[merge]` as it was, or raise the epoch";
    CHECK_ADDED = "check-added", ChangeCheck, Warn, [],
        "Old rows and old code may break the rule; `violations` lists such rows and entries.",
        "";
    CHECK_REMOVED = "check-removed", ChangeCheck, Warn, [],
        "New code may write rows that break the rule, which old code does not expect.",
        "";
    INDEX_ADDED = "index-added", AddIndex, Additive, [65, 66],
        "Indexes are local, and built on each device.",
        "";
    INDEX_REMOVED = "index-removed", RemoveIndex, Additive, [65, 66],
        "Indexes are local, and built on each device.",
        "";

    UNJUDGED = "unjudged-difference", ChangeOther, Warn, [],
        "heirloom does not know whether this part of a JSON Schema says anything about what is \
         stored.",
        "";
    TOO_LARGE = "too-large", ChangeOther, Breaking, [],
        "The schemas are too large to be compared whole.",
        "take the type apart";
}

/// Those after which new code reads all that the old schema allows.
pub(super) const READ_OLD: &[Rule] = &[
    EPOCH_RAISED,
    TABLE_ADDED,
    GROUP_ADDED,
    FIELD_ADDED_OPTIONAL,
    FIELD_ADDED_WITH_DEFAULT,
    ALIAS_ADDED,
    NULL_ALLOWED,
    DEFAULT_ADDED,
    NUMBER_WIDENED,
    INTEGER_TO_FLOAT,
    VARIANT_ADDED,
    VARIANT_ADDED_TO_OPEN,
    VARIANT_REMOVED_FROM_OPEN,
    ENUM_OPENED,
    ENUM_TO_TEXT,
    MEMBER_ADDED,
    MEMBER_OF_OPEN,
    LIMIT_LOOSENED,
    UNIQUENESS_ADDED,
    UNIQUENESS_REMOVED,
    OBJECT_OPENED,
    REFERENCE_ADDED,
    REFERENCE_REMOVED,
    CHECK_ADDED,
    CHECK_REMOVED,
    INDEX_ADDED,
    INDEX_REMOVED,
];
