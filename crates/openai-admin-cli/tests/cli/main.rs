//! The output of the command line: exit code, standard output and standard error, frozen together. One module per noun.

mod access;
mod admin;
mod api;
mod audit_logs;
mod console;
mod coverage;
mod desk;
mod doctor;
mod drain;
mod dump;
mod emulate;
mod explain;
mod failures;
mod generated;
mod group_users;
mod groups;
mod help;
mod keys;
mod load;
mod memberships;
mod memberships_guarded;
mod memberships_killed;
mod profiles;
mod published_only;
mod rights;
mod running;
mod serve;
mod serve_tls;
mod settings;
mod spreadsheets;
mod tables;
#[cfg(feature = "otel")]
mod traces;
mod usage;
mod users;
mod verify_service;
