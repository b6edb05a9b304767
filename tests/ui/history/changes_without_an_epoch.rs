// Changes that need no epoch compile: the one error is what stands at the end.

#![allow(dead_code)]

#[path = "pass/absent.rs"]
mod absent;
#[path = "pass/absent_folder.rs"]
mod absent_folder;
#[path = "pass/additive.rs"]
mod additive;
#[path = "pass/crlf.rs"]
mod crlf;
#[path = "pass/default_added.rs"]
mod default_added;
#[path = "pass/epoch_raised.rs"]
mod epoch_raised;
#[path = "pass/newer_members.rs"]
mod newer_members;
#[path = "pass/no_version.rs"]
mod no_version;
#[path = "pass/outside.rs"]
mod outside;
#[path = "pass/removed.rs"]
mod removed;
#[path = "pass/renamed.rs"]
mod renamed;
#[path = "pass/reordered.rs"]
mod reordered;
#[path = "pass/same_as.rs"]
mod same_as;
#[path = "pass/struct_renamed.rs"]
mod struct_renamed;
#[path = "pass/unchanged.rs"]
mod unchanged;
#[path = "pass/within_the_next_epoch.rs"]
mod within_the_next_epoch;

const _: () = panic!("all of it compiles");

fn main() {}
