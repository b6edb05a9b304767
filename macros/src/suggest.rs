//! "Did you mean": the valid name nearest to a misspelled one.

/// The candidate that `found` was probably meant to be.
fn nearest<'a>(found: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let score = |candidate: &str| strsim::jaro_winkler(found, candidate);
    candidates
        .iter()
        .copied()
        .filter(|candidate| score(candidate) > 0.75)
        .max_by(|a, b| score(a).total_cmp(&score(b)))
}

/// `; did you mean …?`, or nothing if no candidate is near.
pub(crate) fn did_you_mean(found: &str, candidates: &[&str]) -> String {
    match nearest(found, candidates) {
        Some(candidate) => format!("; did you mean `{candidate}`?"),
        None => String::new(),
    }
}

/// The names as an enumeration: `a`, `b` and `c`.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, list};

    #[test]
    fn finds_the_nearest_name() {
        assert_eq!(did_you_mean("nmae", &["crate", "name"]), "; did you mean `name`?");
        assert_eq!(did_you_mean("defualt", &["default"]), "; did you mean `default`?");
        assert_eq!(did_you_mean("unlike", &["name", "crate"]), "");
    }

    #[test]
    fn lists_names() {
        assert_eq!(list(&["a"]), "`a`");
        assert_eq!(list(&["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
