//! A tour: one app, two years, two devices.
//!
//! ```sh
//! cargo run -p heirloom-examples --example whispering             # in a temporary folder
//! cargo run -p heirloom-examples --example whispering -- my.redb  # in a file that stays
//! ```

mod devices;
mod last_year;
mod this_year;
mod upgrade;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    if let Some(path) = std::env::args_os().nth(1) {
        let path = PathBuf::from(path);
        tour(&path)?;
        println!("\nThe file stays: {}. Run the tour on it again, or delete it.", path.display());
    } else {
        // Deleted when it goes out of scope.
        let folder = tempfile::tempdir()?;
        tour(&folder.path().join("whispering.redb"))?;
    }
    Ok(())
}

/// The chapters. Each opens the file and closes it again, as an app does that is updated between.
fn tour(path: &Path) -> Result<(), Box<dyn Error>> {
    println!("One store, two years, two devices. The file is {}", path.display());
    chapter(1, "Last year's app writes three recordings.");
    let ids = last_year::record(path)?;
    // The same rows under this year's type.
    let [standup, interview, shopping] = ids.map(|id| id.cast::<this_year::Recording>());

    chapter(2, "This year's structs have three new fields, and open the same file.");
    upgrade::read_old_rows(path, &[standup, interview, shopping])?;

    chapter(3, "Changes: observed, all or nothing, and snapshots that do not move.");
    upgrade::write(path, &standup)?;

    chapter(4, "A laptop and a phone, both offline, edit and meet again.");
    devices::part_and_meet(path, &[standup, interview, shopping])?;

    chapter(5, "One device still runs last year's app, and renames a recording in it.");
    upgrade::survive_old_code(path, &standup)?;
    Ok(())
}

fn chapter(number: u8, title: &str) {
    println!("\n{number}. {title}\n");
}
