//! Tells cargo to compile the crate again when a migration is added, which the embedding macro does
//! not notice by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
