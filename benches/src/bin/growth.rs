//! The growth of a store in three years of use.
//!
//! Plays them: 50 rows, 2,000 saves a day, each a commit of its own, 20 of the rows replaced by new ones a day, a
//! restart every day, and a second device that exchanges with the first every day and edits some rows. Draws
//! the size of the file, the memory of the process, the time of opening with one read, and of the first durable
//! write after it.
//!
//! ```text
//! cargo run --release --bin growth -- [--days <days>] [--saves <saves a day>] <file.svg>
//! ```

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use heirloom::{Durability, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A row of about 200 bytes of JSON.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "drafts")]
struct Draft {
    #[key]
    id: u64,
    title: String,
    text: String,
    saved: u64,
}

#[derive(Store)]
#[store(name = "drafts")]
struct App {
    drafts: Table<Draft>,
}

/// Rows that are there at any time.
const ROWS: u64 = 50;
/// Rows that a day replaces.
const REPLACED: u64 = 20;
/// Rows that the second device edits a day.
const EDITED_ELSEWHERE: u64 = 5;
/// Points of the drawing.
const SAMPLES: u64 = 73;

struct Plan {
    days: u64,
    saves: u64,
    svg: String,
}

fn plan() -> Result<Plan> {
    let mut plan = Plan { days: 1_095, saves: 2_000, svg: String::new() };
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || -> Result<u64> { Ok(args.next().ok_or("a number is missing")?.parse()?) };
        match arg.as_str() {
            "--days" => plan.days = number()?.max(1),
            "--saves" => plan.saves = number()?.max(1),
            _ => plan.svg = arg,
        }
    }
    if plan.svg.is_empty() {
        return Err("name the file to draw into, such as ../docs/growth.svg".into());
    }
    Ok(plan)
}

/// Numbers that look random, and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn draft(id: u64, saved: u64) -> Draft {
    let text = (0..8).map(|word| format!("{:x} ", (id + saved * 31 + word).wrapping_mul(0x9e37_79b9)));
    Draft { id, title: format!("draft {id}"), text: text.collect(), saved }
}

/// The figures of one day.
#[derive(Clone, Copy)]
struct Sample {
    day: u64,
    file_bytes: f64,
    memory_bytes: f64,
    open: Duration,
    first_write: Duration,
}

fn main() -> Result<()> {
    let plan = plan()?;
    let folder = tempfile::Builder::new().prefix("heirloom-growth-").tempdir()?;
    let (path, other) = (folder.path().join("app.redb"), folder.path().join("other.redb"));
    let mut chance = Chance(7);
    let mut ids: Vec<u64> = (0..ROWS).collect();
    let app = App::open(&path)?;
    app.drafts.insert_many(ids.iter().map(|id| draft(*id, 0)))?;
    drop(app);
    let begun = Instant::now();
    let every = (plan.days / SAMPLES).max(1);
    let mut samples = Vec::new();
    let mut next_id = ROWS;
    for day in 1..=plan.days {
        reset_peak();
        let is_sampled = day % every == 0 || day == plan.days || day == 1;
        let times = is_sampled.then(|| open_and_write(&path, ids[0], day)).transpose()?;
        let app = App::builder().durability(Durability::Eventual).open(&path)?;
        for save in 0..plan.saves {
            let id = ids[usize::try_from(chance.below(ROWS))?];
            app.drafts.put(&draft(id, day * plan.saves + save))?;
        }
        for _ in 0..REPLACED {
            let place = usize::try_from(chance.below(ROWS))?;
            app.drafts.remove(&ids[place])?;
            ids[place] = next_id;
            app.drafts.insert(&draft(next_id, 0))?;
            next_id += 1;
        }
        exchange(&app, &other, &mut chance, &ids)?;
        drop(app);
        if let Some((open, first_write)) = times {
            let file_bytes = fs::metadata(&path)?.len() as f64;
            let memory_bytes = peak_bytes()? as f64;
            samples.push(Sample { day, file_bytes, memory_bytes, open, first_write });
        }
    }
    let took = begun.elapsed();
    let app = App::open(&path)?;
    let (history, before) = (app.status()?.history(), fs::metadata(&path)?.len());
    app.compact()?;
    let compacted = fs::metadata(&path)?.len();
    app.compact_history()?;
    app.prune_epochs()?;
    app.compact()?;
    let rebuilt = fs::metadata(&path)?.len();
    assert_eq!(app.drafts.len()? as u64, ROWS);
    drop(app);
    fs::write(&plan.svg, draw(&samples))?;
    let last = samples.last().ok_or("no day was sampled")?;
    println!("{} saves in {} days, {took:.0?}", plan.days * plan.saves, plan.days);
    println!(
        "items {:.0} a row, {} bytes of document; file {before}, compacted {compacted}, rebuilt and \
         compacted {rebuilt}; peak memory {:.1} MB; open {:?}, first write {:?}",
        history.items_per_live_row(),
        history.document_bytes(),
        last.memory_bytes / 1e6,
        last.open,
        last.first_write,
    );
    Ok(())
}

/// Opens the store and reads a row; then writes one durably. Gives the best of three.
fn open_and_write(path: &Path, id: u64, day: u64) -> Result<(Duration, Duration)> {
    let mut best = (Duration::MAX, Duration::MAX);
    for round in 0..3 {
        let start = Instant::now();
        let app = App::open(path)?;
        app.drafts.get(&id)?.ok_or("a row is missing")?;
        best.0 = best.0.min(start.elapsed());
        let start = Instant::now();
        app.drafts.put(&draft(id, 3 * day + round))?;
        best.1 = best.1.min(start.elapsed());
    }
    Ok(best)
}

fn exchange(app: &App, other: &Path, chance: &mut Chance, ids: &[u64]) -> Result<()> {
    let other = App::builder().durability(Durability::Eventual).open(other)?;
    other.apply(&app.changes_since(&other.summary()?)?)?;
    for _ in 0..EDITED_ELSEWHERE {
        let id = ids[usize::try_from(chance.below(ROWS))?];
        other.drafts.update(&id, |draft| draft.title.push('.'))?;
    }
    app.apply(&other.changes_since(&app.summary()?)?)?;
    Ok(())
}

/// From now on the peak of the memory counts anew.
fn reset_peak() {
    // Without it, the peak is that since the start.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn peak_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("no VmHWM")?;
    Ok(kib.trim().parse::<u64>()? * 1_024)
}

const WIDTH: f64 = 720.0;
const PANEL: f64 = 120.0;
const LEFT: f64 = 64.0;

/// Four panels, one below the other, over the same days.
fn draw(samples: &[Sample]) -> String {
    let panels: [(&str, Vec<f64>); 4] = [
        ("file, MB", samples.iter().map(|it| it.file_bytes / 1e6).collect()),
        ("peak memory of both devices, MB", samples.iter().map(|it| it.memory_bytes / 1e6).collect()),
        ("open and read one row, ms", samples.iter().map(|it| it.open.as_secs_f64() * 1e3).collect()),
        ("first durable write, ms", samples.iter().map(|it| it.first_write.as_secs_f64() * 1e3).collect()),
    ];
    let last_day = samples.last().map_or(1, |it| it.day).max(1) as f64;
    let height = PANEL * panels.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (number, (title, values)) in panels.iter().enumerate() {
        let top = PANEL * number as f64 + 24.0;
        let (base, room) = (top + PANEL - 36.0, PANEL - 36.0);
        let most = values.iter().copied().fold(0.0, f64::max).max(1e-9) * 1.1;
        let points: Vec<String> = samples
            .iter()
            .zip(values)
            .map(|(sample, value)| {
                let x = LEFT + (WIDTH - LEFT - 16.0) * sample.day as f64 / last_day;
                format!("{x:.1},{:.1}", base - room * value / most)
            })
            .collect();
        let last = values.last().copied().unwrap_or_default();
        let _ = write!(
            svg,
            "<text x=\"{LEFT}\" y=\"{:.0}\">{title}: {last:.2} at the end</text>\n\
             <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{most:.2}</text>\n\
             <text x=\"{:.0}\" y=\"{base:.0}\" text-anchor=\"end\">0</text>\n\
             <path d=\"M{LEFT},{top:.0} V{base:.0} H{:.0}\" fill=\"none\" stroke=\"#999\"/>\n\
             <polyline points=\"{}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"1.5\"/>\n",
            top - 6.0,
            LEFT - 6.0,
            top + 10.0,
            LEFT - 6.0,
            WIDTH - 16.0,
            points.join(" "),
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.0}\">days, 0 to {last_day:.0}</text>\n</svg>",
        height - 6.0
    );
    svg
}
