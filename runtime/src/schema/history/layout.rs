//! Writing versions: one thing a line, for people to read and for lines to be compared.

use serde::Serialize;

use super::super::{FieldSchema, Schema};
use super::lines::{FORMAT, KIND, VERSIONS, checksum};
use super::version::Version;

/// A history file without versions.
pub(super) fn empty(store: &str) -> String {
    format!(
        "{{\n  \"heirloom\": {},\n  \"format\": {FORMAT},\n  \"store\": {},\n  \"versions\": [\n  ]\n}}\n",
        json(KIND),
        json(store)
    )
}

/// The text with one more version at its end.
pub(super) fn append(text: &str, version: &Version) -> String {
    let is_crlf = text.contains("\r\n");
    let mut lines: Vec<&str> = text.lines().collect();
    // A newer heirloom may add lists, too, before the versions and after them.
    let mut versions = lines.iter().enumerate().skip_while(|(_, line)| **line != VERSIONS);
    let end = versions.find(|(_, line)| line.starts_with("  ]"));
    let end = end.map_or(lines.len(), |(end, _)| end);
    if let Some(last @ &mut "    }") = end.checked_sub(1).and_then(|last| lines.get_mut(last)) {
        *last = "    },";
    }
    let entry = entry(version);
    lines.splice(end..end, entry.iter().map(String::as_str));
    let mut text = lines.join(if is_crlf { "\r\n" } else { "\n" });
    text.push_str(if is_crlf { "\r\n" } else { "\n" });
    text
}

fn entry(version: &Version) -> Vec<String> {
    let mut lines = vec![
        format!("      \"epoch\": {},", version.epoch),
        format!("      \"version\": {},", json(&version.number)),
        format!("      \"fingerprint\": {},", json(&version.fingerprint)),
        format!("      \"parent\": {},", json(&version.parent)),
        format!("      \"date\": {},", json(&version.date)),
    ];
    list(&mut lines, 6, "changes", version.changes.iter().map(json), true);
    schema(&mut lines, &version.schema);
    let checksum = checksum(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    lines.insert(5, format!("      \"checksum\": {},", json(&checksum)));
    lines.insert(0, "    {".to_owned());
    lines.push("    }".to_owned());
    lines
}

fn schema(lines: &mut Vec<String>, schema: &Schema) {
    lines.push("      \"schema\": {".to_owned());
    lines.push(format!("        \"epoch\": {},", schema.epoch));
    open(lines, 8, "tables");
    for (name, table) in &schema.tables {
        open(lines, 10, name);
        let key = match &table.key[..] {
            [one] => json(one),
            several => json(several),
        };
        lines.push(format!("            \"key\": {key},"));
        list(lines, 12, "indexes", table.indexes.iter().map(json), true);
        if table.merges_fields {
            lines.push("            \"merges_fields\": true,".to_owned());
        }
        if !table.checks.is_empty() {
            list(lines, 12, "checks", table.checks.iter().map(json), true);
        }
        if !table.computed.is_empty() {
            open(lines, 12, "computed");
            for (name, code) in &table.computed {
                lines.push(format!("              {}: {},", json(name), json(code)));
            }
            close(lines, 12, true);
        }
        fields(lines, table.fields.iter());
        close(lines, 10, true);
    }
    close(lines, 8, true);
    open(lines, 8, "groups");
    for (name, group) in &schema.groups {
        open(lines, 10, name);
        if !group.checks.is_empty() {
            list(lines, 12, "checks", group.checks.iter().map(json), true);
        }
        fields(lines, group.fields.iter());
        close(lines, 10, true);
    }
    close(lines, 8, true);
    open(lines, 8, "types");
    for (name, ty) in &schema.types {
        lines.push(format!("          {}: {},", json(name), json(ty)));
    }
    close(lines, 8, true);
    list(lines, 8, "reserved", schema.reserved.iter().map(json), false);
    close(lines, 6, false);
}

fn fields<'f>(
    lines: &mut Vec<String>,
    fields: impl Iterator<Item = (&'f String, &'f FieldSchema)>,
) {
    open(lines, 12, "fields");
    for (name, field) in fields {
        lines.push(format!("              {}: {},", json(name), json(field)));
    }
    close(lines, 12, false);
}

fn list(
    lines: &mut Vec<String>,
    indent: usize,
    name: &str,
    items: impl Iterator<Item = String>,
    more: bool,
) {
    let comma = if more { "," } else { "" };
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        lines.push(format!("{:indent$}\"{name}\": []{comma}", ""));
        return;
    }
    lines.push(format!("{:indent$}\"{name}\": [", ""));
    lines.extend(items.iter().map(|item| format!("{:indent$}  {item},", "")));
    without_comma(lines);
    lines.push(format!("{:indent$}]{comma}", ""));
}

fn open(lines: &mut Vec<String>, indent: usize, name: &str) {
    lines.push(format!("{:indent$}{}: {{", "", json(name)));
}

fn close(lines: &mut Vec<String>, indent: usize, more: bool) {
    without_comma(lines);
    lines.push(format!("{:indent$}}}{}", "", if more { "," } else { "" }));
}

/// The last of several has no comma.
fn without_comma(lines: &mut [String]) {
    if let Some(last) = lines.last_mut()
        && last.ends_with(',')
    {
        last.pop();
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    // The values written here are texts, numbers, and JSON that was read before.
    serde_json::to_string(value).unwrap_or_default()
}
