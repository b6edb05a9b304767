//! Files: damage, kills, full disks, formats.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod beside_writer;
mod compacting;
mod creating;
mod damage;
mod damaged_index;
mod flips;
mod format_page;
mod formats;
mod full_disk;
mod gone;
mod healing;
mod healing_blocks;
mod inspecting;
mod keeping;
mod names;
mod own_tables;
mod pages_written;
mod read_only;
mod readers_go_on;
mod upgrade;
