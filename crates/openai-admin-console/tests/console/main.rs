//! The pages, in process: a server in memory, and a browser without scripts.

mod attacks;
mod browser;
mod emulator;
mod pages;
mod plans;
mod uploads;
