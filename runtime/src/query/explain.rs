//! A plan in one line.

use std::fmt::Write as _;

use super::expr::Node;
use super::plan::{Access, Arrangement, Plan};
use super::spec::Spec;
use crate::disk::Span;
use crate::schema::descriptor::TableDef;

/// The plan of a query in one line.
pub(crate) fn explain(table: &TableDef, spec: &Spec, filter: Option<&Node>, plan: &Plan) -> String {
    let mut line = access(table, &plan.access);
    if plan.is_back {
        line.push_str(", backwards");
    }
    if filter.is_some() && !plan.is_exact {
        line.push_str(", filtered");
    }
    match plan.arrangement {
        Arrangement::AsTheyCome => {}
        Arrangement::ByKey => line.push_str(", in the order of keys"),
        Arrangement::Sorted => {
            let columns: Vec<String> = spec.order.iter().map(ToString::to_string).collect();
            let _ = write!(line, ", sorted by {}", columns.join(", "));
        }
    }
    if spec.offset > 0 {
        let _ = write!(line, ", without the first {}", spec.offset);
    }
    if let Some(limit) = spec.limit {
        let _ = write!(line, ", at most {limit}");
    }
    if let Some(index) = plan.waits_for {
        let _ = write!(line, "; index ({}) is not built yet", fields(table, index));
    }
    line
}

fn fields(table: &TableDef, index: usize) -> String {
    table.indexes[index].words()
}

fn access(table: &TableDef, access: &Access) -> String {
    let name = table.name;
    match access {
        Access::Nothing => "nothing can match".to_owned(),
        Access::Rows(spans) if spans.iter().all(is_whole) => format!("scan of `{name}`"),
        Access::Rows(spans) => format!("`{name}` by key, {}", count(spans)),
        Access::Index { index, spans } if *spans == [Span::all()] => {
            format!("index ({}) of `{name}`", fields(table, *index))
        }
        Access::Index { index, spans } => {
            format!("index ({}) of `{name}`, {}", fields(table, *index), count(spans))
        }
        Access::Common { index, spans } => {
            let fields = fields(table, *index);
            format!("index ({fields}) of `{name}`, what {} have in common", count(spans))
        }
        Access::Union(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| self::access(table, part)).collect();
            parts.join(" and ")
        }
    }
}

fn is_whole(span: &Span) -> bool {
    span.bounds() == (std::ops::Bound::Unbounded, std::ops::Bound::Unbounded)
}

fn count(spans: &[Span]) -> String {
    match spans.len() {
        1 => "1 range".to_owned(),
        len => format!("{len} ranges"),
    }
}
