//! The lines of a history file: where its versions stand.

use twox_hash::XxHash3_128;

const VERSIONS: &str = "  \"versions\": [";
const OPEN: &str = "    {";
const CHECKSUM: &str = "      \"checksum\": ";
const FINGERPRINT: &str = "      \"fingerprint\": ";
/// The indentation of lines that tell one version from another. Lines that are indented further do not
/// matter here.
const DEEP: usize = 6;

/// A history file, taken apart.
#[derive(Debug, Default)]
pub(super) struct Lines<'t> {
    /// Everything before the versions.
    pub(super) head: &'t str,
    pub(super) versions: Vec<Version<'t>>,
    /// The lines of the last version.
    pub(super) newest: Option<Entry<'t>>,
    /// Whether it goes on to its end.
    pub(super) is_whole: bool,
    /// Whether git, or another program like it, has left both sides of a merge in it.
    pub(super) has_markers: bool,
}

/// The facts that tell one version from another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Version<'t> {
    pub(super) number: &'t str,
    pub(super) fingerprint: &'t str,
    /// That of the version before, or `null`.
    pub(super) parent: &'t str,
}

/// The text between the braces of a version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'t>(&'t str);

/// The section of the file that a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Head,
    Versions,
    /// A version that starts at this byte.
    Version(usize),
    Tail,
    End,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut lines = Self { head: text, ..Self::default() };
        let mut within = Within::Head;
        let mut start = 0;
        while start < text.len() {
            // Finding one byte is the one search that is fast without optimisation.
            let end = text[start..].find('\n').map_or(text.len(), |found| start + found);
            let bytes = text.as_bytes();
            // Nearly all lines stand deep inside of a version.
            if end - start > DEEP
                && bytes[start] == b' '
                && bytes[start + DEEP] == b' '
                && matches!(within, Within::Version(_))
            {
                start = end + 1;
                continue;
            }
            let line = &text[start..end];
            let line = line.strip_suffix('\r').unwrap_or(line);
            if is_marker(line) {
                lines.has_markers = true;
                return lines;
            }
            match lines.line(line, within, start, end, text) {
                Some(next) => within = next,
                None => return lines,
            }
            start = end + 1;
        }
        lines.is_whole = within == Within::End;
        lines
    }

    /// Takes in a line, and tells where the next one stands; nothing if it is out of place.
    fn line(
        &mut self,
        line: &'t str,
        within: Within,
        start: usize,
        end: usize,
        text: &'t str,
    ) -> Option<Within> {
        match within {
            Within::Head if line == VERSIONS => {
                self.head = &text[..start];
                Some(Within::Versions)
            }
            Within::Head => Some(within),
            Within::Versions if line == OPEN => {
                self.versions.push(Version::default());
                Some(Within::Version((end + 1).min(text.len())))
            }
            Within::Versions => matches!(line, "  ]" | "  ],").then_some(Within::Tail),
            Within::Version(first) => match line.as_bytes() {
                [b' ', b' ', b' ', b' ', b'}'] | [b' ', b' ', b' ', b' ', b'}', b','] => {
                    self.newest = Some(Entry(&text[first..start]));
                    Some(Within::Versions)
                }
                [_, _, _, _, b' ', b' ', b'"', b'v' | b'f' | b'p', ..] => {
                    let last = self.versions.last().copied().unwrap_or_default();
                    if line.starts_with(FINGERPRINT) && !last.fingerprint.is_empty() {
                        // Two versions that were merged line by line are two, not one.
                        self.versions.push(last);
                    }
                    if let [before @ .., version] = self.versions.as_mut_slice() {
                        version.line(line);
                        // Of two, both may have one parent, named once.
                        if let Some(first) = before.last_mut()
                            && first.parent.is_empty()
                        {
                            first.parent = version.parent;
                        }
                    }
                    Some(within)
                }
                _ => Some(within),
            },
            // A newer heirloom may add members after the versions.
            Within::Tail => Some(if line == "}" { Within::End } else { within }),
            Within::End => line.trim_ascii().is_empty().then_some(within),
        }
    }
}

impl<'t> Version<'t> {
    /// Returns the last version that starts in these lines.
    pub(super) fn last_of(lines: &[&'t str]) -> Option<Self> {
        let start = lines.iter().rposition(|line| *line == OPEN)?;
        let mut version = Self::default();
        lines[start..].iter().for_each(|line| version.line(line));
        Some(version)
    }

    fn line(&mut self, line: &'t str) {
        for (member, value) in [
            ("      \"version\": ", &mut self.number),
            (FINGERPRINT, &mut self.fingerprint),
            ("      \"parent\": ", &mut self.parent),
        ] {
            if let Some(found) = line.strip_prefix(member) {
                let found = found.strip_suffix(',').unwrap_or(found);
                let text = found.strip_prefix('"').and_then(|found| found.strip_suffix('"'));
                *value = text.unwrap_or(found);
                return;
            }
        }
    }
}

impl Entry<'_> {
    /// Whether its lines are those that were recorded.
    pub(super) fn is_intact(&self) -> bool {
        let mut lines = String::with_capacity(self.0.len());
        let mut recorded = "";
        for line in self.0.lines() {
            match line.strip_prefix(CHECKSUM) {
                Some(checksum) => recorded = checksum,
                None => {
                    lines.push_str(line);
                    lines.push('\n');
                }
            }
        }
        let checksum = format!("{:032x}", XxHash3_128::oneshot(lines.as_bytes()));
        recorded.trim_matches(['"', ',']) == checksum
    }

    /// Its JSON.
    pub(super) fn json(&self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// Whether the line is one that stands between the two sides of a merge.
pub(super) fn is_marker(line: &str) -> bool {
    match line.as_bytes().first() {
        Some(b'<') => line.starts_with("<<<<<<<"),
        Some(b'=') => line.starts_with("======="),
        Some(b'>') => line.starts_with(">>>>>>>"),
        Some(b'|') => line.starts_with("|||||||"),
        _ => false,
    }
}
