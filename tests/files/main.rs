//! Files: damage, kills, full disks, formats.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod damage;
mod formats;
mod full_disk;
mod keeping;
mod names;
